import { AppError } from '../../../kernel/errors.ts';
import { CommitQueue, overloaded } from './commit-queue.ts';
import { type PreparedSend, Preparer } from './prepare.ts';
import {
  type Commits,
  type CommitterDeps,
  type CommitterOptions,
  type Draft,
  defaultOptions,
  type Receipt,
  type SendListener,
} from './types.ts';

/**
 * What is said comes in here, and is answered when it is durable.
 *
 * What comes on this node is stored in the order in which it came. Sends with a number are given to the store again when their
 * outcome is unknown; others are answered with the error.
 *
 * Errors: `not-found`, `blocked`, `message-invalid`, `quote-unknown`, `chain-conflict`, `out-of-turn` (with where the chain goes
 * on), `invalid-request`, `overloaded`, `shutting-down`; `database-unavailable`, `timeout`, `internal` (outcome unknown).
 */
export class Committer implements Commits {
  readonly #queue: CommitQueue;
  readonly #preparer = new Preparer();
  #isStopping = false;

  constructor(deps: CommitterDeps, options: Partial<CommitterOptions> = {}) {
    this.#queue = new CommitQueue(deps, { ...defaultOptions, ...options });
  }

  submit(draft: Draft, listener: SendListener): void {
    const error = this.#take(draft, listener);
    if (error) queueMicrotask(() => listener.refused(error));
  }

  #take(draft: Draft, listener: SendListener): AppError | undefined {
    if (this.#isStopping) return shuttingDown();
    const send = this.#preparer.prepare(draft);
    return send instanceof AppError ? send : this.#add(send, listener);
  }

  /** As `submit`, of what another process has looked at already. */
  submitPrepared(send: PreparedSend, listener: SendListener): void {
    const error = this.#isStopping ? shuttingDown() : this.#add(send, listener);
    if (error) queueMicrotask(() => listener.refused(error));
  }

  #add(send: PreparedSend, listener: SendListener): AppError | undefined {
    return this.#queue.add(send, listener) ? undefined : overloaded();
  }

  send(draft: Draft): Promise<Receipt> {
    return new Promise((stored, refused) => this.submit(draft, { stored, refused }));
  }

  /** Sends that wait for their batch. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  readonly owners = 1;

  /** Takes nothing new, and resolves when everything is answered. */
  async drain(): Promise<void> {
    this.#isStopping = true;
    await this.#queue.drain();
  }

  async leave(): Promise<void> {
    // Nobody else sends here.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }
}

export const shuttingDown = () => new AppError('shutting-down', { retryAfterSeconds: 1 });
