import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { Wishes } from './wishes.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('many taps while a request is under way become one more at most, and the last wish wins', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), async (taps) => {
      let atServer = false;
      let running = 0;
      const sent: boolean[] = [];
      const wishes = new Wishes<boolean>(
        async (_key, value) => {
          running += 1;
          expect(running).toBe(1);
          await turn();
          atServer = value;
          sent.push(value);
          running -= 1;
        },
        () => expect.unreachable(),
      );
      for (const tap of taps) wishes.wish('video', tap, false);
      for (let at = 0; at < 10; at += 1) await turn();
      expect(atServer).toBe(taps.at(-1) ?? false);
      expect(sent.length).toBeLessThanOrEqual(2);
    }),
  );
});

test('a refusal is told with what still holds, unless something else is wanted by then', async () => {
  const failures: [string, boolean][] = [];
  let refuses = true;
  const wishes = new Wishes<boolean>(
    async () => {
      await turn();
      if (refuses) throw new Error('no');
    },
    (key, held) => failures.push([key, held]),
  );
  wishes.wish('a', true, false);
  await turn();
  await turn();
  expect(failures).toEqual([['a', false]]);
  wishes.wish('a', true, false);
  wishes.wish('a', false, false);
  await turn();
  await turn();
  expect(failures.length).toBe(1);
  refuses = false;
  wishes.wish('a', true, false);
  await turn();
  await turn();
  expect(failures.length).toBe(1);
});
