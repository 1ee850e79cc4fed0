import type { Dependency } from './dependency.ts';
import type { Existence } from './existence.ts';

export interface CacheDefinition<V> {
  /** Unique; a part of every key. */
  readonly name: string;
  /** To be raised when what `encode` writes changes its shape: older entries are then not seen any more. */
  readonly version?: number;
  /** How old a value may be when it is served unmarked. Counted from before its load, so that no delay adds to it. */
  readonly freshMs: number;
  /** How much longer it is kept, to be served marked stale when the truth fails or is slow. */
  readonly staleMs: number;
  /** As `freshMs`, for "there is no such thing"; 5 s at most unless given. */
  readonly nullMs?: number;
  /** Every dependency that `owner` and `contains` use. */
  readonly dependencies: readonly Dependency[];
  /** The row (or rows named together) that the entry is about; known before it is loaded. */
  readonly owner: (id: string) => string;
  /** What else the value is made of: at most 500 rows. */
  readonly contains?: (value: V, id: string) => readonly string[];
  /** Reads the truth for up to `maxBatch` ids, from the primary; an id without a value does not exist. */
  readonly load: (ids: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, V>>;
  /** JSON unless given. What a caller gets has always been through both. */
  readonly encode?: (value: V) => Uint8Array;
  readonly decode?: (bytes: Uint8Array) => V;
  /** Bytes that a decoded value takes in this process; three times its encoded size unless given. */
  readonly weigh?: (value: V) => number;
  /** Ids that surely do not exist are answered without a read. */
  readonly exists?: Existence;
  readonly maxBatch?: number;
  /**
   * Kept in each process from the first read on, for as long as it is fresh, and not only while it is hot: for what
   * every request of somebody needs. What a lost invalidation may cost is then `freshMs`.
   */
  readonly isResident?: boolean;
  /** How long a caller waits before it takes the stale value, if there is one. */
  readonly slowMs?: number;
  /** How long a caller waits at most, unless it says otherwise. */
  readonly withinMs?: number;
}

export interface GetOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long to wait at most; then the stale value, or `timeout`. */
  readonly withinMs?: number;
  /** `refuse`: rather fail than take a stale value. */
  readonly stale?: 'allow' | 'refuse';
}

export interface Cached<V> {
  /** Shared with other callers: never to be modified. Null when it does not exist. */
  readonly value: V | null;
  readonly isStale: boolean;
}

/** With its defaults. */
export type ResolvedDefinition<V> = Required<Omit<CacheDefinition<V>, 'exists' | 'weigh'>> &
  Pick<CacheDefinition<V>, 'exists' | 'weigh'>;

const none: readonly string[] = [];

export function resolveDefinition<V>(definition: CacheDefinition<V>): ResolvedDefinition<V> {
  if (!/^[a-z0-9-]{1,40}$/.test(definition.name)) throw new Error(`bad name of a cache: ${definition.name}`);
  return {
    version: 1,
    nullMs: Math.min(definition.freshMs, 5_000),
    contains: () => none,
    encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
    maxBatch: 100,
    isResident: false,
    slowMs: 100,
    withinMs: 2_000,
    ...definition,
  };
}
