import { expect, test } from 'bun:test';
import { remembered } from './remembered.ts';

test('asks once for all within its time, and again after it or after a failure', async () => {
  let nowMs = 0;
  let loads = 0;
  let isBroken = false;
  const ask = remembered({ monotonicMs: () => nowMs }, 1_000, async () => {
    loads += 1;
    if (isBroken) throw new Error('broken');
    return loads;
  });
  expect(await Promise.all([ask(), ask()])).toEqual([1, 1]);
  nowMs = 999;
  expect(await ask()).toBe(1);
  nowMs = 1_000;
  isBroken = true;
  expect((await Promise.allSettled([ask(), ask()])).map(({ status }) => status)).toEqual([
    'rejected',
    'rejected',
  ]);
  isBroken = false;
  expect(await ask()).toBe(3);
});
