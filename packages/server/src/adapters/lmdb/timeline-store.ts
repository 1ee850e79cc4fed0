import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { compareIds } from '../../kernel/ids.ts';
import { type Random, randomToken } from '../../kernel/random.ts';
import {
  checkCapacity,
  checkCount,
  entryBytes,
  groupedByShelf,
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
import { ShelfFile, type ShelfFileOptions } from './shelf-file.ts';
import { openTimelineFolder, type TimelineFolder, type TimelineFolderOptions } from './timeline-folder.ts';
import { pageOfHead } from './timeline-head.ts';
import type { Header } from './timeline-header.ts';

export interface LmdbTimelineStoreOptions extends TimelineFolderOptions, ShelfFileOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly idleMs?: number;
}

/** Entries written in one transaction: it holds up everything else in this process, for two milliseconds or so. */
const maxBatch = 1_024;
/** Shelves that a sweep looks at between two turns of the event loop. */
const sweepTurn = 250;
const maxTouched = 1_000;
const cold: ShelfPage = { state: 'cold', floor: '0', entries: [], hasMore: false };

/**
 * TimelineStore in a file of this machine, of which this process is the only user: the data lock sees to it. Acknowledged
 * means handed to the kernel, so that the end of this process loses nothing; see TimelineFolder for that of the machine.
 * When the file has reached its largest size, whatever adds to it is refused with `no-space` until something is dropped.
 */
export class LmdbTimelineStore implements TimelineStore, AsyncDisposable {
  readonly #folder: TimelineFolder;
  readonly #file: ShelfFile;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #idleMs: number;
  /** Read since their headers were written; a crash forgets it, and they count as idle a little earlier. */
  readonly #touched = new Map<string, { readonly shelf: Shelf; readonly readAtMs: number }>();
  #isClosed = false;

  private constructor(folder: TimelineFolder, options: LmdbTimelineStoreOptions) {
    this.#folder = folder;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#idleMs = options.idleMs ?? 14 * 86_400_000;
    this.#file = new ShelfFile(folder.path, options);
  }

  static async open(options: LmdbTimelineStoreOptions): Promise<LmdbTimelineStore> {
    return new LmdbTimelineStore(await openTimelineFolder(options), options);
  }

  async begin(shelf: Shelf, capacity: number, { signal }: TimelineStoreOptions = {}): Promise<string> {
    this.#check(signal);
    checkCapacity(capacity);
    const token = randomToken(this.#random, 12);
    const readAtMs = this.#clock.nowMs();
    this.#touched.delete(nameOf(shelf));
    this.#file.write(() =>
      this.#file.begin(shelf, { token, capacity, isReady: false, floor: '0', readAtMs, atMost: 0 }),
    );
    return token;
  }

