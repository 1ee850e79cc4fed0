import { compareIds } from '../../src/kernel/ids.ts';
import type {
  Entry,
  Merge,
  Push,
  Removal,
  Shelf,
  ShelfPage,
  ShelfRead,
  TimelineStore,
  TimelineStoreStats,
} from '../../src/ports/timeline-store/port.ts';

interface Kept {
  readonly token: string;
  readonly capacity: number;
  isReady: boolean;
  floor: string;
  /** Newest first. */
  entries: Entry[];
}

const nameOf = ({ kind, ownerId }: Shelf) => `${kind}:${ownerId}`;

/** Shelves as the port describes them, in the plainest way; every call is done at once. */
export class MemoryTimelineStore implements TimelineStore {
  readonly #shelves = new Map<string, Kept>();
  #tokens = 0;
  #generation = 1;

  /** As after a crash of a store without its file. */
  lose(): void {
    this.#shelves.clear();
    this.#generation += 1;
  }

  async begin(shelf: Shelf, capacity: number): Promise<string> {
    this.#tokens += 1;
    const token = String(this.#tokens);
    this.#shelves.set(nameOf(shelf), { token, capacity, isReady: false, floor: '0', entries: [] });
    return token;
  }

  async merge(shelf: Shelf, { entries, completeDownTo, token, isLast }: Merge): Promise<boolean> {
    const kept = this.#shelves.get(nameOf(shelf));
    if (!kept || (token !== undefined && kept.token !== token)) return false;
    if (compareIds(completeDownTo, kept.floor) > 0) kept.floor = completeDownTo;
    for (const entry of entries) add(kept, entry);
    if (token !== undefined && isLast) kept.isReady = true;
    cut(kept);
    return true;
  }

  async push(pushes: readonly Push[]): Promise<void> {
    for (const { shelf, entry } of pushes) {
      const kept = this.#shelves.get(nameOf(shelf));
      if (!kept) continue;
      add(kept, entry);
      cut(kept);
    }
  }

  async read(reads: readonly ShelfRead[]): Promise<ShelfPage[]> {
    return reads.map(({ shelf, before, limit }) => {
      const kept = this.#shelves.get(nameOf(shelf));
      if (!kept?.isReady)
        return { state: kept ? 'building' : 'cold', floor: '0', entries: [], hasMore: false };
      const below = kept.entries.filter(({ key }) => before === undefined || compareIds(key, before) < 0);
      return {
        state: 'ready',
        floor: kept.floor,
        entries: below.slice(0, limit),
        hasMore: below.length > limit,
      };
    });
  }

  async remove(removals: readonly Removal[]): Promise<void> {
    for (const { shelf, key } of removals) {
      const kept = this.#shelves.get(nameOf(shelf));
      if (kept) kept.entries = kept.entries.filter((entry) => entry.key !== key);
    }
  }

  async drop(shelves: readonly Shelf[]): Promise<void> {
    for (const shelf of shelves) this.#shelves.delete(nameOf(shelf));
  }

  async stats(): Promise<TimelineStoreStats> {
    const shelves = [...this.#shelves.values()];
    const entries = shelves.reduce((sum, kept) => sum + kept.entries.length, 0);
    return { generation: String(this.#generation), shelves: shelves.length, entries, bytes: undefined };
  }
}

function add(kept: Kept, entry: Entry): void {
  if (compareIds(entry.key, kept.floor) < 0 || kept.entries.some(({ key }) => key === entry.key)) return;
  kept.entries = [...kept.entries, entry].sort((a, b) => compareIds(b.key, a.key));
}

function cut(kept: Kept): void {
  kept.entries = kept.entries.filter(({ key }) => compareIds(key, kept.floor) >= 0);
  if (kept.entries.length <= kept.capacity * 1.25) return;
  kept.entries = kept.entries.slice(0, kept.capacity);
  kept.floor = kept.entries.at(-1)!.key;
}
