import type { Observable } from './types.ts';

export type OnError = (error: unknown) => void;

/** Calls its listeners; one that throws disturbs neither the others nor the caller. */
export class Listeners<Args extends readonly unknown[]> {
  readonly #listeners = new Set<(...args: Args) => void>();
  readonly #onError: OnError;

  constructor(onError: OnError) {
    this.#onError = onError;
  }

  get size(): number {
    return this.#listeners.size;
  }

  add(listener: (...args: Args) => void): () => void {
    // Wrapped, so that the same function may be given twice and taken away once.
    const own = (...args: Args) => listener(...args);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  tell(...args: Args): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(...args);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}

/**
 * A snapshot that is made when somebody looks at it. Changes of one turn of the event loop are told once, after it, so that a
 * hundred messages that come together are one rendering.
 */
export class Cell<Snapshot> implements Observable<Snapshot> {
  readonly #make: () => Snapshot;
  readonly #listeners: Listeners<[]>;
  readonly #onWatched: ((isWatched: boolean) => void) | undefined;
  #snapshot: Snapshot | undefined;
  #isTelling = false;

  /** `onWatched` is told when the first listener comes and when the last one goes. */
  constructor(make: () => Snapshot, onError: OnError, onWatched?: (isWatched: boolean) => void) {
    this.#make = make;
    this.#listeners = new Listeners(onError);
    this.#onWatched = onWatched;
  }

  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    const remove = this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#onWatched?.(true);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      remove();
      if (this.#listeners.size === 0) this.#onWatched?.(false);
    };
  };

  readonly snapshot = (): Snapshot => {
    this.#snapshot ??= this.#make();
    return this.#snapshot;
  };

  change(): void {
    this.#snapshot = undefined;
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      this.#listeners.tell();
    });
  }
}

/** Looks after each change until it holds; rejects with the reason of the signal. */
export function untilHolds(
  source: Observable<unknown>,
  holds: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = source.subscribe(() => look());
    const end = (settle: () => void) => {
      stop();
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = () => end(() => reject(signal.reason));
    const look = () => {
      if (holds()) end(resolve);
    };
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else look();
  });
}
