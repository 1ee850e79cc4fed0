import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { Announcements } from '../../../ports/announcements/port.ts';
import type { Database } from '../../../ports/database/port.ts';
import { MAX_PUSHES, type Removal, type TimelineStore } from '../../../ports/timeline-store/port.ts';
import { settledFact } from '../facts.ts';
import { nextFollowers, type Stretch, type Walk } from './followers.ts';
import { Lane } from './lane.ts';

export interface RemovalsDeps {
  readonly db: Database;
  readonly store: Pick<TimelineStore, 'remove'>;
  readonly announcements: Pick<Announcements, 'announce'>;
  /** An id: names this worker's leases. */
  readonly worker: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings?: Partial<RemovalSettings>;
}

export interface RemovalSettings {
  readonly atOnce: number;
  /** Edges looked at by one statement, over all that are leased. */
  readonly edges: number;
  readonly leaseMs: number;
  readonly maxAttempts: number;
  readonly retryMs: number;
  readonly maxRetryMs: number;
}

const defaults: RemovalSettings = {
  atOnce: 50,
  edges: 10_000,
  leaseMs: 30_000,
  maxAttempts: 10,
  retryMs: 250,
  maxRetryMs: 60_000,
};

interface Leased extends Walk {
  readonly attempts: number;
}

/**
 * Takes entries that are gone out of the author's outbox and out of the inboxes of those who read within the last day.
 * Nobody waits for it: what is behind them is fenced before the answer and deleted with it, so that an entry which is left in
 * an idle inbox leads to nothing and falls out of it in time. After the last try it is left wherever it is.
 */
export class Removals {
  removed = 0;
  failures = 0;
  readonly #deps: RemovalsDeps;
  readonly #settings: RemovalSettings;
  readonly #lane: Lane;

  constructor(deps: RemovalsDeps) {
    this.#deps = deps;
    this.#settings = { ...defaults, ...deps.settings };
    this.#lane = new Lane({
      ...{ name: 'removals', clock: deps.clock, log: deps.log, pollMs: 1_000 },
      turn: () => this.turn(),
    });
  }

  start(): void {
    this.#lane.start();
  }

  async stop(): Promise<void> {
    await this.#lane.stop();
    await this.#deps.db.sql`
      update timeline_removal set worker = null, due_at = now() where worker = ${this.#deps.worker}`;
  }

  /** Only where no other process can live, before `start`. */
  async reclaimAll(): Promise<void> {
    await this.#deps.db.sql`
      update timeline_removal set worker = null, due_at = now() where worker is not null`;
  }

  /** True: there may be more at once. */
  async turn(): Promise<boolean> {
    const leased = await this.#lease();
    if (leased.length === 0) return false;
    try {
      await this.#clean(leased);
    } catch (error) {
      this.failures += leased.length;
      this.#deps.log.warn({ err: error, entries: leased.length }, 'entries are taken out again later');
      await this.#fail(leased.map(({ key }) => key));
    }
    return true;
  }

  async #clean(leased: readonly Leased[]): Promise<void> {
    const { db } = this.#deps;
    const keys = leased.map(({ key }) => key);
    // A fan-out that is at one of them ends with its present stretch.
    await db.sql`delete from fanout where key = any(${db.sql.array(keys, 'int8')})`;
    const hopeless = leased.filter(({ attempts }) => attempts >= this.#settings.maxAttempts);
    const cleaned = leased.filter(({ attempts }) => attempts < this.#settings.maxAttempts);
    const limit = Math.ceil(this.#settings.edges / leased.length);
    const stretches = await nextFollowers(db, cleaned, limit, 'activeNow');
    const walks = new Map(cleaned.map((walk) => [walk.key, walk]));
    await this.#remove(stretches.flatMap((stretch) => removalsOf(walks.get(stretch.key), stretch)));
    const ended = stretches.filter(({ isLast }) => isLast).map(({ key }) => key);
    await this.#end([...ended, ...hopeless.map(({ key }) => key)]);
    await this.#advance(stretches.filter(({ isLast }) => !isLast));
  }

  async #remove(removals: readonly Removal[]): Promise<void> {
    for (let at = 0; at < removals.length; at += MAX_PUSHES) {
      const slice = removals.slice(at, at + MAX_PUSHES);
      await this.#deps.store.remove(slice);
      this.removed += slice.length;
    }
  }

  /** Out of flight too, if they were: their rows went with them, so that no fan-out says it. */
  async #end(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const { announcements, db, worker } = this.#deps;
    await announcements.announce(keys.map(settledFact));
    await db.sql`
      delete from timeline_removal where key = any(${db.sql.array(keys, 'int8')}) and worker = ${worker}`;
  }

  async #lease(): Promise<Leased[]> {
    const { db, worker } = this.#deps;
    return db.sql<Leased>`
      with due as materialized (
        select key from timeline_removal where due_at <= now()
        order by due_at limit ${this.#settings.atOnce} for update skip locked)
      update timeline_removal gone set worker = ${worker},
        due_at = clock_timestamp() + ${this.#settings.leaseMs} * interval '1 millisecond'
      from due where gone.key = due.key
      returning gone.key, author_id as "authorId", after_follower as "afterFollower", attempts`;
  }

  async #advance(stretches: readonly Stretch[]): Promise<void> {
    if (stretches.length === 0) return;
    const { sql } = this.#deps.db;
    await sql`
      update timeline_removal gone set after_follower = coalesce(move.last_id, after_follower), attempts = 0,
        worker = null, due_at = clock_timestamp()
      from unnest(
        ${sql.array(
          stretches.map(({ key }) => key),
          'int8',
        )}, ${sql.array(
          stretches.map(({ lastId }) => lastId),
          'int8',
        )}) as move (key, last_id)
      where gone.key = move.key and worker = ${this.#deps.worker}`;
  }

  async #fail(keys: readonly string[]): Promise<void> {
    const { sql } = this.#deps.db;
    const { maxRetryMs, retryMs } = this.#settings;
    await sql`
      update timeline_removal set attempts = attempts + 1, worker = null,
        due_at = clock_timestamp() + least(${maxRetryMs}::float8, ${retryMs}::float8 * 2 ^ least(attempts, 20))
          * (0.5 + random() / 2) * interval '1 millisecond'
      where key = any(${sql.array(keys, 'int8')}) and worker = ${this.#deps.worker}`;
  }
}

function removalsOf(walk: Leased | undefined, { followerIds, key }: Stretch): Removal[] {
  if (!walk) return [];
  // Also from the outbox, each time: it costs nothing.
  return [
    { shelf: { kind: 'outbox', ownerId: walk.authorId }, key },
    ...followerIds.map((ownerId) => ({ shelf: { kind: 'inbox' as const, ownerId }, key })),
  ];
}
