import { afterAll, beforeAll, expect, test } from 'bun:test';
import { MemoryCounterStore } from '../../src/adapters/memory/counter-store.ts';
import { createCounters } from '../../src/features/counters/index.ts';
import { Activity } from '../../src/features/timeline/tuning/activity.ts';
import { Creators } from '../../src/features/timeline/tuning/creators.ts';
import { HEAT_WEIGHTS, LEVEL_FOLLOWERS, LEVEL_HEAT } from '../../src/features/timeline/tuning/levels.ts';
import { HEAT, POSTS, perEvent, READS } from '../../src/features/timeline/tuning/rates.ts';
import { type Clock, systemClock } from '../../src/kernel/clock.ts';
import { ID_EPOCH_MS } from '../../src/kernel/ids.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import { type TestDatabase, testDatabase, testLog } from '../support/database.ts';
import { Graph } from '../support/graph.ts';
import { Snowflakes } from '../support/snowflakes.ts';

let t: TestDatabase;
let graph: Graph;
const ids = new Snowflakes();
const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 0, 1);
let nowMs = startMs;
const clock: Clock = { ...systemClock, nowMs: () => nowMs };
const signal = new AbortController().signal;

beforeAll(async () => {
  t = await testDatabase();
  graph = new Graph(t.database, ids);
});
afterAll(() => t[Symbol.asyncDispose]());

const counters = () =>
  createCounters({
    ...{ db: t.database, ids, clock: systemClock, random: systemRandom, log: testLog },
    store: new MemoryCounterStore(systemClock),
  });

const creatorsOn = (service = counters()) =>
  new Creators({ db: t.database, clock, log: testLog, counters: service });

async function reader(id: string) {
  const [row] = await t.database.sql<{ reads: number; rated_at: Date; last_read_at: Date }>`
    select reads_per_day as reads, rated_at, last_read_at from feed_reader where account_id = ${id}`;
  return row;
}

async function creator(id: string) {
  const [row] = await t.database.sql<{ posts: number; heat: number; level: number; tuned: number }>`
    select posts_per_day as posts, heat, level, tuned_level as tuned from feed_creator where account_id = ${id}`;
  return row;
}

async function video(authorId: string, atMs: number): Promise<string> {
  const id = ids.next();
  const key = String((BigInt(atMs - ID_EPOCH_MS) << 22n) + BigInt(id));
  await t.database.sql`
    insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
    values (${id}, ${authorId}, 't', '', '{}', 'public', 'ready', ${key}, 1000, 10, 10)`;
  return id;
}

test('reads become a rate that fades, in one statement for all readers; who has gone is left out', async () => {
  const activity = new Activity({ db: t.database, clock, log: testLog });
  const [one, two] = [await graph.person(), await graph.person()];
  nowMs = startMs;
  for (let turn = 0; turn < 3; turn++) activity.noteRead(one);
  activity.noteRead(two);
  activity.noteRead('999999999');
  await activity.flush();
  expect((await reader(one))?.reads).toBeCloseTo(3 * perEvent(READS), 9);
  expect((await reader(two))?.reads).toBeCloseTo(perEvent(READS), 9);
  nowMs += READS.halfLifeMs;
  activity.noteRead(one);
  await activity.flush();
  expect((await reader(one))?.reads).toBeCloseTo(2.5 * perEvent(READS), 9);
  nowMs -= dayMs;
  activity.noteRead(one);
  await activity.stop();
  expect((await reader(one))?.reads).toBeCloseTo(3.5 * perEvent(READS), 9);
});

test('the time of the last read is the database’s, to some minutes', async () => {
  const activity = new Activity({ db: t.database, clock, log: testLog });
  const { sql } = t.database;
  const id = await graph.person();
  const readAgain = async (after: string) => {
    await sql`update feed_reader set last_read_at = now() - ${after}::interval where account_id = ${id}`;
    const before = await reader(id);
    activity.noteRead(id);
    await activity.flush();
    return (await reader(id))!.last_read_at.getTime() - before!.last_read_at.getTime();
  };
  activity.noteRead(id);
  await activity.flush();
  expect(await readAgain('4 minutes')).toBe(0);
  expect(await readAgain('6 minutes')).toBeGreaterThanOrEqual(6 * 60_000);
});

