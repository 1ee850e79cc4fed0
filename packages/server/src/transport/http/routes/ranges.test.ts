import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { noneMatch, rangeCounts, rangeOf } from './ranges.ts';

describe('rangeOf', () => {
  test('reads the three forms', () => {
    expect(rangeOf('bytes=2-4', 10)).toEqual({ kind: 'part', start: 2, end: 5 });
    expect(rangeOf('bytes=7-', 10)).toEqual({ kind: 'part', start: 7, end: 10 });
    expect(rangeOf('bytes=-3', 10)).toEqual({ kind: 'part', start: 7, end: 10 });
    expect(rangeOf('bytes=-30', 10)).toEqual({ kind: 'part', start: 0, end: 10 });
    expect(rangeOf('bytes=8-900', 10)).toEqual({ kind: 'part', start: 8, end: 10 });
  });

  test('refuses what lies outside, ignores what makes no sense', () => {
    for (const header of ['bytes=10-', 'bytes=10-12', 'bytes=-0'])
      expect(rangeOf(header, 10)).toEqual({ kind: 'unsatisfiable' });
    for (const header of [
      null,
      '',
      'bytes=',
      'bytes=-',
      'bytes=5-2',
      'bytes=0-1,4-5',
      'items=0-1',
      'bytes=a-b',
    ])
      expect(rangeOf(header, 10)).toEqual({ kind: 'whole' });
  });

  test('never leaves the object', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(100), (text, size) => {
        const range = rangeOf(`bytes=${text}`, size);
        if (range.kind === 'part') {
          expect(range.start).toBeGreaterThanOrEqual(0);
          expect(range.end).toBeLessThanOrEqual(size);
          expect(range.start).toBeLessThan(range.end);
        }
      }),
    );
  });
});

test('noneMatch compares weakly, rangeCounts strongly', () => {
  expect(noneMatch(null, '"a"')).toBe(true);
  for (const header of ['*', '"a"', 'W/"a"', '"b", "a"']) expect(noneMatch(header, '"a"')).toBe(false);
  expect(noneMatch('"b"', '"a"')).toBe(true);
  expect(rangeCounts(null, '"a"')).toBe(true);
  expect(rangeCounts('"a"', '"a"')).toBe(true);
  for (const header of ['"b"', 'W/"a"', 'Tue, 24 Nov 2026 00:00:00 GMT'])
    expect(rangeCounts(header, '"a"')).toBe(false);
});
