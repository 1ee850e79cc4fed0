import { afterAll, beforeAll, expect, test } from 'bun:test';
import fc from 'fast-check';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { Graph } from '../support/graph.ts';
import { Snowflakes } from '../support/snowflakes.ts';
import { type Action, AUTHORS, EdgeWorld, type Fault, READERS } from './edge-world.ts';

/**
 * Promotions, demotions, rebuilds, publications, follows, crashes and losses of the store, interleaved statement by
 * statement. After every step, each entry that a page would take from an inbox must be there or in flight.
 */
let t: TestDatabase;
let graph: Graph;
const ids = new Snowflakes();

beforeAll(async () => {
  t = await testDatabase();
  graph = new Graph(t.database, ids);
});
afterAll(() => t[Symbol.asyncDispose]());

const reader = fc.nat(READERS - 1);
const author = fc.nat(AUTHORS - 1);
const of = <K extends string>(...kinds: K[]) => fc.constantFrom(...kinds);

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: of('promote', 'promote', 'demote'), reader, author }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: of('promoteAll', 'promoteAll', 'rebuild', 'rebuild', 'demoteAll'), reader }),
  },
  { weight: 10, arbitrary: fc.record({ kind: of('publish', 'publish', 'repost'), author }) },
  { weight: 2, arbitrary: fc.record({ kind: of('follow', 'unfollow'), reader, author }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'loseStore' as const }) },
);

/** Either something begins, or something that is under way takes its next step, goes on to its end, or dies. */
type Turn = { begin: Action } | { step: number } | { through: number } | { crash: number };
const which = fc.nat(1_000);
const schedules = (actions: fc.Arbitrary<Action>, maxLength: number): fc.Arbitrary<Turn[]> =>
  fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.record({ begin: actions }) },
      { weight: 10, arbitrary: fc.record({ step: which }) },
      { weight: 2, arbitrary: fc.record({ through: which }) },
      { weight: 1, arbitrary: fc.record({ crash: which }) },
    ) as fc.Arbitrary<Turn>,
    { minLength: maxLength / 4, maxLength, size: 'max' },
  );
const turns: fc.Arbitrary<readonly Turn[]> = schedules(action, 120);
/** One edge, so that faults are found soon. */
const turnsOfOneEdge: fc.Arbitrary<readonly Turn[]> = schedules(
  fc.record({
    kind: of('promote', 'promote', 'demote', 'publish', 'publish', 'rebuild'),
    reader: fc.constant(0),
    author: fc.constant(0),
  }) as fc.Arbitrary<Action>,
  60,
);

async function run(schedule: readonly Turn[], fault?: Fault): Promise<EdgeWorld> {
  const world = new EdgeWorld(t.database, graph, ids, fault);
  await world.open();
  // So that there is something to flip and to lose from the start on.
  const warm: Action[] = [
    { kind: 'publish', author: 0 },
    { kind: 'rebuild', reader: 0 },
    { kind: 'promoteAll', reader: 0 },
  ];
  for (const first of warm) {
    await world.begin(first);
    await finish(world);
  }
  for (const turn of schedule) {
    if ('begin' in turn) await world.begin(turn.begin);
    else if (world.waiting === 0) continue;
    else if ('step' in turn) await world.step(turn.step);
    else if ('through' in turn) await world.through(turn.through);
    else world.crash(turn.crash);
    await world.check();
  }
  await finish(world);
  return world;
}

async function finish(world: EdgeWorld): Promise<void> {
  while (world.waiting > 0) {
    await world.step(0);
    await world.check();
  }
}

test('no interleaving of flips, rebuilds, publications and losses hides an entry', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(turns, turnsOfOneEdge), async (schedule) => {
      const world = await run(schedule);
      // Whatever was left half-way is brought to an end by the next visit.
      for (let at = 0; at < READERS; at++) {
        for (const kind of ['rebuild', 'promoteAll'] as const) {
          await world.begin({ kind, reader: at });
          await finish(world);
        }
      }
      expect(await world.pushedEdges()).toBe(await world.edgeCount());
    }),
    { numRuns: 100 },
  );
}, 120_000);

/** A promotion that is held up before its last step, while another process demotes the edge and a video passes it by. */
const heldUp: readonly Turn[] = [
  ...([{ begin: { kind: 'demote', reader: 0, author: 0 } }, { through: 0 }] as const),
  { begin: { kind: 'promote', reader: 0, author: 0 } },
  ...Array.from({ length: 5 }, () => ({ step: 0 })),
  ...([{ begin: { kind: 'demote', reader: 0, author: 0 } }, { through: 1 }] as const),
  ...([{ begin: { kind: 'publish', author: 0 } }, { through: 1 }] as const),
  ...([{ step: 0 }, { step: 0 }] as const),
];

const faults: readonly Fault[] = ['no-copy', 'pull-before-announced', 'begin-after-reading', 'any-version'];
for (const fault of faults) {
  test(`the check notices the fault ${fault}`, async () => {
    const found = await fc.check(
      fc.asyncProperty(turnsOfOneEdge, async (schedule) => {
        await run(schedule, fault);
      }),
      { numRuns: 2_000, endOnFailure: true, examples: [[heldUp]] },
    );
    expect(found.failed).toBe(true);
    expect(String(found.errorInstance)).toContain('lost');
  }, 120_000);
}
