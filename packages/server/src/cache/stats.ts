/** What one definition has done since the start. Plain numbers, because they are counted on the hottest path. */
export class CacheStats {
  gets = 0;
  level1Hits = 0;
  level2Hits = 0;
  /** Neither level had it fresh. */
  misses = 0;
  /** Callers that waited for work which another had begun. */
  coalesced = 0;
  /** Answers "does not exist" from either level or the truth. */
  nulls = 0;
  /** Answers "does not exist" from the filter. */
  filtered = 0;
  staleServes = 0;
  loads = 0;
  loadedIds = 0;
  loadFailures = 0;
  /** Loads nobody waited for any more. */
  loadsAborted = 0;
  /** Loads past the store, because it was away. */
  loadsWithoutStore = 0;
  leasesGranted = 0;
  /** Fills refused: the lease was voided by an invalidation, or had expired. */
  fillsVoided = 0;
  leasesExpired = 0;
  /** Somebody else held the lease. */
  leasesBusy = 0;
  /** Values taken back because a row changed while they were on the way. */
  retries = 0;
  decodeFailures = 0;
}

export type CacheCounts = { readonly [Name in keyof CacheStats]: number };
