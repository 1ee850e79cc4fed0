import { join } from 'node:path';
import pino from 'pino';
import { LmdbTimelineStore } from '../packages/server/src/adapters/lmdb/timeline-store.ts';
import { MemoryAnnouncements } from '../packages/server/src/adapters/memory/announcements.ts';
import { acquireDataLock } from '../packages/server/src/adapters/postgres/data-lock.ts';
import { openDatabase, type PostgresDatabase } from '../packages/server/src/adapters/postgres/database.ts';
import { startEmbeddedPostgres } from '../packages/server/src/adapters/postgres/embedded-server.ts';
import { migrate } from '../packages/server/src/adapters/postgres/migrate.ts';
import { createPublishing } from '../packages/server/src/features/timeline/publishing/index.ts';
import { Outboxes } from '../packages/server/src/features/timeline/publishing/outboxes.ts';
import { Publisher } from '../packages/server/src/features/videos/publish.ts';
import { systemClock } from '../packages/server/src/kernel/clock.ts';
import { SnowflakeGenerator } from '../packages/server/src/kernel/ids.ts';
import { Metrics } from '../packages/server/src/kernel/metrics.ts';
import { systemRandom } from '../packages/server/src/kernel/random.ts';
import type { Push, TimelineStore } from '../packages/server/src/ports/timeline-store/port.ts';
import type { Benchmark } from './main.ts';
import { cpuMsOfDatabase } from './support/cpu.ts';
import { benchFolder } from './support/folder.ts';

const community = { accounts: 1_000_000, active: 100_000, creators: 2_000, followersEach: 50 };
const publishesPerSecond = 500;
const warmUpSeconds = 5;
const seconds = 20;
const largeEverySeconds = 2;
const connections = 16;
/** Publishes under way at once, each until it is acknowledged. */
const places = 64;
const inboxCapacity = 200;

/** Account 1 is the creator whom everybody follows; those from 2 on are its active readers, and the others idle ones. */
const largeId = '1';
const creatorId = (at: number) => String(10_000_000 + at);

export const benchmark: Benchmark = {
  about:
    'A creator with one million followers, 100,000 of them active and pushed, publishes every two seconds while others with ' +
    '50 pushed followers publish 500 times a second: milliseconds from the request to the acknowledgement, and to the last ' +
    'inbox of an active reader.',
  async run() {
    await using folder = await benchFolder();
    const log = pino({ level: 'silent' });
    await using lock = await acquireDataLock(folder.path);
    await using server = await startEmbeddedPostgres({ lock, log });
    await using database = openDatabase({ url: server.url, maxConnections: connections, log });
    await migrate({ database, log });
    await makeCommunity(database);
    await using store = await LmdbTimelineStore.open({
      ...{
        folder: join(folder.path, 'timelines'),
        origin: 'bench',
        clock: systemClock,
        random: systemRandom,
      },
    });
    await beginInboxes(store);
    const arrivals = new Arrivals(store);
    const ids = new SnowflakeGenerator(systemClock, () => ({
      ...{ node: 1, issuedUntilMs: Number.MAX_SAFE_INTEGER, deadlineMs: Number.MAX_SAFE_INTEGER },
    }));
    const announcements = new MemoryAnnouncements();
    const outboxes = new Outboxes({ db: database, announcements, clock: systemClock });
    const publishing = createPublishing({
      ...{ db: database, store: arrivals.store, announcements, outboxes, ids },
      ...{ clock: systemClock, log, metrics: new Metrics() },
    });
    const publisher = new Publisher({
      ...{ db: database, ids, clock: systemClock, log, outbox: outboxes, tell: async () => {} },
      jobs: { enqueue: async () => {}, handle: () => {}, schedule: () => {} },
    });
    const publish = (authorId: string, videoId: string) =>
      publishAs(database, publisher, outboxes, authorId, videoId);
    publishing.start();
    const small: Measured[] = [];
    const large: Measured[] = [];
    const arriving: Promise<void>[] = [];
    const cpuBefore = await usedCpuMs(folder.path);
    const startedAtMs = performance.now();
    await atRate(publishesPerSecond, warmUpSeconds + seconds, async (at, dueAtMs) => {
      const isLarge = at % (largeEverySeconds * publishesPerSecond) === 0;
      const authorId = isLarge ? largeId : creatorId(at % community.creators);
      const key = await publish(authorId, String(20_000_000 + at));
      const acknowledgedMs = performance.now() - dueAtMs;
      const arrival = arrivals.until(key, isLarge ? community.active : community.followersEach);
      arriving.push(
        arrival.then(() => {
          const pushedMs = performance.now() - dueAtMs;
          if (at >= warmUpSeconds * publishesPerSecond)
            (isLarge ? large : small).push({ acknowledgedMs, pushedMs });
        }),
      );
    });
    await Promise.all(arriving);
    const tookMs = performance.now() - startedAtMs;
    const cpu = await usedCpuMs(folder.path);
    // Of the time that the publishes are meant to take.
    const coresOf = (before: number, after: number) =>
      Number(((after - before) / 1000 / (warmUpSeconds + seconds)).toFixed(2));
    const { counts } = publishing.fanOut;
    await publishing.stop();
    return {
      large: { publishes: large.length, ...summary(large) },
      small: { publishes: small.length, ...summary(small) },
      pushesPerSecond: Math.round(counts.pushes / (warmUpSeconds + seconds)),
      failures: counts.failures,
      seconds: { wanted: warmUpSeconds + seconds, taken: Math.round(tookMs / 1000) },
      // Processors that it takes to keep up; this process is server and community at once.
      cores: {
        process: coresOf(cpuBefore.processMs, cpu.processMs),
        database: coresOf(cpuBefore.databaseMs, cpu.databaseMs),
      },
    };
  },
};

