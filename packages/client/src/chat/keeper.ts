import { type Deferred, deferred } from './deferred.ts';
import type { OnError } from './observable.ts';
import type { ChatStore, StoreChange } from './store.ts';

/**
 * Writes to the store, one write at a time; what comes meanwhile is gathered for the next. When the store fails it is left
 * alone from then on, and the chat goes on from memory: what the store still holds may be sent a second time by a later run,
 * with the same numbers, and the server knows those.
 */
export class Keeper {
  readonly #store: ChatStore;
  readonly #onBroken: OnError;
  #waiting: { changes: StoreChange[]; done: Deferred<void> } | undefined;
  #running: Promise<void> | undefined;
  #isBroken = false;
  #hasEnded = false;

  constructor(store: ChatStore, onBroken: OnError) {
    this.#store = store;
    this.#onBroken = onBroken;
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Resolves when it is durable, or when nothing will be any more. */
  write(changes: readonly StoreChange[]): Promise<void> {
    if (this.#isBroken || this.#hasEnded) return Promise.resolve();
    this.#waiting ??= { changes: [], done: deferred() };
    this.#waiting.changes.push(...changes);
    const { promise } = this.#waiting.done;
    this.#running ??= this.#run();
    return promise;
  }

  /** Resolves when everything given so far is written; nothing is from then on. */
  async end(): Promise<void> {
    await this.#running;
    this.#hasEnded = true;
  }

  async #run(): Promise<void> {
    // What the same turn still brings goes into the first write.
    await Promise.resolve();
    for (let next = this.#waiting; next !== undefined; next = this.#waiting) {
      this.#waiting = undefined;
      try {
        if (!this.#isBroken) await this.#store.write(next.changes);
      } catch (error) {
        this.#isBroken = true;
        this.#onBroken(error);
      }
      next.done.resolve();
    }
    this.#running = undefined;
  }
}
