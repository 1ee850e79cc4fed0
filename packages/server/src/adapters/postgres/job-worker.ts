import type { Logger } from 'pino';
import type { Clock } from '../../kernel/clock.ts';
import type { Job, JobKind } from '../../ports/job-queue/port.ts';
import type { Attempt, BossStore, Fetched } from './boss-store.ts';

export interface JobWorkerOptions<T> {
  readonly kind: JobKind<T>;
  readonly store: BossStore;
  readonly log: Logger;
  readonly clock: Clock;
  readonly handler: (job: Job<T>) => Promise<void>;
}

interface Running {
  readonly job: Fetched;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

const SETTLE_TRIES = 5;

/** What the queue knows of a worker, whatever its payload. */
export type AnyJobWorker = Pick<JobWorker, 'free' | 'wake' | 'stop'> & {
  readonly kind: Pick<JobKind<unknown>, 'name' | 'retryLimit' | 'leaseSeconds' | 'concurrency'>;
};

/** Runs the jobs of one queue, at most `concurrency` at a time. It sleeps until it is woken. */
export class JobWorker<T = unknown> {
  readonly kind: JobKind<T>;
  readonly #options: JobWorkerOptions<T>;
  readonly #running = new Map<string, Running>();
  #fetching: Promise<void> | undefined;
  #wokenWhileFetching = false;
  #stopping = false;

  constructor(options: JobWorkerOptions<T>) {
    this.kind = options.kind;
    this.#options = options;
  }

  get free(): number {
    return this.#stopping ? 0 : this.kind.concurrency - this.#running.size;
  }

  wake(): void {
    if (this.free === 0) return;
    if (this.#fetching) {
      this.#wokenWhileFetching = true;
      return;
    }
    this.#wokenWhileFetching = false;
    this.#fetching = this.#fetch().finally(() => {
      this.#fetching = undefined;
      if (this.#wokenWhileFetching) this.wake();
    });
  }

  async #fetch(): Promise<void> {
    try {
      const jobs = await this.#options.store.fetch(this.kind.name, this.free);
      for (const job of jobs) this.#start(job);
    } catch (error) {
      // The poll wakes this worker again.
      this.#options.log.warn({ err: error, queue: this.kind.name }, 'no job could be fetched');
    }
  }

  #start(job: Fetched): void {
    const abort = new AbortController();
    const done = this.#run(job, abort).finally(() => {
      this.#running.delete(job.id);
      this.wake();
    });
    this.#running.set(job.id, { job, abort, done });
  }

  async #run(job: Fetched, abort: AbortController): Promise<void> {
    const { log, handler } = this.#options;
    const about = { queue: job.queue, job: job.id, retry: job.retryCount };
    if (this.#stopping) return this.#settle(job, () => this.#options.store.release(job));
    using _renewal = this.#keepLease(job, abort);
    try {
      const { id, retryCount, lastTry } = job;
      // The payload was written by `enqueue` of the same kind.
      await handler({ id, payload: job.payload as T, retryCount, lastTry, signal: abort.signal });
    } catch (error) {
      if (this.#stopping && abort.signal.aborted) {
        return this.#settle(job, () => this.#options.store.release(job));
      }
      log[job.lastTry ? 'error' : 'warn']({ ...about, err: error, lastTry: job.lastTry }, 'a job failed');
      const message = error instanceof Error ? error.message : String(error);
      return this.#settle(job, () => this.#options.store.fail(job, message));
    }
    return this.#settle(job, () => this.#options.store.complete(job));
  }

  /** Renews every third of the lease; when it is surely lost, the handler is told to end. */
  #keepLease(job: Fetched, abort: AbortController): Disposable {
    const { clock, log, store } = this.#options;
    const leaseMs = this.kind.leaseSeconds * 1_000;
    let renewedAtMs = clock.monotonicMs();
    return clock.every(leaseMs / 3, async () => {
      const askedAtMs = clock.monotonicMs();
      try {
        if (await store.renew(job)) renewedAtMs = askedAtMs;
        else abort.abort(new Error('the job belongs to another worker'));
      } catch (error) {
        log.warn({ err: error, queue: job.queue, job: job.id }, 'the lease of a job could not be renewed');
        if (clock.monotonicMs() - renewedAtMs > leaseMs) abort.abort(error);
      }
    });
  }

  /** When this fails for good, the lease runs out and the job is done again: at least once is the promise. */
  async #settle(job: Attempt, write: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await write();
      } catch (error) {
        if (attempt === SETTLE_TRIES) {
          this.#options.log.error(
            { err: error, queue: job.queue, job: job.id },
            'the end of a job was not kept',
          );
          return;
        }
        await this.#options.clock.sleep(100 * 2 ** attempt);
      }
    }
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    await this.#fetching;
    const running = [...this.#running.values()];
    for (const { abort } of running) abort.abort(new Error('the worker is stopping'));
    const patience = new AbortController();
    await Promise.race([
      Promise.all(running.map(({ done }) => done)),
      this.#options.clock.sleep(graceMs, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
    for (const { job } of this.#running.values()) {
      this.#options.log.warn({ queue: job.queue, job: job.id }, 'a job ignored that it should end');
      await this.#settle(job, () => this.#options.store.release(job));
    }
  }
}