test('reads that could not be written are written later', async () => {
  let isAway = true;
  const db = {
    ...t.database,
    sql: t.database.sql,
    write: t.database.write.bind(t.database),
    transaction: ((work, options) =>
      isAway
        ? Promise.reject(new Error('away'))
        : t.database.transaction(work, options)) as typeof t.database.transaction,
  };
  const activity = new Activity({ db, clock, log: testLog });
  const id = await graph.person();
  nowMs = startMs;
  activity.noteRead(id);
  await expect(activity.flush()).rejects.toThrow('away');
  activity.noteRead(id);
  isAway = false;
  await activity.flush();
  expect((await reader(id))?.reads).toBeCloseTo(2 * perEvent(READS), 9);
});

test('posts, follows, views and mentions make rates; losses of followers do not', async () => {
  const service = counters();
  const creators = creatorsOn(service);
  const author = await graph.person();
  nowMs = startMs;
  const videoId = await video(author, startMs);
  await service.add([
    { id: author, metric: 'followers', delta: 3 },
    { id: videoId, metric: 'views', delta: 7 },
    { id: videoId, metric: 'likes', delta: 100 },
  ]);
  await service.fold();
  await service.add([{ id: author, metric: 'followers', delta: -2 }]);
  await service.fold();
  creators.notePosts([author, author]);
  const rows = [
    { operation: 'insert', table: 'comment', before: undefined, after: { mentions: [author] }, ordinal: 1 },
    { operation: 'update', table: 'comment', before: {}, after: { mentions: [author] }, ordinal: 2 },
  ] as const;
  await creators.handle({ position: '1', transactions: [], rows });
  await creators.flush();
  const weight = 3 * HEAT_WEIGHTS.follow + 7 * HEAT_WEIGHTS.view + HEAT_WEIGHTS.mention;
  expect((await creator(author))?.heat).toBeCloseTo(weight * perEvent(HEAT), 6);
  expect((await creator(author))?.posts).toBeCloseTo(2 * perEvent(POSTS), 9);
  nowMs += HEAT.halfLifeMs;
  creators.notePosts([author]);
  await creators.stop();
  expect((await creator(author))?.heat).toBeCloseTo((weight / 2) * perEvent(HEAT), 6);
  await service.close();
});

test('a level rises step by step with heat, and falls late when the heat has passed', async () => {
  const creators = creatorsOn();
  const author = await graph.person();
  const videoId = await video(author, startMs);
  const service = counters();
  const hot = creatorsOn(service);
  nowMs = startMs;
  await service.add([
    { id: videoId, metric: 'views', delta: Math.ceil((2 * LEVEL_HEAT[1]) / perEvent(HEAT)) },
  ]);
  await service.fold();
  await hot.flush();
  expect((await creator(author))?.level).toBe(1);
  await creators.walkLevels(signal);
  expect((await creator(author))?.level).toBe(1);
  nowMs += 61_000;
  await creators.walkLevels(signal);
  expect((await creator(author))?.level).toBe(2);
  // Twice the threshold has become 0.7 of it a good half-life and a half later.
  nowMs += HEAT.halfLifeMs * 1.4;
  await creators.walkLevels(signal);
  expect((await creator(author))?.level).toBe(2);
  nowMs += HEAT.halfLifeMs * 0.3;
  await creators.walkLevels(signal);
  expect((await creator(author))?.level).toBe(1);
  await creators.walkLevels(signal);
  expect((await creator(author))?.level).toBe(1);
  await service.close();
});

test('a rebuild counts posts from their rows, and finds who has many followers', async () => {
  const creators = creatorsOn();
  const [busy, large] = [await graph.person(), await graph.person()];
  nowMs = startMs + 20 * POSTS.halfLifeMs;
  const videoId = await video(busy, nowMs);
  await video(busy, nowMs - POSTS.halfLifeMs);
  await video(busy, startMs);
  await t.database.sql`
    insert into repost (id, account_id, video_id, created_at)
    values (${String(BigInt(nowMs - ID_EPOCH_MS) << 22n)}, ${busy}, ${videoId}, ${new Date(nowMs)})`;
  await t.database.sql`
    insert into counter (id, metric, total, revision) values (${large}, 9, ${LEVEL_FOLLOWERS[1]}, 0)`;
  for (let turn = 0; turn < 2; turn++) await creators.rebuild(signal);
  expect((await creator(busy))?.posts).toBeCloseTo(2.5 * perEvent(POSTS), 6);
  expect((await creator(large))?.level).toBe(1);
  nowMs += 61_000;
  await creators.walkLevels(signal);
  expect((await creator(large))?.level).toBe(2);
});
