import { AppError } from '../../../kernel/errors.ts';
import { type PreparedSend, Preparer } from './prepare.ts';
import { overloaded, Shard } from './shard.ts';
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
 * A conversation belongs to one shard, so that what comes on this node is stored in the order in which it came. Sends with a
 * number are given to the store again when their outcome is unknown; others are answered with the error.
 *
 * Errors: `not-found`, `blocked`, `message-invalid`, `quote-unknown`, `chain-conflict`, `out-of-turn` (with where the chain goes
 * on), `invalid-request`, `overloaded`, `shutting-down`; `database-unavailable`, `timeout`, `internal` (outcome unknown).
 */
export class Committer implements Commits {
  readonly #shards: readonly Shard[];
  readonly #preparer = new Preparer();
  #isStopping = false;

  constructor(deps: CommitterDeps, options: Partial<CommitterOptions> = {}) {
    const all = { ...defaultOptions, ...options };
    this.#shards = Array.from({ length: all.shards }, () => new Shard(deps, all));
  }

  submit(draft: Draft, listener: SendListener): void {
    const error = this.#take(draft, listener);
    if (error) queueMicrotask(() => listener.refused(error));
  }

  #take(draft: Draft, listener: SendListener): AppError | undefined {
    if (this.#isStopping) return shuttingDown();
    let send: PreparedSend;
    try {
      send = this.#preparer.prepare(draft);
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
    return this.#add(send, listener);
  }

  /** As `submit`, of what another process has looked at already. */
  submitPrepared(send: PreparedSend, listener: SendListener): void {
    const error = this.#isStopping ? shuttingDown() : this.#add(send, listener);
    if (error) queueMicrotask(() => listener.refused(error));
  }

  #add(send: PreparedSend, listener: SendListener): AppError | undefined {
    const shard = this.#shards[hash(send.conversationId) % this.#shards.length];
    return shard?.add(send, listener) ? undefined : overloaded();
  }

  send(draft: Draft): Promise<Receipt> {
    return new Promise((stored, refused) => this.submit(draft, { stored, refused }));
  }

  /** Sends that wait for their batch. */
  get waiting(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.waiting, 0);
  }

  /** Takes nothing new, and resolves when everything is answered. */
  async drain(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#shards.map((shard) => shard.drain()));
  }

  async leave(): Promise<void> {
    // Nobody else sends here.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }
}

export const shuttingDown = () => new AppError('shutting-down', { retryAfterSeconds: 1 });

/** The low bits of ids are those of a counter that is mostly zero: mixed, so that conversations spread. */
function hash(id: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) value = Math.imul(value ^ id.charCodeAt(i), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}
