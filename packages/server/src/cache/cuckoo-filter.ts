const slotsPerBucket = 4;
const maxKicks = 500;

/**
 * A set that may say yes too often (about 3 in 100,000 at 16 bits) and never no to what is in it (Fan et al.,
 * "Cuckoo Filter: Practically Better Than Bloom", CoNEXT 2014): at that rate smaller than a Bloom filter, and a look at two
 * places in memory instead of a dozen.
 */
export class CuckooFilter {
  readonly #mask: number;
  readonly #slots: Uint16Array;
  #state = 0x2545f491;
  #size = 0;
  #hasRefused = false;
  /** The fingerprint that found no place, and its bucket: the filter is full, but has forgotten nobody. */
  #homeless: { fingerprint: number; bucket: number } | undefined;

  /** Room for `capacity` ids; more may or may not fit. */
  constructor(capacity: number) {
    const buckets = 2 ** Math.ceil(Math.log2(Math.max(2, capacity / slotsPerBucket / 0.9)));
    this.#mask = buckets - 1;
    this.#slots = new Uint16Array(buckets * slotsPerBucket);
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#slots.byteLength;
  }

  /** Stays true once an id was refused: its answers are then not to be trusted any more. */
  get isFull(): boolean {
    return this.#hasRefused || this.#homeless !== undefined;
  }

  /** False when there is no room: the id was not added, and a larger filter is needed. */
  add(id: string): boolean {
    if (this.#homeless) {
      this.#hasRefused = true;
      return false;
    }
    let { fingerprint, bucket } = this.#place(id);
    this.#size += 1;
    if (this.#insert(bucket, fingerprint)) return true;
    for (let kick = 0; kick < maxKicks; kick++) {
      bucket = this.#other(bucket, fingerprint);
      if (this.#insert(bucket, fingerprint)) return true;
      const at = bucket * slotsPerBucket + (this.#random() & (slotsPerBucket - 1));
      const evicted = this.#slots[at]!;
      this.#slots[at] = fingerprint;
      fingerprint = evicted;
    }
    this.#homeless = { fingerprint, bucket };
    return true;
  }

  has(id: string): boolean {
    const { fingerprint, bucket } = this.#place(id);
    const other = this.#other(bucket, fingerprint);
    if (this.#find(bucket, fingerprint) >= 0 || this.#find(other, fingerprint) >= 0) return true;
    const homeless = this.#homeless;
    return homeless?.fingerprint === fingerprint && (homeless.bucket === bucket || homeless.bucket === other);
  }

  #place(id: string): { fingerprint: number; bucket: number } {
    const hash = Bun.hash.xxHash64(id);
    const low = Number(hash & 0xffff_ffffn);
    // 1 to 65,535: 0 says "free".
    return { fingerprint: (Number(hash >> 48n) % 65_535) + 1, bucket: low & this.#mask };
  }

  /** Its own inverse, so that a fingerprint can move without its id being known. */
  #other(bucket: number, fingerprint: number): number {
    return (bucket ^ Math.imul(fingerprint, 0x5bd1e995)) & this.#mask;
  }

  #find(bucket: number, fingerprint: number): number {
    const from = bucket * slotsPerBucket;
    for (let at = from; at < from + slotsPerBucket; at++) if (this.#slots[at] === fingerprint) return at;
    return -1;
  }

  #insert(bucket: number, fingerprint: number): boolean {
    const at = this.#find(bucket, 0);
    if (at < 0) return false;
    this.#slots[at] = fingerprint;
    return true;
  }

  #random(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }
}
