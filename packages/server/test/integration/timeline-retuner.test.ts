import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test';
import { MemoryAnnouncements } from '../../src/adapters/memory/announcements.ts';
import { GRAPH_KIND } from '../../src/features/graph/index.ts';
import { createTuning, type Tuning } from '../../src/features/timeline/index.ts';
import { type Clock, systemClock } from '../../src/kernel/clock.ts';
import { AppError } from '../../src/kernel/errors.ts';
import type { ShelfPage } from '../../src/ports/timeline-store/port.ts';
import { type TestDatabase, testDatabase, testLog } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { Graph } from '../support/graph.ts';
import { MemoryTimelineStore } from '../support/memory-timeline-store.ts';
import { Snowflakes } from '../support/snowflakes.ts';

let t: TestDatabase;
let graph: Graph;
let store: MemoryTimelineStore;
let tuning: Tuning;
let heard: string[];
let sleptMs = 0;
/** Announcing fails so often. */
let failures = 0;
const ids = new Snowflakes();
const signal = new AbortController().signal;
const clock: Clock = {
  ...systemClock,
  sleep: async (ms) => {
    sleptMs += ms;
  },
};

beforeAll(async () => {
  t = await testDatabase();
  graph = new Graph(t.database, ids);
});
afterAll(() => t[Symbol.asyncDispose]());

beforeEach(async () => {
  await t.database.sql`truncate account cascade`;
  store = new MemoryTimelineStore();
  [heard, sleptMs, failures] = [[], 0, 0];
  const announcements = new MemoryAnnouncements();
  announcements.follow(GRAPH_KIND, { hear: (texts) => void heard.push(...texts), reset: async () => {} });
  await announcements.catchUp();
  tuning = createTuning({
    ...{ db: t.database, store, clock, log: testLog },
    announcements: {
      announce: async (records) => {
        failures -= 1;
        if (failures >= 0) throw new AppError('timeout');
        await announcements.announce(records);
      },
    },
    counters: { onChanges: () => {} },
  });
});
afterEach(() => tuning.stop());

async function reader(reads: number, lastRead = '1 hour'): Promise<string> {
  const id = await graph.person();
  await t.database.sql`
    insert into feed_reader (account_id, reads_per_day, rated_at, last_read_at)
    values (${id}, ${reads}, now(), now() - ${lastRead}::interval)`;
  return id;
}

async function creator(posts: number, level = 0): Promise<string> {
  const id = await graph.person();
  await t.database.sql`
    insert into feed_creator (account_id, posts_per_day, heat, rated_at, level, tuned_level, level_at)
    values (${id}, ${posts}, 0, now(), ${level}, ${level}, now())`;
  return id;
}

async function publish(authorId: string): Promise<string> {
  const id = ids.next();
  await t.database.sql`
    insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
    values (${id}, ${authorId}, 't', '', '{}', 'public', 'ready', ${id}, 1000, 10, 10)`;
  return id;
}

async function watch(readerId: string, videoId: string): Promise<void> {
  await t.database.sql`
    insert into watch_history (account_id, video_id, position_ms, completed, watched_at)
    values (${readerId}, ${videoId}, 1, true, now())`;
}

async function modes(): Promise<Record<string, number>> {
  const rows = await t.database.sql<{ edge: string; mode: number }>`
    select follower_id || '>' || followee_id as edge, mode from follow`;
  return Object.fromEntries(rows.map(({ edge, mode }) => [edge, mode]));
}
const modeOf = async (readerId: string, authorId: string) => (await modes())[`${readerId}>${authorId}`];

async function inbox(readerId: string): Promise<ShelfPage> {
  const [page] = await store.read([{ shelf: { kind: 'inbox', ownerId: readerId }, limit: 1_000 }]);
  return page!;
}

/** As if everybody had not been looked at for long. */
const again = () => t.database.sql`update feed_reader set tuned_at = null`;

test('who reads often for each post is pushed to, with what was there before; who does not is pulled', async () => {
  const [often, rarely] = [await reader(10), await reader(1)];
  const [quiet, busy] = [await creator(1), await creator(20)];
  const keys = [await publish(quiet), await publish(quiet)];
  for (const from of [often, rarely]) for (const to of [quiet, busy]) await graph.follow(from, to);
  expect(await tuning.inboxes.rebuild(often)).toBe(true);
  await tuning.turn(signal);
  expect(await modeOf(often, quiet)).toBe(2);
  expect(await modeOf(often, busy)).toBe(0);
  // Between the thresholds: as it was.
  expect(await modeOf(rarely, quiet)).toBe(0);
  const page = await inbox(often);
  expect(page.entries.map(({ key }) => key)).toEqual(keys.reverse());
  expect(page.floor).toBe('0');
  // The first two were the follows.
  expect(heard).toEqual([`${often}:3`]);
});

test('a cold inbox leaves the edge in both; when it has been rebuilt the edge is pushed', async () => {
  const [one, author] = [await reader(10), await creator(1)];
  await graph.follow(one, author);
  await tuning.turn(signal);
  expect(await modeOf(one, author)).toBe(1);
  const key = await publish(author);
  await tuning.inboxes.rebuild(one);
  await tuning.turn(signal);
  expect(await modeOf(one, author)).toBe(2);
  expect((await inbox(one)).entries.map((entry) => entry.key)).toEqual([key]);
});

