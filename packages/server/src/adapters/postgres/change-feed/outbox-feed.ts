import { SQL } from 'bun';
import type { ChangeFeed } from '../../../ports/change-feed/port.ts';
import { openSql } from '../sql.ts';
import { beginGeneration, readGeneration } from './generation.ts';
import { deleteBatch, giveTurns, type LoggedBatch, readBatch } from './outbox-log.ts';
import { placeTriggers, type Readers, readReaders } from './outbox-tables.ts';
import { DEFAULT_MAX_LAG_BYTES, type FeedOptions, SupervisedFeed } from './supervised-feed.ts';

export interface OutboxFeedOptions extends FeedOptions {
  /** The slot of the other feed, to be removed when this one takes over. */
  readonly slot?: string;
  /** How long it rests when nothing has changed; half of it to the whole. */
  readonly pollMs?: number;
  readonly sampleMs?: number;
}

const POLL_MS = 50;
const SAMPLE_MS = 2_000;
const STATEMENT_MS = 60_000;
const DEAD_AFTER_SECONDS = 5;
const LEADER_LOCK = '7239485102934859';

/**
 * ChangeFeed by a transactional outbox, for providers that forbid replication slots: triggers write every change into
 * `change_log`, which costs each writer about as much as the write itself.
 */
export function openOutboxChangeFeed(options: OutboxFeedOptions): ChangeFeed {
  return new OutboxFeed(options);
}

interface SampleRow {
  readonly lag_bytes: number;
  readonly oldest_ms: number | null;
}

class OutboxFeed extends SupervisedFeed {
  readonly #options: OutboxFeedOptions;
  #oldestMs: number | undefined;

  constructor(options: OutboxFeedOptions) {
    super(options);
    this.#options = options;
  }

  protected override oldestWaitingMs(): number | undefined {
    return this.#oldestMs;
  }

  protected override async lead(closing: AbortSignal, givingUp: AbortSignal): Promise<boolean> {
    const pool = new SQL(this.#options.url, {
      max: 1,
      connectionTimeout: 5,
      connection: {
        application_name: 'hvideo-change-feed',
        statement_timeout: STATEMENT_MS,
        lock_timeout: 2_000,
        idle_session_timeout: 0,
        tcp_keepalives_idle: DEAD_AFTER_SECONDS,
        tcp_keepalives_interval: DEAD_AFTER_SECONDS,
        tcp_keepalives_count: 2,
      },
    });
    try {
      // Reserved: once it is lost, and the lock with it, every statement on it fails.
      const sql = await pool.reserve();
      const [taken] = await sql<{ ok: boolean }[]>`select pg_try_advisory_lock(${LEADER_LOCK}::int8) as ok`;
      if (!taken?.ok) return false;
      await this.#leadOn(sql, closing, givingUp);
      return true;
    } finally {
      this.#oldestMs = undefined;
      await pool.close({ timeout: 0 });
    }
  }

  async #leadOn(sql: SQL, closing: AbortSignal, givingUp: AbortSignal): Promise<void> {
    const lost = new AbortController();
    const work = AbortSignal.any([lost.signal, givingUp]);
    const { clock, sampleMs = SAMPLE_MS } = this.#options;
    using _heartbeat = clock.every(DEAD_AFTER_SECONDS * 1_000, async () => {
      await sql`select 1`.catch((error: unknown) => lost.abort(error));
    });
    using _samples = clock.every(sampleMs, () => this.#sample(lost));
    const generation = await this.#prepare(sql);
    const readers = await readReaders(sql, this.consumers.followed);
    await this.rebuild(generation, AbortSignal.any([work, closing]));
    this.state = 'leading';
    await this.#follow(sql, generation, readers, closing, work);
  }

  async #prepare(sql: SQL): Promise<string> {
    const { database, slot = 'hvideo_changes' } = this.#options;
    const known = await readGeneration(database);
    const lagBytes = (await this.#lag()).lag_bytes;
    const why = this.#reasonToBeginAnew(known, lagBytes);
    if (why === undefined) {
      await placeTriggers(sql, this.consumers.followed);
      return known.generation;
    }
    const generation = await sql.begin(async (tx) => {
      // Both or none: rows that are thrown away belong to the generation that ends.
      await tx`truncate change_log, change_turn`;
      return beginGeneration({ sql: openSql({ driver: tx, deadlineMs: STATEMENT_MS }) }, 'outbox');
    });
    if (known.kind === 'logical') {
      await sql`
        select pg_drop_replication_slot(slot_name) from pg_replication_slots
        where slot_name = ${slot} and database = current_database() and not active`;
    }
    await placeTriggers(sql, this.consumers.followed);
    this.noteBegunAnew(why);
    return generation;
  }

  #reasonToBeginAnew(
    known: Awaited<ReturnType<typeof readGeneration>>,
    lagBytes: number,
  ): string | undefined {
    if (known.kind !== 'outbox') return 'it is the first time';
    if (!known.isOfThisSystem) return 'the database is another one';
    if (lagBytes > this.#maxLagBytes) return `the log has grown to ${lagBytes} bytes`;
    return undefined;
  }

  get #maxLagBytes(): number {
    return this.#options.maxLagBytes ?? DEFAULT_MAX_LAG_BYTES;
  }

  async #follow(
    sql: SQL,
    generation: string,
    readers: Readers,
    closing: AbortSignal,
    work: AbortSignal,
  ): Promise<void> {
    const { clock, random, pollMs = POLL_MS } = this.#options;
    const stop = AbortSignal.any([work, closing]);
    while (!stop.aborted) {
      const batch = await this.#next(sql, generation, readers);
      if (!batch) {
        this.#oldestMs = undefined;
        const pauseMs = pollMs / 2 + random.integer(Math.ceil(pollMs / 2));
        await clock.sleep(pauseMs, { signal: stop }).catch(() => undefined);
        continue;
      }
      await this.inHand(batch.transactions[0]?.committedAtMs, async () => {
        const transactions = batch.transactions.filter(({ rows }) => rows.length > 0);
        if (transactions.length > 0) await this.deliver(transactions, work);
        await deleteBatch(sql, batch);
      });
      this.confirmedPosition = batch.transactions.at(-1)?.position;
    }
    work.throwIfAborted();
  }

  async #next(sql: SQL, generation: string, readers: Readers): Promise<LoggedBatch | undefined> {
    const waiting = await readBatch(sql, generation, readers);
    if (waiting) return waiting;
    await giveTurns(sql);
    return readBatch(sql, generation, readers);
  }

  async #sample(lost: AbortController): Promise<void> {
    try {
      const { lag_bytes: lagBytes, oldest_ms: oldestMs } = await this.#lag();
      this.lagBytes = lagBytes;
      this.#oldestMs = oldestMs ?? undefined;
      if (lagBytes > this.#maxLagBytes) lost.abort(new Error(`the log has grown to ${lagBytes} bytes`));
    } catch (error) {
      this.noteError(error);
    }
  }

  /** Estimated from some rows and the span of ids: the size of the table counts what has been deleted as well. */
  async #lag(): Promise<SampleRow> {
    const [row] = await this.#options.database.sql<SampleRow>`
      select coalesce((max(id) - min(id) + 1) * (
          select avg(pg_column_size(l.*)) from (select * from change_log order by id limit 100) l), 0)::float8 as lag_bytes,
        (select extract(epoch from logged_at) * 1000 from change_log order by id limit 1)::float8 as oldest_ms
      from change_log`;
    return row ?? { lag_bytes: 0, oldest_ms: null };
  }
}
