import type { Database, SqlQuery } from '../../../ports/database/port.ts';
import type { Entry } from '../../../ports/timeline-store/port.ts';

/** `fresh`: not begun with; `large`: more active readers than are served at once; `rest`: their other followers; `done`: in its time of grace. */
export type Stage = 'fresh' | 'large' | 'rest' | 'done';

export interface Leased extends Entry {
  readonly stage: Stage;
  readonly afterFollower: string;
  readonly attempts: number;
}

export interface QueueSettings {
  /** Who has not said anything for so long is dead. */
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly maxAttempts: number;
  readonly retryMs: number;
  readonly maxRetryMs: number;
}

/** Each is the condition of an index. */
const stageIs = (sql: Database['sql'], stage: Stage): SqlQuery<unknown[]> =>
  stage === 'fresh'
    ? sql`pass = 0 and after_follower = 0`
    : stage === 'large'
      ? sql`pass = 0 and after_follower > 0`
      : stage === 'rest'
        ? sql`pass = 1`
        : sql`pass = 2`;

/** The table `fanout` as a queue: many entries a statement, several nodes, leases that end by themselves. */
export class FanOutQueue {
  readonly #db: Database;
  readonly #worker: string;
  readonly #settings: QueueSettings;

  constructor(db: Database, worker: string, settings: QueueSettings) {
    this.#db = db;
    this.#worker = worker;
    this.#settings = settings;
  }

  async lease(stage: Stage, limit: number): Promise<Leased[]> {
    const { sql } = this.#db;
    const rows = await sql<Entry & { afterFollower: string; attempts: number }>`
      with due as materialized (
        select key from fanout where ${stageIs(sql, stage)} and due_at <= now()
        order by due_at limit ${limit} for update skip locked)
      update fanout set worker = ${this.#worker}, due_at = ${this.#leaseEnd()} from due
      where fanout.key = due.key
      returning fanout.key, author_id as "authorId", video_id as "videoId", after_follower as "afterFollower",
        attempts`;
    return rows.map((row) => ({ ...row, stage }));
  }

  /** Up to these followers they have arrived; the lease goes on, or with `release` ends. Answers which are still ours. */
  async advance(
    moves: readonly { readonly key: string; readonly afterFollower: string }[],
    { release }: { readonly release: boolean },
  ): Promise<Set<string>> {
    if (moves.length === 0) return new Set();
    const { sql } = this.#db;
    const rows = await sql<{ key: string }>`
      update fanout set after_follower = move.after_follower, attempts = 0,
        due_at = ${release ? sql`clock_timestamp()` : this.#leaseEnd()}, worker = ${release ? null : this.#worker}
      from unnest(
        ${sql.array(
          moves.map(({ key }) => key),
          'int8',
        )}, ${sql.array(
          moves.map(({ afterFollower }) => afterFollower),
          'int8',
        )}) as move (key, after_follower)
      where fanout.key = move.key and worker = ${this.#worker} returning fanout.key`;
    return new Set(rows.map(({ key }) => key));
  }

  /** To the next stage, from its beginning. Answers how many seconds each has been on its way. */
  async move(keys: readonly string[], to: 'rest' | 'done'): Promise<number[]> {
    if (keys.length === 0) return [];
    const { sql } = this.#db;
    const dueAt =
      to === 'rest'
        ? sql`clock_timestamp()`
        : sql`clock_timestamp() + ${this.#settings.graceMs} * interval '1 millisecond'`;
    const rows = await sql<{ seconds: number }>`
      update fanout set pass = ${to === 'rest' ? 1 : 2}, after_follower = 0, attempts = 0, worker = null,
        due_at = ${dueAt}
      where key = any(${sql.array(keys, 'int8')}) and worker = ${this.#worker}
      returning extract(epoch from clock_timestamp() - created_at)::float8 as seconds`;
    return rows.map(({ seconds }) => seconds);
  }

  /** The lease goes on, further than these followers, and the tries are not forgotten. */
  async crawl(key: string, afterFollower: string): Promise<void> {
    await this.#db.sql`
      update fanout set after_follower = ${afterFollower}, due_at = clock_timestamp(), worker = null
      where key = ${key} and worker = ${this.#worker}`;
  }

  /**
   * Back into the queue, later with each try, and at random, so that those that failed together do not come together. After
   * the last try it goes on among the `rest`, from the first follower on, with care.
   */
  async fail(keys: readonly string[]): Promise<void> {
    const { sql } = this.#db;
    const { maxAttempts, maxRetryMs, retryMs } = this.#settings;
    await sql`
      update fanout set attempts = attempts + 1, worker = null,
        after_follower = case when pass = 0 and attempts + 1 >= ${maxAttempts} then 0 else after_follower end,
        pass = case when pass = 0 and attempts + 1 >= ${maxAttempts} then 1 else pass end,
        due_at = clock_timestamp() + least(${maxRetryMs}::float8, ${retryMs}::float8 * 2 ^ least(attempts, 20))
          * (0.5 + random() / 2) * interval '1 millisecond'
      where key = any(${sql.array(keys, 'int8')}) and worker = ${this.#worker}`;
  }

  /** Answers the authors of those that still were ours: one for each entry. */
  async remove(keys: readonly string[]): Promise<string[]> {
    const { sql } = this.#db;
    const rows = await sql<{ authorId: string }>`
      delete from fanout where key = any(${sql.array(keys, 'int8')}) and worker = ${this.#worker}
      returning author_id as "authorId"`;
    return rows.map(({ authorId }) => authorId);
  }

  /** What this worker has not got round to is anybody's. */
  async release(): Promise<void> {
    await this.#db.sql`
      update fanout set worker = null, due_at = now() where worker = ${this.#worker}`;
  }

  /** Where no other process can live. */
  async reclaimAll(): Promise<void> {
    await this.#db.sql`update fanout set worker = null, due_at = now() where worker is not null`;
  }

  #leaseEnd(): SqlQuery<unknown[]> {
    return this.#db.sql`clock_timestamp() + ${this.#settings.leaseMs} * interval '1 millisecond'`;
  }
}