test('nobody who has been away for a week is pushed, nor looked at again before they come back', async () => {
  const [one, author] = [await reader(10), await creator(1)];
  await graph.follow(one, author);
  await tuning.inboxes.rebuild(one);
  await tuning.turn(signal);
  expect(await modeOf(one, author)).toBe(2);
  await t.database.sql`update feed_reader set tuned_at = null, last_read_at = now() - interval '8 days'`;
  await tuning.turn(signal);
  expect(await modeOf(one, author)).toBe(0);
  // After the follow three epochs: of the promotion, and of both steps of the demotion.
  expect(heard).toEqual([2, 3, 4].map((epoch) => `${one}:${epoch}`));
  await again();
  await tuning.turn(signal);
  const tunedAt = async () => {
    const [row] = await t.database.sql<{
      tuned: string | null;
    }>`select tuned_at::text as tuned from feed_reader`;
    return row?.tuned;
  };
  expect(await tunedAt()).toBe('infinity');
  tuning.activity.noteRead(one);
  await tuning.activity.flush();
  expect(await tunedAt()).toBeNull();
});

test('a creator who has become very large keeps only core followers, in stretches, whoever they are', async () => {
  const author = await creator(1);
  const videos = [await publish(author), await publish(author), await publish(author)];
  const readers: string[] = [];
  for (let at = 0; at < 450; at++) readers.push(await reader(10));
  for (const id of readers) await graph.follow(id, author);
  const core = readers[300]!;
  for (const id of videos) await watch(core, id);
  await t.database.sql`update follow set mode = 2`;
  await t.database.sql`update feed_reader set tuned_at = now()`;
  await t.database.sql`update feed_creator set level = 3, level_at = now()`;
  await tuning.turn(signal);
  const pushed = Object.entries(await modes()).filter(([, mode]) => mode !== 0);
  expect(pushed).toEqual([[`${core}>${author}`, 2]]);
  const [row] = await t.database.sql`select tuned_level, tuned_after from feed_creator`;
  expect(row).toEqual({ tuned_level: 3, tuned_after: '0' });
  // And back, when the level falls: this time all edges are gone through.
  await t.database.sql`update feed_creator set level = 1`;
  for (const id of readers.slice(0, 3)) await tuning.inboxes.rebuild(id);
  await tuning.turn(signal);
  const after = Object.values(await modes());
  expect([after.filter((mode) => mode === 2).length, after.filter((mode) => mode === 1).length]).toEqual([
    4, 446,
  ]);
});

test('of the followers of a large creator the more active half is pushed', async () => {
  const author = await creator(0.1, 2);
  const readers = [await reader(1), await reader(2), await reader(3), await reader(4), await reader(5)];
  for (const id of readers) {
    await graph.follow(id, author);
    await tuning.inboxes.rebuild(id);
  }
  await tuning.turn(signal);
  expect(await Promise.all(readers.map((id) => modeOf(id, author)))).toEqual([0, 0, 2, 2, 2]);
});

test('what a death or a lost announcement left half-way is finished', async () => {
  const [one, author] = [await reader(10), await creator(1)];
  await graph.follow(one, author);
  await tuning.inboxes.rebuild(one);
  // P3 has committed and was not announced: the old graph pulls, which is right.
  failures = 1;
  await tuning.turn(signal);
  expect(await modeOf(one, author)).toBe(2);
  await t.database.sql`update feed_creator set posts_per_day = 100`;
  await again();
  // D1 has committed and may not have been announced: D2 must wait.
  failures = 1;
  await tuning.turn(signal);
  expect(await modeOf(one, author)).toBe(1);
  await again();
  heard = [];
  await tuning.turn(signal);
  expect(await modeOf(one, author)).toBe(0);
  expect(heard).toEqual([`${one}:4`, `${one}:5`]);
});

test('no more edges are turned than the budget allows', async () => {
  const [one] = [await reader(10)];
  for (let at = 0; at < 300; at++) await graph.follow(one, await creator(1));
  await tuning.inboxes.rebuild(one);
  const startedMs = performance.now();
  await tuning.turn(signal);
  expect(Object.values(await modes()).every((mode) => mode === 2)).toBe(true);
  // 500 a second: what the work did not take was waited for.
  expect(sleptMs + performance.now() - startedMs).toBeGreaterThanOrEqual(600);
});

test('an inbox grows with its reader, and is made anew for that', async () => {
  const one = await reader(30);
  await tuning.turn(signal);
  const [row] = await t.database.sql`select inbox_capacity from feed_reader where account_id = ${one}`;
  expect(row).toEqual({ inbox_capacity: 400 });
  await eventually(async () => tuning.inboxes.counts.rebuilt === 1);
  expect((await inbox(one)).state).toBe('ready');
  expect(tuning.inboxes.counts).toEqual({ rebuilt: 1, failed: 0, refused: 0 });
});

test('an edge is explained to its reader', async () => {
  const [one, author, stranger] = [await reader(10), await creator(1, 2), await graph.person()];
  await graph.follow(one, author);
  for (let at = 0; at < 3; at++) await watch(one, await publish(author));
  const explained = await tuning.explain(one, author);
  expect(explained).toMatchObject({
    ...{ mode: 'pull', wanted: 'push', authorLevel: 2, active: true, videosWatched: 3, core: true },
    ...{ threshold: 1, promoteAt: 1.3, demoteBelow: 0.7 },
  });
  expect(explained.readsPerPost).toBeCloseTo(10, 1);
  expect(explained.reasons.map(({ code }) => code)).toEqual(['reads-pay', 'level-half', 'core-follower']);
  await expect(tuning.explain(one, stranger)).rejects.toThrow(AppError);
});
