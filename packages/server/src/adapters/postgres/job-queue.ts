import type { Logger } from 'pino';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import type { Sql } from '../../ports/database/port.ts';
import type { EnqueueOptions, Job, JobKind, JobQueue } from '../../ports/job-queue/port.ts';
import { BossStore } from './boss-store.ts';
import type { PostgresDatabase } from './database.ts';
import { type AnyJobWorker, JobWorker } from './job-worker.ts';

export interface PostgresJobQueue extends JobQueue, AsyncDisposable {
  /**
   * Makes the tables and queues when they are missing, then starts the handlers. Without `work`, only enqueues.
   * `enqueue` before it works too, and is slower the first time.
   */
  start(): Promise<void>;
  /**
   * Takes over every job that was being worked on, at once. Only where no other process can live: under the data
   * lock of the embedded profile, before `start`. Returns how many.
   */
  reclaimAll(): Promise<number>;
  /** Aborts the handlers, waits for them at most `graceMs` (5 s), and gives their jobs back. */
  stop(options?: { graceMs?: number }): Promise<void>;
}

export interface JobQueueOptions {
  readonly database: PostgresDatabase;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Whether this process runs handlers; true when absent. */
  readonly work?: boolean;
}

/** Finds jobs whose time has come, and what a lost notification has missed. */
const POLL_MS = 1_000;
const TAKE_OVER_MS = 5_000;
const GRACE_MS = 5_000;
/** A tick that is missed while no node lives is not made up for, so one retry is plenty. */
const SCHEDULE_KIND = { retryLimit: 1, leaseSeconds: 60, concurrency: 1 };

export function openJobQueue(options: JobQueueOptions): PostgresJobQueue {
  return new BossJobQueue(options);
}

class BossJobQueue implements PostgresJobQueue {
  readonly #store: BossStore;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #work: boolean;
  readonly #workers = new Map<string, AnyJobWorker>();
  readonly #schedules = new Map<string, string>();
  readonly #timers: Disposable[] = [];
  #subscription: { unlisten(): Promise<void> } | undefined;
  #background: Promise<void> = Promise.resolve();
  #state: 'new' | 'running' | 'stopped' = 'new';

  constructor(options: JobQueueOptions) {
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#work = options.work ?? true;
    this.#store = new BossStore(options.database, options.log, this.#work);
  }

  enqueue<T>(tx: Sql, kind: JobKind<T>, payload: T, options: EnqueueOptions = {}): Promise<void> {
    return this.#store.send(tx, kind, payload, options);
  }

  handle<T>(kind: JobKind<T>, handler: (job: Job<T>) => Promise<void>): void {
    if (this.#state !== 'new') throw new Error('handlers are registered before the queue starts');
    if (this.#workers.has(kind.name)) throw new Error(`the queue ${kind.name} has a handler already`);
    if (kind.leaseSeconds < 10) throw new Error(`the lease of ${kind.name} must be at least 10 s`);
    const worker = new JobWorker({ kind, store: this.#store, log: this.#log, clock: this.#clock, handler });
    this.#workers.set(kind.name, worker);
  }

  schedule(name: string, cron: string, handler: (signal: AbortSignal) => Promise<void>): void {
    this.handle({ name, ...SCHEDULE_KIND }, ({ signal }) => handler(signal));
    this.#schedules.set(name, cron);
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    await this.#store.open();
    if (!this.#work) return;
    for (const { kind } of this.#workers.values()) await this.#store.ensureQueue(kind);
    await this.#store.setSchedules(this.#schedules);
    this.#subscription = await this.#store.listen(
      (name) => this.#workers.get(name)?.wake(),
      () => this.#wakeAll(),
    );
    this.#every(POLL_MS, () => this.#poll());
    this.#every(TAKE_OVER_MS, () => this.#takeOver());
    this.#wakeAll();
  }

  /** A database that is away is told once a turn; the next turn tries again. */
  #every(ms: number, run: () => Promise<void>): void {
    const turn = async () => {
      if (this.#state !== 'running') return;
      try {
        await run();
      } catch (error) {
        this.#log.warn({ err: error }, 'the job queue cannot reach the database');
      }
    };
    this.#timers.push(
      this.#clock.every(ms, () => {
        this.#background = this.#background.then(turn);
        return this.#background;
      }),
    );
  }

  async #poll(): Promise<void> {
    const free = [...this.#workers.values()].filter((worker) => worker.free > 0);
    if (free.length === 0) return;
    const ready = await this.#store.readyQueues(free.map(({ kind }) => kind.name));
    for (const name of ready) this.#workers.get(name)?.wake();
  }

  async #takeOver(): Promise<void> {
    const lapsed = await this.#store.takeOverLapsed([...this.#workers.keys()]);
    if (lapsed > 0) this.#log.warn({ jobs: lapsed }, 'took over jobs of a worker that has died');
  }

  #wakeAll(): void {
    for (const worker of this.#workers.values()) worker.wake();
  }

  reclaimAll(): Promise<number> {
    return this.#store.takeOverAll();
  }

  async stop({ graceMs = GRACE_MS }: { graceMs?: number } = {}): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    for (const timer of this.#timers) timer[Symbol.dispose]();
    await this.#subscription?.unlisten();
    await this.#background;
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop(graceMs)));
    await this.#store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