async function usedCpuMs(dataDir: string): Promise<{ processMs: number; databaseMs: number }> {
  const { user, system } = process.cpuUsage();
  return { processMs: (user + system) / 1000, databaseMs: await cpuMsOfDatabase(dataDir) };
}

interface Measured {
  readonly acknowledgedMs: number;
  readonly pushedMs: number;
}

/** As a request publishes: one transaction, the announcement, the answer. */
async function publishAs(
  db: PostgresDatabase,
  publisher: Publisher,
  outboxes: Outboxes,
  authorId: string,
  videoId: string,
): Promise<string> {
  const entries = await db.transaction((tx) =>
    publisher.change(tx, videoId, authorId, async () => {
      await tx`update video set visibility = 'public' where id = ${videoId}`;
    }),
  );
  await outboxes.announce(entries);
  return entries[0]!.key;
}

/** Counts the inboxes that each entry has reached. */
class Arrivals {
  readonly store: TimelineStore;
  readonly #counts = new Map<string, number>();
  readonly #waiting = new Map<string, { readonly readers: number; readonly resolve: () => void }>();

  constructor(store: TimelineStore) {
    this.store = new Proxy(store, {
      get: (target, name) => {
        if (name === 'push')
          return async (pushes: readonly Push[]) => {
            await target.push(pushes);
            this.#count(pushes);
          };
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  until(key: string, readers: number): Promise<void> {
    return new Promise((resolve) => {
      if ((this.#counts.get(key) ?? 0) >= readers) resolve();
      else this.#waiting.set(key, { readers, resolve });
    });
  }

  #count(pushes: readonly Push[]): void {
    for (const { shelf, entry } of pushes) {
      if (shelf.kind === 'outbox') continue;
      const count = (this.#counts.get(entry.key) ?? 0) + 1;
      this.#counts.set(entry.key, count);
      const waiting = this.#waiting.get(entry.key);
      if (!waiting || count < waiting.readers) continue;
      this.#waiting.delete(entry.key);
      waiting.resolve();
    }
  }
}

/**
 * So many a second, each told when it was due: what has to wait for a place counts as late. Rejects with the first failure.
 */
async function atRate(
  rate: number,
  forSeconds: number,
  run: (at: number, dueAtMs: number) => Promise<void>,
): Promise<void> {
  const startedAtMs = performance.now();
  let next = 0;
  const place = async () => {
    while (next < rate * forSeconds) {
      const at = next++;
      const dueAtMs = startedAtMs + (at * 1000) / rate;
      const earlyMs = dueAtMs - performance.now();
      if (earlyMs > 0) await systemClock.sleep(earlyMs);
      await run(at, dueAtMs);
    }
  };
  await Promise.all(Array.from({ length: places }, place));
}

function summary(measured: readonly Measured[]) {
  const at = (values: readonly number[], quantile: number) =>
    Math.round([...values].sort((a, b) => a - b)[Math.floor(values.length * quantile)] ?? 0);
  const acknowledged = measured.map(({ acknowledgedMs }) => acknowledgedMs);
  const pushed = measured.map(({ pushedMs }) => pushedMs);
  return {
    acknowledgedMs: { p50: at(acknowledged, 0.5), p99: at(acknowledged, 0.99) },
    pushedMs: { p50: at(pushed, 0.5), p99: at(pushed, 0.99) },
  };
}

async function makeCommunity(database: PostgresDatabase): Promise<void> {
  const { accounts, active, creators, followersEach } = community;
  const { driver } = database;
  // Written by one connection without the checks of what is right by construction, which would take most of the time.
  const session = await driver.reserve();
  const run = (text: string) => session.unsafe(text);
  await run(`set statement_timeout = 0; set session_replication_role = replica`);
  await run(`
    insert into account (id, username, display_name, created_at)
    select id, 'user_' || id, '', now() from (
      select generate_series(1, ${accounts + 1}) as id
      union all select ${creatorId(0)} + generate_series(0, ${creators - 1})) as each`);
  await run(
    `insert into account_counts (account_id) select id from account where id = 1 or id >= ${creatorId(0)}`,
  );
  await run(`
    insert into follow (id, follower_id, followee_id, created_at, mode)
    select id, id, 1, now(), case when id <= ${active + 1} then 2 else 0 end
    from generate_series(2, ${accounts + 1}) as id`);
  await run(`
    insert into follow (id, follower_id, followee_id, created_at, mode)
    select ${creatorId(0)} + row_number() over (), 2 + (creator * 7919 + reader * 1973) % ${active},
      ${creatorId(0)} + creator, now(), 2
    from generate_series(0, ${creators - 1}) as creator, generate_series(0, ${followersEach - 1}) as reader
    on conflict do nothing`);
  await run(`
    insert into feed_reader (account_id, reads_per_day, rated_at, last_read_at)
    select id, 1, now(), now() - interval '3 hours' from generate_series(2, ${active + 1}) as id`);
  const large = `at % ${largeEverySeconds * publishesPerSecond} = 0`;
  await run(`
    insert into video (id, author_id, title, description, tags, visibility, status, duration_ms, width, height)
    select 20000000 + at, case when ${large} then 1 else ${creatorId(0)} + at % ${creators} end, '', '', '{}',
      'private', 'ready', 1000, 360, 640
    from generate_series(0, ${publishesPerSecond * (warmUpSeconds + seconds)}) as at`);
  // What was published before, so that the planner knows what videos are like.
  await run(`
    insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
    select 30000000 + at, ${creatorId(0)} + at % ${creators}, '', '', '{}', 'public', 'ready', 30000000 + at, 1000, 360, 640
    from generate_series(1, 40000) as at`);
  await run(`vacuum analyze`);
  await run(`set session_replication_role = origin; reset statement_timeout`);
  session.release();
}

async function beginInboxes(store: TimelineStore): Promise<void> {
  for (let id = 2; id <= community.active + 1; id++) {
    const shelf = { kind: 'inbox' as const, ownerId: String(id) };
    const token = await store.begin(shelf, inboxCapacity);
    await store.merge(shelf, { entries: [], completeDownTo: '0', token, isLast: true });
  }
}
