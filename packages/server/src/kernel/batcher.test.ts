import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { Batcher } from './batcher.ts';
import { systemClock } from './clock.ts';

const clock = { ...systemClock, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) };

test('every item is in exactly one batch, in order, and learns what became of it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      async (faults, maxItems) => {
        const batches: number[][] = [];
        const batcher = new Batcher<number>({
          ...{ clock, windowMs: 1, maxItems, maxWaiting: 100 },
          run: async (items) => {
            batches.push([...items]);
            await clock.sleep();
            if (items.some((item) => faults[item])) throw new Error('no');
          },
        });
        const outcomes = await Promise.allSettled(faults.map((_, item) => batcher.add(item)));
        expect(batches.flat()).toEqual(faults.map((_, item) => item));
        expect(batches.every(({ length }) => length <= maxItems)).toBe(true);
        const refused = new Set(batches.filter((batch) => batch.some((item) => faults[item])).flat());
        expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(
          faults.map((_, item) => refused.has(item)),
        );
      },
    ),
    { numRuns: 100 },
  );
});

test('refuses what would wait in too long a queue, and drains', async () => {
  const gate = Promise.withResolvers<void>();
  let ran = 0;
  const run = async (items: readonly number[]) => {
    await gate.promise;
    ran += items.length;
  };
  const batcher = new Batcher<number>({ clock, windowMs: 1, maxItems: 10, maxWaiting: 2, run });
  const accepted = [batcher.add(1), batcher.add(2)];
  await expect(batcher.add(3)).rejects.toMatchObject({ code: 'overloaded' });
  gate.resolve();
  await batcher.drain();
  await Promise.all(accepted);
  expect(ran).toBe(2);
});
