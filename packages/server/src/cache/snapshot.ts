import type { CacheStoreStats } from '../ports/cache-store/port.ts';
import type { BreakerState } from './breaker.ts';
import type { CacheCounts } from './stats.ts';

/** What one node's cache has done since its start and what it holds now. */
export interface CacheSnapshot {
  readonly caches: readonly ({ readonly name: string } & CacheCounts)[];
  readonly level1: {
    readonly bytes: number;
    readonly entries: number;
    readonly evictions: number;
    /** False while messages of other nodes are missed: the level is then not used. */
    readonly isTrusted: boolean;
  };
  readonly store: CacheStoreStats & {
    readonly breaker: BreakerState;
    readonly timesOpened: number;
    readonly failures: number;
    /** Invalidations that it has yet to be told. */
    readonly missedRows: number;
  };
  readonly loads: { readonly running: number; readonly waiting: number };
  /** The hottest first. */
  readonly hotKeys: readonly { readonly key: string; readonly perSecond: number }[];
  readonly rememberedRows: number;
}
