import { expect, test } from 'bun:test';
import type { Clock } from '../../kernel/clock.ts';
import { systemClock } from '../../kernel/clock.ts';
import { ProgressMeter, positionOf } from './progress.ts';

test('progress is weighted by work, never steps back, and comes at most twice a second', () => {
  let nowMs = 0;
  const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
  const reports: { percent: number; etaMs: number | undefined; stage: string }[] = [];
  const meter = new ProgressMeter(
    clock,
    [
      { stage: 'covers', work: 10 },
      { stage: 'renditions', work: 90 },
    ],
    (report) => reports.push(report),
  );
  meter.update(0, 1);
  nowMs = 100;
  meter.update(1, 0.1);
  nowMs = 1000;
  meter.update(1, 0.1);
  nowMs = 2000;
  meter.update(0, 0.5);
  nowMs = 2100;
  meter.update(1, 7);
  expect(reports).toEqual([
    { percent: 10, etaMs: undefined, stage: 'covers' },
    { percent: 19, etaMs: 4263, stage: 'renditions' },
    { percent: 19, etaMs: 8526, stage: 'covers' },
    { percent: 100, etaMs: 0, stage: 'renditions' },
  ]);
  expect(() => meter.update(2, 0)).toThrow(RangeError);
});

test('positions are read in microseconds from either name', () => {
  expect(positionOf('out_time_us=1500000')).toBe(1500);
  expect(positionOf('out_time_ms=1500000')).toBe(1500);
  expect(positionOf('out_time_ms=N/A')).toBeUndefined();
  expect(positionOf('progress=end')).toBeUndefined();
});
