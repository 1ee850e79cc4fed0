import { fromBunSql, type JobWithMetadata, PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import type { Sql } from '../../ports/database/port.ts';
import type { EnqueueOptions, JobKind } from '../../ports/job-queue/port.ts';
import type { PostgresDatabase } from './database.ts';
import { driverOf } from './sql.ts';

/**
 * pg-boss's tables and statements, without its workers: ours start a job within milliseconds of its commit, give
 * it back without losing a try when they stop, and take over from a dead process when its lease ends.
 */
export interface Attempt {
  readonly queue: string;
  readonly id: string;
  /** With the id, names one try: a worker that has lost its lease changes nothing any more. */
  readonly retryCount: number;
}

export interface Fetched extends Attempt {
  readonly payload: unknown;
  readonly lastTry: boolean;
}

export const JOB_CHANNEL = 'hvideo_jobs';
/** Beyond this a job counts as hung, whatever its heartbeats say. */
const LONGEST_JOB_SECONDS = 23 * 3_600;
const KEEP_DONE_SECONDS = 24 * 3_600;
const RETRY_DELAY_SECONDS = 1;
const RETRY_DELAY_MAX_SECONDS = 600;
const MAX_PAYLOAD_BYTES = 64 * 1_024;
const TAKEOVER_BATCH = 100;

export class BossStore {
  readonly #boss: PgBoss;
  readonly #database: PostgresDatabase;
  #opened: Promise<void> | undefined;
  readonly #queues = new Map<string, Promise<void>>();

  constructor(database: PostgresDatabase, log: Logger, work: boolean) {
    this.#database = database;
    this.#boss = new PgBoss({
      db: fromBunSql(database.driver),
      schema: 'pgboss',
      supervise: work,
      schedule: work,
      superviseIntervalSeconds: 60,
      monitorVacuum: false,
      registerInstance: false,
    });
    this.#boss.on('error', (error) => log.warn({ err: error }, 'job queue'));
    this.#boss.on('warning', (warning) => log.warn({ warning }, 'job queue'));
  }

  /** Makes or migrates pg-boss's schema: 80 ms the first time, then 8 ms. */
  open(): Promise<void> {
    this.#opened ??= this.#boss.start().then(
      () => undefined,
      (error: unknown) => {
        this.#opened = undefined;
        throw error;
      },
    );
    return this.#opened;
  }

  async close(): Promise<void> {
    if (!this.#opened) return;
    await this.#opened;
    await this.#boss.stop({ graceful: false, close: false });
  }

  ensureQueue(kind: JobKind<unknown>): Promise<void> {
    let made = this.#queues.get(kind.name);
    if (!made) {
      made = this.#makeQueue(kind).catch((error: unknown) => {
        this.#queues.delete(kind.name);
        throw error;
      });
      this.#queues.set(kind.name, made);
    }
    return made;
  }

  async #makeQueue(kind: JobKind<unknown>): Promise<void> {
    await this.open();
    const options = {
      retryLimit: kind.retryLimit,
      heartbeatSeconds: kind.leaseSeconds,
      retryDelay: RETRY_DELAY_SECONDS,
      retryBackoff: true,
      retryDelayMax: RETRY_DELAY_MAX_SECONDS,
      expireInSeconds: LONGEST_JOB_SECONDS,
      deleteAfterSeconds: KEEP_DONE_SECONDS,
    };
    const known = await this.#boss.getQueue(kind.name);
    // `short`: one job that waits for its first try for each key.
    if (!known) await this.#boss.createQueue(kind.name, { ...options, policy: 'short' });
    else if (known.retryLimit !== kind.retryLimit || known.heartbeatSeconds !== kind.leaseSeconds) {
      await this.#boss.updateQueue(kind.name, options);
    }
  }

  async send(tx: Sql, kind: JobKind<unknown>, payload: unknown, options: EnqueueOptions): Promise<void> {
    const data = { payload };
    if (Buffer.byteLength(JSON.stringify(data)) > MAX_PAYLOAD_BYTES) {
      throw new Error(`the payload of a ${kind.name} job is larger than ${MAX_PAYLOAD_BYTES} bytes`);
    }
    await this.ensureQueue(kind);
    await this.#boss.send(kind.name, data, {
      db: fromBunSql(driverOf(tx)),
      // A job without a key is a key of its own.
      singletonKey: options.key ?? crypto.randomUUID(),
      priority: options.priority ?? 0,
      ...(options.startAfter && { startAfter: options.startAfter }),
    });
    // Delivered when the transaction commits, to every node, this one included.
    await tx`select pg_notify(${JOB_CHANNEL}, ${kind.name})`;
  }

  listen(onQueue: (name: string) => void, onConnected: () => void) {
    return this.#database.driver.listen(JOB_CHANNEL, onQueue, onConnected);
  }

  async fetch(queue: string, count: number): Promise<Fetched[]> {
    const jobs = await this.#boss.fetch<{ payload?: unknown } | null>(queue, {
      batchSize: count,
      includeMetadata: true,
    });
    return jobs.map((job) => toFetched(queue, job));
  }

  async complete({ queue, id, retryCount }: Attempt): Promise<void> {
    await this.#boss.complete(queue, { id, retryCount });
  }

  /** Goes back to wait for its next try, or ends when it was the last. */
  async fail({ queue, id, retryCount }: Attempt, message: string): Promise<void> {
    await this.#boss.fail(queue, { id, retryCount }, { message });
  }

  /** Back to the queue; the try that was begun does not count. */
  async release({ queue, id, retryCount }: Attempt): Promise<void> {
    await this.#database.sql`
      update pgboss.job set state = 'retry', started_on = null, heartbeat_on = null, start_after = now()
      where name = ${queue} and id = ${id}::uuid and state = 'active' and retry_count = ${retryCount}`;
    await this.#database.sql`select pg_notify(${JOB_CHANNEL}, ${queue})`;
  }

  /** False when the try is no longer ours. */
  async renew({ queue, id, retryCount }: Attempt): Promise<boolean> {
    const rows = await this.#database.sql`
      update pgboss.job set heartbeat_on = now()
      where name = ${queue} and id = ${id}::uuid and state = 'active' and retry_count = ${retryCount}
      returning 1 as one`;
    return rows.length > 0;
  }

  /** The queues among these in which a job could start now. */
  async readyQueues(queues: readonly string[]): Promise<string[]> {
    const rows = await this.#database.sql<{ name: string }>`
      select q.name from unnest(${this.#database.sql.array(queues, 'text')}::text[]) q (name)
      where exists (select 1 from pgboss.job j where j.name = q.name and j.state < 'active'
        and not j.blocked and j.start_after < now())`;
    return rows.map(({ name }) => name);
  }

  /** Jobs whose worker has let their lease run out: each loses a try. pg-boss looks only once a minute. */
  async takeOverLapsed(queues: readonly string[]): Promise<number> {
    const rows = await this.#database.sql<ActiveRow>`
      select name, id, retry_count from pgboss.job
      where name = any(${this.#database.sql.array(queues, 'text')}) and state = 'active'
        and heartbeat_on + heartbeat_seconds * interval '1 second' < now()
      limit ${TAKEOVER_BATCH}`;
    for (const row of rows) await this.fail(attemptOf(row), 'the worker has died');
    return rows.length;
  }

  /**
   * Every active job, for a start at which no other process can live. Each loses the try that was begun, so that
   * a job that kills its process cannot do so for ever.
   */
  async takeOverAll(): Promise<number> {
    await this.open();
    const rows = await this.#database.sql<ActiveRow>`
      select name, id, retry_count from pgboss.job where state = 'active' and name not like '\\_\\_pgboss\\_\\_%'`;
    for (const row of rows) await this.fail(attemptOf(row), 'the process has died');
    await this.#database.sql`
      update pgboss.job set start_after = now()
      where state = 'retry' and id = any(${rows.map(({ id }) => id)}::uuid[])`;
    return rows.length;
  }

  /** Keeps exactly these schedules of ours. */
  async setSchedules(schedules: ReadonlyMap<string, string>): Promise<void> {
    for (const { name } of await this.#boss.getSchedules()) {
      if (!schedules.has(name)) await this.#boss.unschedule(name);
    }
    for (const [name, cron] of schedules) await this.#boss.schedule(name, cron, null, { tz: 'UTC' });
  }
}

interface ActiveRow {
  readonly name: string;
  readonly id: string;
  readonly retry_count: number;
}

const attemptOf = (row: ActiveRow): Attempt => ({ queue: row.name, id: row.id, retryCount: row.retry_count });

function toFetched(queue: string, job: JobWithMetadata<{ payload?: unknown } | null>): Fetched {
  return {
    queue,
    id: job.id,
    retryCount: job.retryCount,
    // A schedule sends its jobs without a payload.
    payload: job.data?.payload,
    lastTry: job.retryCount >= job.retryLimit,
  };
}
