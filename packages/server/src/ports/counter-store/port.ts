/**
 * The read copy of the counters: totals by subject and metric, so that a page of cards costs no query.
 *
 * Purpose: reads in microseconds. PostgreSQL holds the truth; losing this store loses nothing.
 *
 * Guarantees (each proven by `contract.ts`)
 * - `putNewer` keeps, for each key, the total with the greatest revision it was ever given, whatever the order and
 *   number of calls, also from several processes: a slow reader cannot put an old total over a newer one.
 * - `read` answers in the order asked; what the store does not have is undefined, never zero.
 * - A store that was emptied (restart, eviction) answers undefined, and is filled again by its readers.
 *
 * Units and limits: a total is a whole number, -2^53 < n < 2^53; a revision 0 <= n < 2^53; at most 2,000 keys a call.
 *
 * Errors: what the engine throws. Callers read the truth then.
 * Cost: one round trip a call.
 */
export interface CounterStore {
  read(keys: readonly CounterKey[], options?: CounterStoreOptions): Promise<(CounterTotal | undefined)[]>;
  putNewer(totals: readonly (CounterKey & CounterTotal)[], options?: CounterStoreOptions): Promise<void>;
}

export interface CounterKey {
  /** The id of what is counted about: decimal, as ids are. */
  readonly id: string;
  /** A small number that stands for what is counted: 0 to 255. */
  readonly metric: number;
}

export interface CounterTotal {
  readonly total: number;
  /** Grows with every change of the total in the truth. */
  readonly revision: number;
}

export interface CounterStoreOptions {
  readonly signal?: AbortSignal | undefined;
}
