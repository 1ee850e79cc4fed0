/** One value in this process. */
export interface Item<V> {
  readonly value: V | null;
  /** It is served only while it is fresh. */
  readonly isStale: false;
  /** Monotonic; not served afterwards. */
  readonly freshUntilMs: number;
  readonly rows: readonly string[];
  readonly bytes: number;
  /** When it last moved within its segment. */
  movedMs: number;
  isProtected: boolean;
  /** It was replaced, or something that it is made of has changed. */
  isGone: boolean;
  readonly remove: () => void;
}

/** A hit moves an item at most this often: the hottest path is then a look-up and a comparison. */
const moveEveryMs = 500;
const protectedShare = 0.8;
const itemOverheadBytes = 300;

/**
 * The first level: hot values of all definitions, in this process, bounded by bytes. A segmented LRU: what is put goes
 * on probation, a later hit moves it to the protected four fifths, whose oldest goes back on probation; the oldest on
 * probation is thrown out first. So a burst of new keys cannot drive out what has proved itself.
 */
export class LevelOne {
  readonly #maxBytes: number;
  readonly #probation = new Set<Item<unknown>>();
  readonly #protected = new Set<Item<unknown>>();
  readonly #byRow = new Map<string, Set<Item<unknown>>>();
  #probationBytes = 0;
  #protectedBytes = 0;
  evictions = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#probationBytes + this.#protectedBytes;
  }

  get size(): number {
    return this.#probation.size + this.#protected.size;
  }

  /** A shelf is one definition's part: values by id. All shelves share the bytes. */
  shelf<V>(): Shelf<V> {
    return new Shelf<V>(this);
  }

  add(item: Item<unknown>): void {
    if (item.bytes > this.#maxBytes / 10) {
      item.remove();
      return;
    }
    this.#probation.add(item);
    this.#probationBytes += item.bytes;
    for (const row of item.rows) {
      const items = this.#byRow.get(row);
      if (items) items.add(item);
      else this.#byRow.set(row, new Set([item]));
    }
    while (this.bytes > this.#maxBytes) {
      const [oldest = undefined] = this.#probation.size > 0 ? this.#probation : this.#protected;
      if (!oldest) return;
      this.drop(oldest);
      this.evictions += 1;
    }
  }

  touch(item: Item<unknown>, nowMs: number): void {
    if (nowMs - item.movedMs < moveEveryMs) return;
    item.movedMs = nowMs;
    if (item.isProtected) {
      this.#protected.delete(item);
      this.#protected.add(item);
      return;
    }
    if (!this.#probation.delete(item)) return;
    this.#probationBytes -= item.bytes;
    item.isProtected = true;
    this.#protected.add(item);
    this.#protectedBytes += item.bytes;
    while (this.#protectedBytes > this.#maxBytes * protectedShare) {
      const [oldest] = this.#protected;
      if (!oldest) return;
      this.#protected.delete(oldest);
      this.#protectedBytes -= oldest.bytes;
      oldest.isProtected = false;
      this.#probation.add(oldest);
      this.#probationBytes += oldest.bytes;
    }
  }

  drop(item: Item<unknown>): void {
    item.remove();
    if (this.#protected.delete(item)) this.#protectedBytes -= item.bytes;
    else if (this.#probation.delete(item)) this.#probationBytes -= item.bytes;
    for (const row of item.rows) {
      const items = this.#byRow.get(row);
      if (items?.delete(item) && items.size === 0) this.#byRow.delete(row);
    }
  }

  invalidate(rows: Iterable<string>): void {
    for (const row of rows) {
      const items = this.#byRow.get(row);
      if (items) for (const item of [...items]) this.drop(item);
    }
  }

  clear(): void {
    for (const item of [...this.#probation, ...this.#protected]) this.drop(item);
  }
}

export class Shelf<V> {
  readonly #level: LevelOne;
  readonly #items = new Map<string, Item<V>>();

  constructor(level: LevelOne) {
    this.#level = level;
  }

  get(id: string, nowMs: number): Item<V> | undefined {
    const item = this.#items.get(id);
    if (item === undefined) return undefined;
    if (nowMs >= item.freshUntilMs) {
      this.#level.drop(item);
      return undefined;
    }
    this.#level.touch(item, nowMs);
    return item;
  }

  /** Whether `get` would answer this very item. */
  holds(item: Item<V>, nowMs: number): boolean {
    if (item.isGone || nowMs >= item.freshUntilMs) return false;
    this.#level.touch(item, nowMs);
    return true;
  }

  put(id: string, entry: Pick<Item<V>, 'value' | 'freshUntilMs' | 'rows' | 'bytes'>, nowMs: number): void {
    const before = this.#items.get(id);
    if (before) this.#level.drop(before);
    const rowBytes = entry.rows.reduce((sum, row) => sum + 2 * row.length + 100, 0);
    const item: Item<V> = {
      ...entry,
      isStale: false,
      bytes: entry.bytes + rowBytes + itemOverheadBytes,
      movedMs: nowMs,
      isProtected: false,
      isGone: false,
      remove: () => {
        item.isGone = true;
        if (this.#items.get(id) === item) this.#items.delete(id);
      },
    };
    this.#items.set(id, item);
    this.#level.add(item);
  }
}
