import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { Slots } from './slots.ts';

const never = new AbortController().signal;

/** What has resolved by the time all promises that could have are done. */
async function settle(): Promise<void> {
  for (let round = 0; round < 5; round += 1) await Promise.resolve();
}

test('who comes later waits, in order', async () => {
  const slots = new Slots(1);
  const order: string[] = [];
  const first = await slots.take(never);
  const second = slots.take(never).then((release) => {
    order.push('second');
    return release;
  });
  const third = slots.take(never).then((release) => {
    order.push('third');
    return release;
  });
  await settle();
  expect(order).toEqual([]);
  first();
  (await second)();
  (await third)();
  expect(order).toEqual(['second', 'third']);
});

test('giving a slot back twice frees one', async () => {
  const slots = new Slots(1);
  const release = await slots.take(never);
  release();
  release();
  await slots.take(never);
  let isTaken = false;
  void slots.take(never).then(() => {
    isTaken = true;
  });
  await settle();
  expect(isTaken).toBe(false);
});

test('who gives up while waiting takes nothing', async () => {
  const slots = new Slots(1);
  const release = await slots.take(never);
  const leaving = new AbortController();
  const left = slots.take(leaving.signal);
  const next = slots.take(never);
  leaving.abort(new Error('left'));
  expect(left).rejects.toThrow('left');
  release();
  expect(await next).toBeFunction();
});

test('never more than the bound at once, whatever the order of coming and going', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(fc.boolean()), async (count, steps) => {
      const slots = new Slots(count);
      const held: (() => void)[] = [];
      for (const isTaking of steps) {
        if (isTaking) void slots.take(never).then((release) => held.push(release));
        else held.shift()?.();
        await settle();
        expect(held.length).toBeLessThanOrEqual(count);
      }
    }),
  ));
