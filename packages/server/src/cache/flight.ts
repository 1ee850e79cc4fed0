import type { Clock } from '../kernel/clock.ts';
import type { EntryKey } from '../ports/cache-store/port.ts';

export interface Outcome<V> {
  readonly value: V | null;
  readonly isStale: boolean;
  /** The store has refused the value: a row changed while it was loaded. */
  readonly isVoid: boolean;
  readonly rows: readonly string[];
  /** Whoever came later wants a fresher one. */
  readonly freshUntilMs: number;
}

export type Settled<V> = { readonly outcome: Outcome<V> } | { readonly error: unknown };

/**
 * The work for one missing entry, shared by all callers in this process. When the last of them leaves, the work is
 * aborted; while one stays, it goes on.
 */
export class Flight<V> {
  readonly id: string;
  readonly key: EntryKey;
  readonly settled: Promise<Settled<V>>;
  readonly #settle: (settled: Settled<V>) => void;
  readonly #abort = new AbortController();
  /** The last value known, to be served marked stale when the rest takes too long. */
  stale: { readonly value: V } | undefined;
  /** When the reading that decides the outcome began: the node's tick, and the log's position. */
  sourceTick = Number.POSITIVE_INFINITY;
  sourcePosition = 0;
  #waiters = 0;
  isSettled = false;
  /** It is kept alive for the next reader, though nobody waits. */
  isGoingOn = false;

  constructor(id: string, key: EntryKey) {
    this.id = id;
    this.key = key;
    const { promise, resolve } = Promise.withResolvers<Settled<V>>();
    this.settled = promise;
    this.#settle = resolve;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  join(): void {
    this.#waiters += 1;
  }

  leave(): void {
    this.#waiters -= 1;
    if (this.#waiters === 0 && !this.isSettled) {
      this.#abort.abort(new DOMException('Nobody waits for it any more', 'AbortError'));
    }
  }

  finish(outcome: Outcome<V>): void {
    this.isSettled = true;
    this.#settle({ outcome });
  }

  fail(error: unknown): void {
    this.isSettled = true;
    this.#settle({ error });
  }
}

/** One signal for the work of several flights: aborted when all of them are. */
export function signalOfAll(flights: readonly { readonly signal: AbortSignal }[]): AbortSignal {
  const controller = new AbortController();
  let left = flights.length;
  const onAbort = () => {
    left -= 1;
    if (left === 0) controller.abort(flights[0]?.signal.reason);
  };
  for (const { signal } of flights) {
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  }
  return controller.signal;
}

export const late = Symbol('late');

/** What `work` answers, or `late` after `ms`. Rejects with the signal's reason when the caller gives up. */
export function within<T>(
  clock: Clock,
  work: Promise<T>,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<T | typeof late> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const timer = clock.after(Math.max(0, ms), () => {
      signal?.removeEventListener('abort', giveUp);
      resolve(late);
    });
    const end = () => {
      timer[Symbol.dispose]();
      signal?.removeEventListener('abort', giveUp);
    };
    const giveUp = () => {
      end();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    work.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error);
      },
    );
  });
}
