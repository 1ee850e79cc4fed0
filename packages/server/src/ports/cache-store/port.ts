/**
 * The second level of the cache: entries shared by all nodes, filled under leases.
 *
 * Purpose: one loader for a missing entry across all nodes, and no way for a slow loader to leave an old value behind
 * (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, section 3.2.1).
 *
 * An entry depends on rows. Its **owner** is known before it is loaded; the rows that it **contains** only afterwards.
 *
 * Guarantees (each is a test of `contract.ts`)
 * - Lease: while one is alive for a key, nobody else is granted one for it. It is alive until it is filled, released,
 *   voided, or `leaseMs` after it was granted or last renewed. A token is never granted twice.
 * - Voiding: `invalidate` voids every lease whose owner is among the rows, whoever holds it, and a new one can be had
 *   at once. `fill` writes only under a living lease; it also refuses when a row that the value contains was
 *   invalidated after the lease was granted (where clocks differ, up to a second before as well).
 * - Invalidation: once `invalidate` has resolved, no `read` that starts later answers `hit` for an entry that was
 *   loaded before and owned by or containing one of the rows, however many of them there are. What was there may still
 *   come back as `stale`.
 * - Freshness: no `hit` later than `freshForMs` after the grant of the lease, however long the fill was on its way.
 * - Generation: a store that has lost writes which it had acknowledged (emptied, restarted from an old file, replaced
 *   by a replica) answers no `hit` for what was filled before, and `fill` no lease granted before. `forgetAll` does
 *   the same on request.
 * - Atomicity: each key on its own. Nothing is promised about two keys, or two rows, together.
 * - Durability: none. Losing an entry costs a load.
 *
 * Units and limits: a key or row is at most 500 characters, a value at most `MAX_VALUE_BYTES`, an entry contains at
 * most `MAX_ROWS` rows; a load may take `MAX_LOAD_MS` from the grant of its lease to its fill. A larger value or a
 * later fill is answered `void`. Memory is bounded by the adapter; what is thrown out is a miss.
 * Errors: `timeout` (outcome unknown) when the store cannot be reached. An abort rejects with the signal's reason;
 * what was sent may still take effect (a lease then ends by itself).
 * Cost: one round trip for any number of keys; one more for entries that contain rows.
 */
export interface CacheStore {
  /** What there is; where there is nothing fresh and `lease` is given, also the right to load it, or `busy`. */
  read(
    keys: readonly EntryKey[],
    lease: LeaseRequest | undefined,
    options?: CacheStoreOptions,
  ): Promise<ReadResult[]>;
  /** Prolongs leases by `leaseMs` from now; false for one that is not alive any more. */
  renew(leases: readonly Lease[], leaseMs: number, options?: CacheStoreOptions): Promise<boolean[]>;
  fill(fills: readonly Fill[], options?: CacheStoreOptions): Promise<FillResult[]>;
  /** Gives leases back, so that the next reader gets them. True where somebody was told `busy` meanwhile. */
  release(leases: readonly Lease[], options?: CacheStoreOptions): Promise<boolean[]>;
  invalidate(rows: readonly string[], options?: CacheStoreOptions): Promise<void>;
  /** Everything counts as cold from now on. */
  forgetAll(options?: CacheStoreOptions): Promise<void>;
  /** Keeps a value to be served marked stale, outside of any lease; null takes it away. Last write wins. */
  keep(keys: readonly EntryKey[], value: readonly (Uint8Array | null)[], forMs: number): Promise<void>;
  /** What `keep` has kept. */
  recall(keys: readonly EntryKey[], options?: CacheStoreOptions): Promise<(Uint8Array | undefined)[]>;
  /** For operators: what the store knows about itself without a round trip. */
  stats(): CacheStoreStats;
}

export interface EntryKey {
  readonly key: string;
  /** The row that the entry is about: known before the load. */
  readonly owner: string;
}

export interface LeaseRequest {
  readonly leaseMs: number;
}

export interface Lease extends EntryKey {
  readonly token: string;
}

/** `null` says that the row does not exist. */
export type StoredValue = Uint8Array | null;

export type ReadResult =
  | {
      readonly kind: 'hit';
      readonly value: StoredValue;
      /** At least this much of its freshness was left when the store answered. */
      readonly freshForMs: number;
      readonly contains: readonly string[];
    }
  | { readonly kind: 'lease'; readonly token: string; readonly stale: Stale | undefined }
  | { readonly kind: 'busy'; readonly stale: Stale | undefined }
  | { readonly kind: 'miss'; readonly stale: Stale | undefined };

export interface Stale {
  readonly value: StoredValue;
}

export interface Fill extends Lease {
  readonly value: StoredValue;
  /** Counted from the grant of the lease. */
  readonly freshForMs: number;
  /** How long after the end of its freshness it can still come back as `stale`. */
  readonly staleForMs: number;
  readonly contains: readonly string[];
  /** At least the time since the call that granted the lease was begun. */
  readonly ageMs: number;
}

export interface FillResult {
  readonly kind: 'filled' | 'void';
  /** Somebody was told `busy` since the lease was granted. */
  readonly isAwaited: boolean;
}

export interface CacheStoreOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface CacheStoreStats {
  readonly bytes: number | undefined;
  readonly entries: number | undefined;
  readonly evictions: number | undefined;
  readonly isConnected: boolean;
}

export const MAX_VALUE_BYTES = 1 << 20;
export const MAX_ROWS = 500;
export const MAX_LOAD_MS = 30_000;
