import type { CacheReport, OperationsReport } from '@hvideo/protocol';
import type { Cache, CacheSnapshot, Existence } from '../cache/index.ts';
import type { ChangeFeed } from '../ports/change-feed/port.ts';
import { VERSION } from './version.ts';

const maxHotKeys = 50;

export interface OperationsSources {
  readonly cache: Cache;
  readonly exists: Existence;
  readonly changes: ChangeFeed;
}

/** How this process is doing. */
export function operationsReport({ cache, exists, changes }: OperationsSources): OperationsReport {
  const { caches, level1, store, loads, hotKeys } = cache.snapshot();
  const feed = changes.status();
  return {
    version: VERSION,
    uptimeSeconds: process.uptime(),
    memoryBytes: process.memoryUsage.rss(),
    caches: caches.map(cacheReport),
    level1: {
      bytes: level1.bytes,
      entries: level1.entries,
      evictions: level1.evictions,
      trusted: level1.isTrusted,
    },
    store: {
      connected: store.isConnected,
      breaker: store.breaker,
      failures: store.failures,
      missedRows: store.missedRows,
      bytes: store.bytes ?? null,
    },
    loads,
    hotKeys: [...hotKeys.slice(0, maxHotKeys)],
    existence: { ready: exists.isReady, size: exists.size },
    changeFeed: {
      state: feed.state,
      lagMs: feed.lagMs,
      lagBytes: feed.lagBytes ?? null,
      handledRows: feed.handledRows,
      timesRebuilt: feed.timesRebuilt,
      lastError: feed.lastError ?? null,
    },
  };
}

function cacheReport({ name, gets, ...counts }: CacheSnapshot['caches'][number]): CacheReport {
  const { level1Hits, level2Hits, misses, coalesced, filtered, staleServes } = counts;
  const { loads, loadFailures, loadsAborted } = counts;
  const { leasesGranted, leasesBusy, leasesExpired, fillsVoided } = counts;
  return {
    ...{ name, reads: gets, level1Hits, level2Hits, misses, coalesced, filtered, staleServes },
    ...{ loads, loadFailures, loadsAborted, leasesGranted, leasesBusy, leasesExpired, fillsVoided },
  };
}
