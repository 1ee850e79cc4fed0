import { CuckooFilter } from './cuckoo-filter.ts';

/** Changes of one table in the order of their commits. */
export interface ExistenceChanges {
  /** Where the batch ends in the feed; batches at or before one that was applied are skipped. */
  readonly position: bigint;
  /** Where the batch before it ended: when that was not seen, something is missing. */
  readonly previous: bigint;
  readonly inserted: readonly string[];
  readonly deleted: readonly string[];
  /** Every commit before this moment (Unix time) is in this batch or an earlier one. */
  readonly completeUntilMs: number;
}

export interface ExistenceOptions {
  /** Ids expected; the filter grows by being rebuilt. */
  readonly capacity: number;
  /** When an id was made; nobody can make one with an earlier time. */
  readonly createdMs: (id: string) => number | undefined;
  /** How long a transaction may take from making an id to its commit, and clocks may differ. */
  readonly marginMs: number;
}

/**
 * Which ids of a table surely do not exist. It never says so wrongly:
 * - only about ids that are older than everything the feed has told, by `marginMs`: a younger one may just be on its way;
 * - never while it is being built, after a gap in the feed, or when the filter is full: `unknown`;
 * - a deletion is applied only if the row surely was counted before, because deleting a stranger from a cuckoo filter
 *   may remove somebody else: batches count once (`position`), and deletions from before the end of the building scan
 *   are left out. What stays behind is a "maybe" for an id that is gone, which costs a load.
 */
export class Existence {
  readonly #options: ExistenceOptions;
  #filter: CuckooFilter | undefined;
  /** The filter being built, which takes inserts from the feed already. */
  #building: CuckooFilter | undefined;
  #position: bigint | undefined;
  #completeUntilMs = 0;
  #ignoreDeletionsUntil = 0n;
  #hasGap = false;
  answeredNo = 0;

  constructor(options: ExistenceOptions) {
    this.#options = options;
  }

  get state(): 'unknown' | 'building' | 'ready' {
    if (this.#building) return 'building';
    return this.#filter && !this.#filter.isFull ? 'ready' : 'unknown';
  }

  get size(): number {
    return this.#filter?.size ?? 0;
  }

  /** True only if there is no such row. */
  isSurelyAbsent(id: string): boolean {
    const filter = this.#filter;
    if (!filter || filter.isFull || this.#building) return false;
    const createdMs = this.#options.createdMs(id);
    if (createdMs === undefined || createdMs >= this.#completeUntilMs - this.#options.marginMs) return false;
    if (filter.has(id)) return false;
    this.answeredNo += 1;
    return true;
  }

  /** This node has just inserted it. The feed will tell it again. */
  addEarly(id: string): void {
    this.#add(id);
  }

  apply(changes: ExistenceChanges): void {
    const last = this.#position;
    if (last !== undefined && changes.position <= last) return;
    if (last !== undefined && changes.previous > last) this.gap();
    this.#position = changes.position;
    for (const id of changes.inserted) this.#add(id);
    if (changes.position > this.#ignoreDeletionsUntil && !this.#building && !this.#hasGap) {
      for (const id of changes.deleted) this.#filter?.delete(id);
    }
    if (!this.#hasGap) this.#completeUntilMs = Math.max(this.#completeUntilMs, changes.completeUntilMs);
  }

  /** Changes may have been missed: nothing is certain about ids from then on, until the next `rebuild`. */
  gap(): void {
    this.#hasGap = true;
  }

  /**
   * Reads all ids from the truth. `scan` must start after this node has begun to receive the feed; `endPosition` is asked
   * after the scan and answers the feed's position of that moment or later; `startedMs` is the database's time before
   * the scan.
   */
  async rebuild(
    scan: AsyncIterable<readonly string[]>,
    end: { position(): Promise<bigint>; readonly startedMs: number },
  ): Promise<void> {
    if (this.#building) throw new Error('it is being built');
    const building = new CuckooFilter(Math.max(this.#options.capacity, 2 * this.size));
    this.#building = building;
    this.#hasGap = false;
    try {
      for await (const ids of scan) for (const id of ids) building.add(id);
      this.#ignoreDeletionsUntil = await end.position();
      // A gap during the scan: what was inserted behind it may be missing.
      if (this.#hasGap) return;
      this.#filter = building;
      this.#completeUntilMs = Math.max(this.#completeUntilMs, end.startedMs);
    } finally {
      this.#building = undefined;
      // The old filter stays in use, and may have missed something before this attempt.
      if (this.#filter !== building) this.#hasGap = true;
    }
  }

  #add(id: string): void {
    this.#filter?.add(id);
    this.#building?.add(id);
  }
}
