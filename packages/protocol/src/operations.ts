import { z } from 'zod';
import { endpoint } from './endpoint.ts';

/** One cache since the start of the process that answers. */
export const CacheReport = z
  .object({
    name: z.string(),
    reads: z.int(),
    /** Answered in this process. */
    level1Hits: z.int(),
    /** Entries found in the store. */
    level2Hits: z.int(),
    misses: z.int(),
    /** Waited for work that another had begun. */
    coalesced: z.int(),
    /** Answered as absent by the filter of existing ids. */
    filtered: z.int(),
    staleServes: z.int(),
    loads: z.int(),
    loadFailures: z.int(),
    loadsAborted: z.int(),
    leasesGranted: z.int(),
    leasesBusy: z.int(),
    leasesExpired: z.int(),
    /** Fills refused because their row had changed meanwhile. */
    fillsVoided: z.int(),
  })
  .meta({ id: 'CacheReport' });
export type CacheReport = z.infer<typeof CacheReport>;

export const OperationsReport = z
  .object({
    version: z.string(),
    uptimeSeconds: z.number(),
    memoryBytes: z.int(),
    caches: z.array(CacheReport),
    level1: z.object({ bytes: z.int(), entries: z.int(), evictions: z.int(), trusted: z.boolean() }),
    store: z.object({
      connected: z.boolean(),
      /** Of the circuit breaker: `open` goes past the store. */
      breaker: z.enum(['closed', 'half-open', 'open']),
      failures: z.int(),
      /** Invalidations that it has yet to be told. */
      missedRows: z.int(),
      /** Null where the store is another process. */
      bytes: z.int().nullable(),
    }),
    loads: z.object({ running: z.int(), waiting: z.int() }),
    /** The hottest first, at most 50. */
    hotKeys: z.array(z.object({ key: z.string(), perSecond: z.number() })),
    existence: z.object({ ready: z.boolean(), size: z.int() }),
    changeFeed: z.object({
      state: z.enum(['stopped', 'connecting', 'waiting', 'rebuilding', 'leading', 'retrying', 'closed']),
      lagMs: z.number(),
      /** Null where it is not known. */
      lagBytes: z.number().nullable(),
      handledRows: z.int(),
      timesRebuilt: z.int(),
      lastError: z.string().nullable(),
    }),
  })
  .meta({ id: 'OperationsReport', description: 'How the process that answers is doing' });
export type OperationsReport = z.infer<typeof OperationsReport>;

export const operations = {
  report: endpoint({
    method: 'GET',
    path: '/operations',
    tag: 'operations',
    summary: 'How the server is doing: caches, hot keys, leases, stale answers, change feed',
    access: 'admin',
    limit: 'read',
    status: 200,
    response: OperationsReport,
  }),
};
