import { Counter, Gauge } from 'prom-client';
import type { Metrics } from '../kernel/metrics.ts';
import type { CacheSnapshot } from './snapshot.ts';
import type { CacheStats } from './stats.ts';

const counters: Readonly<Record<keyof CacheStats, string>> = {
  gets: 'Reads through the cache',
  level1Hits: 'Reads answered in this process',
  level2Hits: 'Entries found in the store',
  misses: 'Entries that neither level had fresh',
  coalesced: 'Reads that waited for work of another',
  nulls: 'Answers that there is no such thing',
  filtered: 'Answers that there is no such thing, from the filter of existing ids',
  staleServes: 'Stale values served, marked',
  loads: 'Loads from the truth',
  loadedIds: 'Ids in loads from the truth',
  loadFailures: 'Loads that failed',
  loadsAborted: 'Loads nobody waited for any more',
  loadsWithoutStore: 'Loads past the store',
  leasesGranted: 'Leases granted to this node',
  fillsVoided: 'Fills refused because the lease had been voided or had expired',
  leasesExpired: 'Leases that could not be renewed',
  leasesBusy: 'Times another held the lease',
  retries: 'Values taken back because a row changed on the way',
  decodeFailures: 'Entries that could not be decoded',
};

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The counters are plain numbers where they are counted; Prometheus gets them when it asks. */
export function exportMetrics(metrics: Metrics, snapshot: () => CacheSnapshot): void {
  for (const [name, help] of Object.entries(counters)) {
    new Counter({
      name: `hvideo_cache_${snakeCase(name)}_total`,
      help,
      labelNames: ['cache'],
      registers: [metrics.registry],
      collect() {
        this.reset();
        for (const { name: cache, ...counts } of snapshot().caches) {
          this.inc({ cache }, counts[name as keyof CacheStats]);
        }
      },
    });
  }
  const gauges: Readonly<Record<string, [help: string, read: (now: CacheSnapshot) => number]>> = {
    cache_level1_bytes: ['Bytes of the first level', ({ level1 }) => level1.bytes],
    cache_level1_entries: ['Entries of the first level', ({ level1 }) => level1.entries],
    cache_level1_evictions: ['Entries thrown out of the first level', ({ level1 }) => level1.evictions],
    cache_store_bytes: ['Bytes of the store, where it is in this process', ({ store }) => store.bytes ?? 0],
    cache_store_evictions: [
      'Entries thrown out of the store in this process',
      ({ store }) => store.evictions ?? 0,
    ],
    cache_store_failures: ['Calls to the store that failed', ({ store }) => store.failures],
    cache_store_missed_rows: [
      'Invalidations that the store has yet to be told',
      ({ store }) => store.missedRows,
    ],
    cache_hot_keys: ['Keys that are hot', ({ hotKeys }) => hotKeys.length],
    cache_loads_running: ['Loads under way', ({ loads }) => loads.running],
    cache_loads_waiting: ['Loads waiting for their turn', ({ loads }) => loads.waiting],
  };
  for (const [name, [help, read]] of Object.entries(gauges))
    metrics.gauge(name, help, () => read(snapshot()));
  new Gauge({
    name: 'hvideo_cache_store_breaker',
    help: '1 for the state that the circuit breaker of the store is in',
    labelNames: ['state'],
    registers: [metrics.registry],
    collect() {
      const { breaker } = snapshot().store;
      for (const state of ['closed', 'half-open', 'open']) this.set({ state }, state === breaker ? 1 : 0);
    },
  });
}
