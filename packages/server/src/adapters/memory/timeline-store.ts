import type { Clock } from '../../kernel/clock.ts';
import { compareIds } from '../../kernel/ids.ts';
import { type Random, randomToken } from '../../kernel/random.ts';
import {
  checkCapacity,
  checkCount,
  groupedByShelf,
  largestOf,
  nameOf,
} from '../../ports/timeline-store/entries.ts';
import type {
  Entry,
  Merge,
  Push,
  Removal,
  Shelf,
  ShelfPage,
  ShelfRead,
  TimelineStore,
  TimelineStoreOptions,
  TimelineStoreStats,
} from '../../ports/timeline-store/port.ts';

export interface MemoryTimelineStoreOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly idleMs?: number;
}

interface Kept {
  readonly token: string;
  readonly capacity: number;
  isReady: boolean;
  floor: string;
  /** Newest first. */
  entries: readonly Entry[];
  readAtMs: number;
}

const cold: ShelfPage = { state: 'cold', floor: '0', entries: [], hasMore: false };
const defaultIdleMs = 14 * 86_400_000;

/** The plainest TimelineStore: for tests and simulations. */
export class MemoryTimelineStore implements TimelineStore {
  readonly #options: MemoryTimelineStoreOptions;
  readonly #shelves = new Map<string, Kept>();
  #generation: string;

  constructor(options: MemoryTimelineStoreOptions) {
    this.#options = options;
    this.#generation = randomToken(options.random, 12);
  }

  async begin(shelf: Shelf, capacity: number, { signal }: TimelineStoreOptions = {}): Promise<string> {
    signal?.throwIfAborted();
    checkCapacity(capacity);
    const token = randomToken(this.#options.random, 12);
    const readAtMs = this.#options.clock.nowMs();
    this.#shelves.set(nameOf(shelf), { token, capacity, isReady: false, floor: '0', entries: [], readAtMs });
    return token;
  }

  async merge(shelf: Shelf, merge: Merge, { signal }: TimelineStoreOptions = {}): Promise<boolean> {
    signal?.throwIfAborted();
    checkCount(merge.entries);
    const kept = this.#shelves.get(nameOf(shelf));
    if (!kept || (merge.token !== undefined && merge.token !== kept.token)) return false;
    if (compareIds(merge.completeDownTo, kept.floor) > 0) kept.floor = merge.completeDownTo;
    add(kept, merge.entries);
    if (merge.token !== undefined && merge.isLast) kept.isReady = true;
    return true;
  }

  async push(pushes: readonly Push[], { signal }: TimelineStoreOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    checkCount(pushes);
    for (const [name, group] of groupedByShelf(pushes)) {
      const kept = this.#shelves.get(name);
      if (kept)
        add(
          kept,
          group.map(({ entry }) => entry),
        );
    }
  }

  async read(shelves: readonly ShelfRead[], { signal }: TimelineStoreOptions = {}): Promise<ShelfPage[]> {
    signal?.throwIfAborted();
    checkCount(shelves);
    return shelves.map((wanted) => {
      const kept = this.#shelves.get(nameOf(wanted.shelf));
      if (!kept) return cold;
      kept.readAtMs = this.#options.clock.nowMs();
      return kept.isReady ? pageOf(kept, wanted) : { ...cold, state: 'building', floor: kept.floor };
    });
  }

  async remove(removals: readonly Removal[], { signal }: TimelineStoreOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    checkCount(removals);
    for (const { shelf, key } of removals) {
      const kept = this.#shelves.get(nameOf(shelf));
      if (kept) kept.entries = kept.entries.filter((entry) => entry.key !== key);
    }
  }

  async drop(shelves: readonly Shelf[], { signal }: TimelineStoreOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    checkCount(shelves);
    for (const shelf of shelves) this.#shelves.delete(nameOf(shelf));
  }

  async stats(): Promise<TimelineStoreStats> {
    let entries = 0;
    for (const kept of this.#shelves.values()) entries += kept.entries.length;
    return { generation: this.#generation, shelves: this.#shelves.size, entries, bytes: undefined };
  }

  /** Drops what nobody has read for `idleMs`. */
  sweep(): void {
    const oldestMs = this.#options.clock.nowMs() - (this.#options.idleMs ?? defaultIdleMs);
    for (const [name, { readAtMs }] of this.#shelves) if (readAtMs < oldestMs) this.#shelves.delete(name);
  }

  /** As if it had lost everything. */
  forget(): void {
    this.#shelves.clear();
    this.#generation = randomToken(this.#options.random, 12);
  }
}

function add(kept: Kept, more: readonly Entry[]): void {
  const byKey = new Map([...kept.entries, ...more].map((entry) => [entry.key, entry]));
  kept.entries = [...byKey.values()]
    .filter(({ key }) => compareIds(key, kept.floor) >= 0)
    .sort((a, b) => compareIds(b.key, a.key));
  if (kept.entries.length <= largestOf(kept.capacity)) return;
  kept.entries = kept.entries.slice(0, kept.capacity);
  kept.floor = kept.entries.at(-1)!.key;
}

function pageOf(kept: Kept, { before, limit }: ShelfRead): ShelfPage {
  const below = kept.entries.filter(({ key }) => before === undefined || compareIds(key, before) < 0);
  return { state: 'ready', floor: kept.floor, entries: below.slice(0, limit), hasMore: below.length > limit };
}
