import { MemoryAnnouncements } from '../../src/adapters/memory/announcements.ts';
import { MemoryTimelineStore } from '../../src/adapters/memory/timeline-store.ts';
import { FanOut, type FanOutSettings } from '../../src/features/timeline/publishing/fan-out.ts';
import { Outboxes } from '../../src/features/timeline/publishing/outboxes.ts';
import { Removals } from '../../src/features/timeline/publishing/removal.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import type { Announcement, Announcements } from '../../src/ports/announcements/port.ts';
import type { Database, Sql, SqlQuery } from '../../src/ports/database/port.ts';
import type { Entry, ShelfKind, TimelineStore } from '../../src/ports/timeline-store/port.ts';
import { testDatabase, testLog } from './database.ts';
import { Snowflakes } from './snowflakes.ts';

/** What a process does outside of itself; a test lets it fail, or die there. */
export type Step = 'statement' | 'push' | 'remove' | 'announce';
export type Trouble = (step: Step) => void;

export interface Process {
  readonly db: Database;
  readonly outboxes: Outboxes;
  readonly fanOut: FanOut;
  readonly removals: Removals;
}

export type FanOutWorld = Awaited<ReturnType<typeof openFanOutWorld>>;

/** Accounts, edges and entries by their rows, a store and announcements that outlive any process, and processes. */
export async function openFanOutWorld() {
  const test = await testDatabase({ maxConnections: 12 });
  const { database: db } = test;
  const ids = new Snowflakes();
  const store = new MemoryTimelineStore({ clock: systemClock, random: systemRandom });
  const log = new MemoryAnnouncements();
  const announced: Announcement[] = [];
  const posted: string[] = [];
  /** Whose inboxes cannot be reached. */
  const cut = new Set<string>();
  const { sql } = db;
  const outboxes = new Outboxes({ db, announcements: { announce: async () => {} }, clock: systemClock });

  async function person(): Promise<string> {
    const id = ids.next();
    await sql`insert into account (id, username, display_name, created_at) values (${id}, ${`user_${id}`}, '', now())`;
    return id;
  }
  async function follow(followerId: string, followeeId: string, mode: 0 | 1 | 2): Promise<void> {
    await sql`
      insert into follow (id, follower_id, followee_id, created_at, mode)
      values (${ids.next()}, ${followerId}, ${followeeId}, now(), ${mode})
      on conflict (followee_id, follower_id) do update set mode = excluded.mode`;
  }
  /** Commits a video with its entry, as a publisher does that dies before it tells anybody. */
  async function publish(authorId: string): Promise<Entry> {
    const key = ids.next();
    const entry = { key, authorId, videoId: key };
    await sql`
      with made as (
        insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
        values (${key}, ${authorId}, '', '', '{}', 'public', 'ready', ${key}, 1000, 360, 640)
        returning feed_key as key, author_id, id as video_id),
      recorded as (${outboxes.recording(sql, sql`made`)})
      select 1 from made`;
    return entry;
  }
  async function begin(kind: ShelfKind, ownerId: string, capacity = 1_000): Promise<void> {
    const token = await store.begin({ kind, ownerId }, capacity);
    await store.merge({ kind, ownerId }, { entries: [], completeDownTo: '0', token, isLast: true });
  }
  async function held(kind: ShelfKind, ownerId: string): Promise<string[]> {
    const [page] = await store.read([{ shelf: { kind, ownerId }, limit: 1_000 }]);
    return page?.entries.map(({ key }) => key) ?? [];
  }
  async function readAt(accountId: string, hoursAgo: number): Promise<void> {
    await sql`
      insert into feed_reader (account_id, reads_per_day, rated_at, last_read_at)
      values (${accountId}, 1, now(), now() - ${hoursAgo} * interval '1 hour')
      on conflict (account_id) do update set last_read_at = excluded.last_read_at`;
  }
  /** A process that may come to grief wherever it touches something. */
  function process(trouble: Trouble, settings: Partial<FanOutSettings> = {}): Process {
    const own = troubled(db, trouble);
    const announcements: Pick<Announcements, 'announce'> = {
      async announce(records) {
        trouble('announce');
        announced.push(...records);
        await log.announce(records);
        trouble('announce');
      },
    };
    const shelves: Pick<TimelineStore, 'push' | 'drop' | 'remove'> = {
      async push(pushes) {
        trouble('push');
        if (pushes.some(({ shelf }) => cut.has(shelf.ownerId))) throw new AppError('timeout');
        // Half of it arrives, if the trouble comes in the middle.
        await store.push(pushes.slice(0, Math.ceil(pushes.length / 2)));
        trouble('push');
        await store.push(pushes.slice(Math.ceil(pushes.length / 2)));
        trouble('push');
      },
      async remove(removals) {
        trouble('remove');
        await store.remove(removals);
        trouble('remove');
      },
      drop: (shelves) => store.drop(shelves),
    };
    const ownOutboxes = new Outboxes({ db: own, announcements, clock: systemClock });
    const deps = {
      ...{ db: own, store: shelves, announcements, outboxes: ownOutboxes },
      ...{ worker: ids.next(), clock: systemClock, log: testLog },
      notePosts: (authorIds: readonly string[]) => posted.push(...authorIds),
    };
    return {
      ...{ db: own, outboxes: ownOutboxes },
      fanOut: new FanOut({ ...deps, settings: { graceMs: 0, retryMs: 0, ...settings } }),
      removals: new Removals({ ...deps, settings: { retryMs: 0 } }),
    };
  }
  /** As if the time of every lease, grace and delay had passed. */
  async function pass(): Promise<void> {
    await sql`update fanout set due_at = now() - interval '1 second'`;
    await sql`update timeline_removal set due_at = now() - interval '1 second'`;
  }
  return {
    ...{
      db,
      ids,
      store,
      log,
      announced,
      posted,
      cut,
      person,
      follow,
      publish,
      begin,
      held,
      readAt,
      process,
      pass,
    },
    inFlight: async () =>
      (await sql<{ key: string }>`select key from fanout order by key`).map(({ key }) => key),
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
}

/** Asks before each statement that is sent. */
function troubled(db: Database, trouble: Trouble): Database {
  const watched = <T>(query: SqlQuery<T>): SqlQuery<T> =>
    new Proxy(query, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (name !== 'then' || typeof value !== 'function')
          return typeof value === 'function' ? value.bind(target) : value;
        return (onFulfilled: never, onRejected: never) => {
          try {
            trouble('statement');
          } catch (error) {
            return Promise.reject(error).then(onFulfilled, onRejected);
          }
          return value.call(target, onFulfilled, onRejected);
        };
      },
    });
  const watchedSql = (sql: Sql): Sql =>
    new Proxy(sql, { apply: (tag, self, parts) => watched(Reflect.apply(tag, self, parts)) });
  return {
    sql: watchedSql(db.sql),
    transaction: async (work, options) => {
      const result = await db.transaction((tx) => work(watchedSql(tx)), options);
      trouble('statement');
      return result;
    },
    write: (idempotency, work) => db.write(idempotency, (tx) => work(watchedSql(tx))),
  };
}
