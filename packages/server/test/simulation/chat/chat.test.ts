import { describe, expect, test } from 'bun:test';
import type { Faults } from './faults.ts';
import { apart, runSeed } from './script.ts';

/**
 * The whole chat, from the SDK to the stores, on a simulated clock, network and database. `HVIDEO_TEST_SEED=n` replays one run,
 * `HVIDEO_TEST_RUNS=n` makes so many.
 */
const firstSeed = Number(process.env.HVIDEO_TEST_SEED ?? 1);
const runs = Number(process.env.HVIDEO_TEST_RUNS ?? (process.env.HVIDEO_TEST_SEED ? 1 : 1_000));
const runsATest = 100;

describe('a chat in bad weather keeps its promises', () => {
  for (let from = firstSeed; from < firstSeed + runs; from += runsATest) {
    const to = Math.min(from + runsATest, firstSeed + runs) - 1;
    test(`seeds ${from} to ${to}`, async () => {
      for (let seed = from; seed <= to; seed++) {
        const { violations } = await runSeed(seed);
        expect({ seed, violations }).toEqual({ seed, violations: [] });
      }
    }, 240_000);
  }
});

describe('with sockets and commits in processes of their own', () => {
  const runsApart = Math.ceil(runs / 4);
  for (let from = firstSeed; from < firstSeed + runsApart; from += runsATest) {
    const to = Math.min(from + runsATest, firstSeed + runsApart) - 1;
    test(`seeds ${from} to ${to}`, async () => {
      for (let seed = from; seed <= to; seed++) {
        const { violations } = await runSeed(seed, {}, apart);
        expect({ seed, violations }).toEqual({ seed, violations: [] });
      }
    }, 240_000);
  }
});

test('the same seed makes the same run', async () => {
  const [one, again] = [await runSeed(firstSeed), await runSeed(firstSeed)].map(({ world }) => ({
    steps: world.scheduler.steps,
    acknowledged: world.history.acknowledged,
  }));
  expect(one).toEqual(again!);
});

test('runs are eventful', async () => {
  const sum = { sent: 0, refused: 0, answers: 0, crashes: 0, sideBySide: 0 };
  for (let seed = 1; seed <= 20; seed++) {
    const { world } = await runSeed(seed);
    sum.sent += world.history.sent.size;
    sum.refused += world.history.refused.size;
    sum.answers += [...world.history.sent.values()].filter(({ answers }) => answers !== undefined).length;
    sum.sideBySide += world.database.sideBySide;
    sum.crashes += world.runs.filter(({ tab }) => !tab.machine.isAlive).length;
  }
  expect(sum.sent).toBeGreaterThan(800);
  expect(sum.answers).toBeGreaterThan(50);
  expect(sum.refused).toBeGreaterThan(10);
  expect(sum.crashes).toBeGreaterThan(10);
  expect(sum.sideBySide).toBeGreaterThan(20);
}, 60_000);

/** What the checks must find, and what they say of it. */
const seeded: Record<keyof Faults, RegExp> = {
  ackBeforeCommit: /was acknowledged as/,
  lostDedupe: /is stored twice/,
  orderByTime: /shows .* where .* is stored/,
  swallowedReset: /was acknowledged as/,
};

describe('a seeded fault is found', () => {
  for (const [fault, expected] of Object.entries(seeded)) {
    test(fault, async () => {
      const found: string[] = [];
      for (let seed = 1; seed <= 200 && !found.some((each) => expected.test(each)); seed++)
        found.push(...(await runSeed(seed, { [fault]: true })).violations);
      expect(found.join('\n')).toMatch(expected);
    }, 120_000);
  }
});
