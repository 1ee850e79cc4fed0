import { expect, test } from 'bun:test';
import { systemClock } from './clock.ts';

/** One turn of the event loop, in which this process is busy. */
const busyTurn = (ms: number) =>
  new Promise<void>((resolve) =>
    setImmediate(() => {
      const endMs = performance.now() + ms;
      while (performance.now() < endMs);
      resolve();
    }),
  );

test('a deadline that is late because this process was busy lets work of many turns end first', async () => {
  let isOver = false;
  using _ = systemClock.after(20, () => {
    isOver = true;
  });
  for (let turn = 0; turn < 12; turn += 1) await busyTurn(80);
  expect(isOver).toBe(false);
});

test('a deadline of an idle process is kept', async () => {
  const startedMs = performance.now();
  await new Promise<void>((resolve) => {
    systemClock.after(100, resolve);
  });
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(99);
});

test('a deadline comes, however busy this process is', async () => {
  let isOver = false;
  using _ = systemClock.after(20, () => {
    isOver = true;
  });
  for (let turn = 0; turn < 200 && !isOver; turn += 1) await busyTurn(10);
  expect(isOver).toBe(true);
});
