import { compareIds } from '../../../kernel/ids.ts';
import type { Entry } from '../../../ports/timeline-store/port.ts';

/** A part of what a reader may see: newest first, complete from `floor` up; `'0'`: to the very first entry. */
export interface Source {
  readonly entries: readonly Entry[];
  readonly floor: string;
  /** See `numbersOf`. */
  readonly numbers?: Float64Array | undefined;
  /** What takes its place, complete further down, when the page needs it. Called once. */
  readonly extend?: () => Promise<readonly Source[]>;
}

interface Cursor {
  readonly source: Source;
  at: number;
  /** Of the key it is at. */
  number: number;
}

/**
 * Keys as doubles, which have room for the time and little else: of two keys the larger one never has the smaller number.
 * Most comparisons end with them, without a look at texts that lie all over the memory.
 */
export const numbersOf = (entries: readonly Entry[]): Float64Array =>
  Float64Array.from(entries, ({ key }) => Number(key));

const numberAt = ({ entries, numbers }: Source, at: number): number =>
  numbers === undefined ? Number(entries[at]!.key) : numbers[at]!;

/**
 * Merges sources, newest first, without duplicates, and never emits below the highest floor among them: further down one
 * of them may lack something. `next` answers undefined at that watermark; `extend` then lowers it.
 *
 * Cost: O(log sources) for an entry.
 */
export class Merge {
  readonly #heap: Cursor[] = [];
  #sources: Source[] = [];
  #before: string;
  #beforeNumber: number;
  #watermark = '0';
  #watermarkNumber = 0;

  constructor(sources: readonly Source[], before: string) {
    this.#before = before;
    this.#beforeNumber = Number(before);
    for (const source of sources) this.#add(source);
    this.#findWatermark();
  }

  /** Everything below has been read to the end. */
  get isAtEnd(): boolean {
    return this.#watermark === '0' && this.#heap.length === 0;
  }

  next(): Entry | undefined {
    for (;;) {
      const newest = this.#heap[0];
      if (newest === undefined) return undefined;
      const { source, at, number } = newest;
      const entry = source.entries[at]!;
      if (number < this.#watermarkNumber) return undefined;
      if (number === this.#watermarkNumber && compareIds(entry.key, this.#watermark) < 0) return undefined;
      newest.at = at + 1;
      if (newest.at === source.entries.length) this.#removeFirst();
      else {
        newest.number = numberAt(source, newest.at);
        this.#sink(0);
      }
      if (number === this.#beforeNumber && entry.key === this.#before) continue;
      this.#before = entry.key;
      this.#beforeNumber = number;
      return entry;
    }
  }

  /** Replaces the sources that hold back the others. False when there are none: this is the end. */
  async extend(): Promise<boolean> {
    if (this.#watermark === '0') return false;
    const binding = this.#sources.filter(({ floor }) => floor === this.#watermark);
    const more = await Promise.all(
      binding.map(({ extend }) => {
        if (!extend) throw new Error('a source that ends early cannot be extended');
        return extend();
      }),
    );
    const replaced = new Set(binding);
    this.#sources = this.#sources.filter((source) => !replaced.has(source));
    for (const source of more.flat()) this.#add(source);
    this.#findWatermark();
    return true;
  }

  #add(source: Source): void {
    this.#sources.push(source);
    const at = firstBelow(source.entries, this.#before, source.numbers, this.#beforeNumber);
    if (at === source.entries.length) return;
    this.#heap.push({ source, at, number: numberAt(source, at) });
    this.#rise(this.#heap.length - 1);
  }

  #findWatermark(): void {
    this.#watermark = '0';
    for (const { floor } of this.#sources)
      if (compareIds(floor, this.#watermark) > 0) this.#watermark = floor;
    this.#watermarkNumber = Number(this.#watermark);
  }

  #isNewer(one: number, other: number): boolean {
    const a = this.#heap[one]!;
    const b = this.#heap[other]!;
    if (a.number !== b.number) return a.number > b.number;
    return compareIds(a.source.entries[a.at]!.key, b.source.entries[b.at]!.key) > 0;
  }

  #swap(one: number, other: number): void {
    const kept = this.#heap[one]!;
    this.#heap[one] = this.#heap[other]!;
    this.#heap[other] = kept;
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isNewer(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    for (let at = from; ; ) {
      const left = 2 * at + 1;
      if (left >= this.#heap.length) return;
      const right = left + 1;
      const child = right < this.#heap.length && this.#isNewer(right, left) ? right : left;
      if (!this.#isNewer(child, at)) return;
      this.#swap(at, child);
      at = child;
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }
}

export interface Batch {
  readonly batch: readonly Entry[];
  /** There are no more. */
  readonly isEnd: boolean;
}

/** The next entries above `after`, as far as they are there; `isEnd`: what follows is not wanted. */
export function nextBatch(merge: Merge, wanted: number, after: string): Batch {
  const batch: Entry[] = [];
  while (batch.length < wanted) {
    const entry = merge.next();
    if (!entry) return { batch, isEnd: merge.isAtEnd };
    if (compareIds(entry.key, after) <= 0) return { batch, isEnd: true };
    batch.push(entry);
  }
  return { batch, isEnd: false };
}

/** Where the entries below this key begin; `numbers` of the entries, if there are any, and that of the key. */
export function firstBelow(
  entries: readonly Entry[],
  before: string,
  numbers?: Float64Array,
  number = Number(before),
): number {
  if (numbers) return firstBelowBy(numbers, entries, before, number);
  if (entries.length === 0 || compareIds(entries[0]!.key, before) < 0) return 0;
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareIds(entries[middle]!.key, before) < 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

function firstBelowBy(
  numbers: Float64Array,
  entries: readonly Entry[],
  before: string,
  number: number,
): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! <= number) high = middle;
    else low = middle + 1;
  }
  // Those of the same number, which are hardly ever more than one, by their keys.
  while (low < numbers.length && numbers[low] === number && compareIds(entries[low]!.key, before) >= 0)
    low += 1;
  return low;
}
