import type { Sql } from '../database/port.ts';

/**
 * Durable work that outlives the process that asked for it.
 *
 * Guarantees
 * - Durability: a job enqueued in a transaction exists if and only if that transaction commits.
 * - Delivery: at least once; a handler must be idempotent. A job whose worker dies is taken over when its lease has
 *   run out; a live worker renews the lease.
 * - Ordering: none between jobs; those with a higher priority start first.
 * - A job with a `key` is not doubled while one with that key waits.
 *
 * Units and limits: payloads are JSON, at most 64 KiB. Retries back off exponentially with jitter and end.
 * Abort: stopping the worker aborts the handler's signal; the job goes back to the queue without losing a try.
 */
export interface JobQueue {
  enqueue<T>(tx: Sql, queue: JobKind<T>, payload: T, options?: EnqueueOptions): Promise<void>;
  /** Registers the handler; it starts being called when the worker role starts. */
  handle<T>(queue: JobKind<T>, handler: (job: Job<T>) => Promise<void>): void;
  /** Runs `handler` on one node at each tick of a cron expression in UTC, at minute grain. */
  schedule(name: string, cron: string, handler: (signal: AbortSignal) => Promise<void>): void;
}

export interface JobKind<T> {
  readonly name: string;
  readonly retryLimit: number;
  /** How long a job may go on without a renewal of its lease, at least 10. */
  readonly leaseSeconds: number;
  readonly concurrency: number;
  /** Never set; carries the payload's type. */
  readonly payload?: T;
}

export interface EnqueueOptions {
  readonly startAfter?: Date | undefined;
  readonly priority?: number;
  readonly key?: string;
}

export interface Job<T> {
  readonly id: string;
  readonly payload: T;
  /** 0 on the first try. */
  readonly retryCount: number;
  readonly lastTry: boolean;
  readonly signal: AbortSignal;
}
