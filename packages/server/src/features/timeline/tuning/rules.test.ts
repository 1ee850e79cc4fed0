import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { INBOX_CAPACITIES, LEAVE_AT, nextCapacity, nextStep } from './bands.ts';
import { Costs } from './costs.ts';
import {
  decideEdge,
  EDGE_MODES,
  type EdgeFacts,
  type EdgeMode,
  INACTIVE_MS,
  nextMode,
  PROMOTE_AT,
} from './edge-mode.ts';
import { FALL_AFTER_MS, LEVEL_FOLLOWERS, LEVEL_HEAT, type Level, nextLevel } from './levels.ts';
import { decayed, perEvent, READS } from './rates.ts';

const level = fc.constantFrom<Level>(0, 1, 2, 3);
const mode = fc.constantFrom(...EDGE_MODES);
const rate = fc.double({ min: 0, max: 1_000, noNaN: true });
const facts: fc.Arbitrary<EdgeFacts> = fc.record({
  ...{ mode, level, readsPerDay: rate, postsPerDay: rate, medianReadsPerDay: rate },
  idleMs: fc.oneof(fc.nat(2 * INACTIVE_MS), fc.constant(Number.POSITIVE_INFINITY)),
  videosWatched: fc.nat(6),
  costRatio: fc.double({ min: 0.05, max: 20, noNaN: true }),
});

function settle(from: EdgeFacts): EdgeMode {
  let at = from.mode;
  for (let turn = 0; turn < 2; turn++) at = nextMode(at, decideEdge({ ...from, mode: at }));
  return at;
}

test('an edge moves one step at a time, and comes to rest', () => {
  fc.assert(
    fc.property(facts, (given) => {
      const next = nextMode(given.mode, decideEdge(given));
      expect(Math.abs(EDGE_MODES.indexOf(next) - EDGE_MODES.indexOf(given.mode))).toBeLessThanOrEqual(1);
      const rest = settle(given);
      expect(['pull', 'push']).toContain(rest);
      expect(nextMode(rest, decideEdge({ ...given, mode: rest }))).toBe(rest);
      expect(decideEdge(given).reasons.length).toBeGreaterThan(0);
    }),
  );
});

test('an edge at rest stays whatever its rate does within the band', () => {
  const within = fc.array(fc.double({ min: LEAVE_AT + 1e-6, max: PROMOTE_AT - 1e-6, noNaN: true }), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(facts, within, (given, walk) => {
      // At level 2 the reader's rate is compared with a second threshold, that of the active half.
      fc.pre(given.level !== 2 && given.idleMs <= INACTIVE_MS);
      const start = settle({ ...given, readsPerDay: given.costRatio * 2 * 10, postsPerDay: 10 });
      let at = start;
      for (const part of walk) {
        const readsPerDay = part * given.costRatio * 10;
        at = nextMode(at, decideEdge({ ...given, mode: at, readsPerDay, postsPerDay: 10 }));
        expect(at).toBe(start);
      }
    }),
  );
});

test('whoever is away for a week is not pushed, nor is anybody but the core by the largest', () => {
  fc.assert(
    fc.property(facts, (given) => {
      expect(decideEdge({ ...given, idleMs: INACTIVE_MS + 1 }).mode).toBe('pull');
      expect(decideEdge({ ...given, level: 3, videosWatched: 1 }).mode).toBe('pull');
    }),
  );
});

test('a higher level, fewer reads or more posts never make a push of a pull', () => {
  fc.assert(
    fc.property(facts, level, rate, rate, (given, other, reads, posts) => {
      if (decideEdge(given).mode === 'push') return;
      const worse = {
        ...given,
        level: Math.max(given.level, other) as Level,
        readsPerDay: Math.min(given.readsPerDay, reads),
        postsPerDay: Math.max(given.postsPerDay, posts),
      };
      expect(decideEdge(worse).mode).toBe('pull');
    }),
  );
});

test('levels move one step at a time, and not while followers and heat stay within the band', () => {
  const [, second] = LEVEL_FOLLOWERS;
  const size = fc.record({
    followers: fc.nat(3 * LEVEL_FOLLOWERS[2]),
    heat: fc.double({ min: 0, max: 3 * LEVEL_HEAT[2], noNaN: true }),
  });
  fc.assert(
    fc.property(level, size, fc.nat(2 * FALL_AFTER_MS), (from, to, sinceMs) => {
      expect(Math.abs(nextLevel(from, to, sinceMs) - from)).toBeLessThanOrEqual(1);
    }),
  );
  const band = fc.double({ min: LEAVE_AT, max: 1 - 1e-9, noNaN: true });
  fc.assert(
    fc.property(fc.constantFrom<Level>(1, 2), band, (from, part) => {
      expect(nextLevel(from, { followers: second * part, heat: 0 }, FALL_AFTER_MS)).toBe(from);
    }),
  );
  expect(nextLevel(2, { followers: second * 0.6, heat: 0 }, FALL_AFTER_MS)).toBe(1);
  expect(nextLevel(2, { followers: second * 0.6, heat: 0 }, FALL_AFTER_MS - 1)).toBe(2);
  expect(nextLevel(0, { followers: 10, heat: LEVEL_HEAT[2] }, FALL_AFTER_MS)).toBe(1);
});

test('an inbox grows with its reader by one size at a time, and shrinks late', () => {
  expect(nextCapacity(200, 1)).toBe(200);
  expect(nextCapacity(200, 50)).toBe(400);
  expect(nextCapacity(400, 50)).toBe(800);
  expect(nextCapacity(800, 7.1)).toBe(800);
  expect(nextCapacity(800, 6.9)).toBe(400);
  expect(nextCapacity(400, 0)).toBe(200);
  expect(nextStep(0, 5, [])).toBe(0);
  fc.assert(
    fc.property(fc.constantFrom(...INBOX_CAPACITIES), rate, (from, reads) => {
      expect(INBOX_CAPACITIES).toContain(nextCapacity(from, reads) as 200);
    }),
  );
});

test('a decayed rate of even events is their rate', () => {
  const everyMs = 86_400_000 / 5;
  let at = 0;
  for (let turn = 0; turn < 1_000; turn++) at = decayed(READS, at, 0, everyMs) + perEvent(READS);
  expect(at).toBeGreaterThan(4.8);
  expect(at).toBeLessThan(5.3);
  expect(decayed(READS, 8, 1_000, 0)).toBe(8);
});

test('costs follow what is measured, within bounds, and one stall hardly moves them', () => {
  const costs = new Costs();
  expect(costs.ratio).toBe(1);
  for (let turn = 0; turn < 100; turn++) costs.notePushes(1_000, 10);
  expect(costs.pushMs).toBeCloseTo(0.01, 4);
  for (let turn = 0; turn < 100; turn++) costs.notePulls(1_000, 40);
  expect(costs.ratio).toBeCloseTo(0.25, 2);
  costs.notePushes(1, 60_000);
  expect(costs.pushMs).toBeLessThan(0.0101);
  costs.notePushes(0, 5);
  costs.notePushes(5, Number.NaN);
  for (let turn = 0; turn < 100; turn++) costs.notePushes(1_000, 0);
  expect(costs.pushMs).toBeCloseTo(0.001, 4);
});
