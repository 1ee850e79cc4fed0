import { expect, test } from 'bun:test';
import { systemClock } from '../../kernel/clock.ts';
import { SegmentEvidence } from './evidence.ts';

test('knows who has fetched a segment, for as long as a link lives, within its bound', () => {
  let nowMs = 0;
  const evidence = new SegmentEvidence({ ...systemClock, monotonicMs: () => nowMs }, 2);
  evidence.note('1', 'a');
  evidence.note('1', 'b');
  evidence.note('1', 'a');
  expect([evidence.has('1', 'a'), evidence.has('1', 'c'), evidence.has('2', 'a')]).toEqual([
    true,
    false,
    false,
  ]);
  evidence.note('2', 'a');
  expect([evidence.has('1', 'b'), evidence.has('1', 'a'), evidence.has('2', 'a')]).toEqual([
    false,
    true,
    true,
  ]);
  nowMs = 4 * 3_600_000;
  expect(evidence.has('2', 'a')).toBe(false);
});