  async merge(shelf: Shelf, merge: Merge, { signal }: TimelineStoreOptions = {}): Promise<boolean> {
    this.#check(signal);
    checkCount(merge.entries);
    const header = this.#file.header(shelf);
    if (!header || (merge.token !== undefined && merge.token !== header.token)) return false;
    this.#file.write(() => {
      if (compareIds(merge.completeDownTo, header.floor) > 0)
        this.#file.raiseFloor(shelf, header, merge.completeDownTo);
      this.#file.add(shelf, nameOf(shelf), header, merge.entries);
      if (merge.token !== undefined && merge.isLast) header.isReady = true;
      this.#file.put(shelf, header);
    });
    return true;
  }

  async push(pushes: readonly Push[], { signal }: TimelineStoreOptions = {}): Promise<void> {
    this.#check(signal);
    checkCount(pushes);
    const bytesOf = remembering();
    let batch: (readonly [string, readonly Push[]])[] = [];
    let size = 0;
    for (const group of groupedByShelf(pushes)) {
      batch.push(group);
      size += group[1].length;
      if (size < maxBatch) continue;
      this.#pushBatch(batch, bytesOf);
      [batch, size] = [[], 0];
      await nextTurn();
      this.#check(signal);
    }
    if (size > 0) this.#pushBatch(batch, bytesOf);
  }

  read(shelves: readonly ShelfRead[], { signal }: TimelineStoreOptions = {}): ShelfPage[] {
    this.#check(signal);
    checkCount(shelves);
    return shelves.map((wanted) => this.#page(wanted));
  }

  async remove(removals: readonly Removal[], { signal }: TimelineStoreOptions = {}): Promise<void> {
    await this.#inBatches(removals, signal, ({ shelf, key }) => this.#file.remove(shelf, key));
  }

  async drop(shelves: readonly Shelf[], { signal }: TimelineStoreOptions = {}): Promise<void> {
    await this.#inBatches(shelves, signal, (shelf) => this.#file.drop(shelf));
  }

  async stats(): Promise<TimelineStoreStats> {
    return { generation: this.#folder.generation, ...this.#file.counts() };
  }

  /** Drops what nobody has read for `idleMs`, some at a time; answers how many that were. */
  async sweep(signal?: AbortSignal): Promise<number> {
    let dropped = 0;
    let after: Buffer | undefined;
    for (;;) {
      this.#check(signal);
      this.#writeTouched();
      const turn = this.#file.headersAfter(after, sweepTurn);
      const oldestMs = this.#clock.nowMs() - this.#idleMs;
      const idle = turn.filter(({ header }) => header.readAtMs < oldestMs);
      const drop = () => {
        for (const { shelf } of idle) this.#file.drop(shelf);
      };
      if (idle.length > 0) this.#file.write(drop, { frees: true });
      dropped += idle.length;
      after = turn.at(-1)?.key;
      if (turn.length < sweepTurn) return dropped;
      await nextTurn();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#writeTouched();
    this.#isClosed = true;
    await this.#file.close();
    await this.#folder.close();
  }

  #check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#isClosed) throw new AppError('shutting-down');
  }

  #pushBatch(
    batch: readonly (readonly [string, readonly Push[]])[],
    bytesOf: (entry: Entry) => Buffer,
  ): void {
    const groups: { name: string; group: readonly Push[]; shelf: Shelf; header: Header }[] = [];
    for (const [name, group] of batch) {
      const { shelf } = group[0]!;
      const header = this.#file.header(shelf, name);
      if (header) groups.push({ name, group, shelf, header });
    }
    if (groups.length === 0) return;
    this.#file.write(() => {
      for (const { name, group, shelf, header } of groups) {
        const entries = group.map(({ entry }) => entry);
        this.#file.add(shelf, name, header, entries, bytesOf);
      }
    });
  }

  #page({ shelf, before, limit }: ShelfRead): ShelfPage {
    const header = this.#file.header(shelf);
    if (!header) return cold;
    this.#touch(shelf, header);
    const { floor } = header;
    if (!header.isReady) return { ...cold, state: 'building', floor };
    // Nothing is kept below the floor.
    if (before !== undefined && compareIds(before, floor) <= 0)
      return { state: 'ready', floor, entries: [], hasMore: false };
    const page = pageOfHead(this.#file.head(shelf), before, limit);
    if (page) return { state: 'ready', floor, ...page };
    const below = this.#file.below(shelf, before, limit + 1);
    return { state: 'ready', floor, entries: below.slice(0, limit), hasMore: below.length > limit };
  }

  #touch(shelf: Shelf, header: Header): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - header.readAtMs < this.#idleMs / 16) return;
    header.readAtMs = nowMs;
    this.#touched.set(nameOf(shelf), { shelf, readAtMs: nowMs });
    if (this.#touched.size >= maxTouched) this.#writeTouched();
  }

  #writeTouched(): void {
    if (this.#touched.size === 0) return;
    const touched = [...this.#touched.values()];
    this.#touched.clear();
    const write = () => {
      for (const { shelf, readAtMs } of touched) {
        const header = this.#file.header(shelf);
        if (!header) continue;
        header.readAtMs = Math.max(readAtMs, header.readAtMs);
        this.#file.put(shelf, header);
      }
    };
    // Headers are there already: this adds nothing.
    this.#file.write(write, { frees: true });
  }

  async #inBatches<T>(
    items: readonly T[],
    signal: AbortSignal | undefined,
    work: (item: T) => void,
  ): Promise<void> {
    this.#check(signal);
    checkCount(items);
    for (let start = 0; start < items.length; start += maxBatch) {
      if (start > 0) await nextTurn();
      this.#check(signal);
      this.#file.write(() => items.slice(start, start + maxBatch).forEach(work), { frees: true });
    }
  }
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** An entry goes to many shelves: it is put into bytes once. */
function remembering(): (entry: Entry) => Buffer {
  const known = new Map<Entry, Buffer>();
  return (entry) => {
    const bytes = known.get(entry) ?? entryBytes(entry);
    known.set(entry, bytes);
    return bytes;
  };
}
