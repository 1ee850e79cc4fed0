import { Recent } from '../../kernel/recent.ts';
import { type Entry, MAX_CAPACITY, MAX_PUSHES, type Push, type Shelf } from './port.ts';

/** Key, author, video: 63 bits each, big-endian, so that the order of the bytes is that of the keys. */
export const ENTRY_BYTES = 24;

/** The name of a shelf, as a key of a map. */
export const nameOf = ({ kind, ownerId }: Shelf): string =>
  kind === 'inbox' ? `i${ownerId}` : `o${ownerId}`;

/** A shelf may outgrow its capacity by a quarter before it is cut. */
export const largestOf = (capacity: number): number => Math.floor(capacity * 1.25);

export function entryBytes({ key, authorId, videoId }: Entry): Buffer {
  const bytes = Buffer.allocUnsafe(ENTRY_BYTES);
  bytes.writeBigUInt64BE(BigInt(key));
  bytes.writeBigUInt64BE(BigInt(authorId), 8);
  bytes.writeBigUInt64BE(BigInt(videoId), 16);
  return bytes;
}

export function entryOf(bytes: Buffer, at = 0): Entry {
  return {
    key: bytes.readBigUInt64BE(at).toString(),
    authorId: bytes.readBigUInt64BE(at + 8).toString(),
    videoId: bytes.readBigUInt64BE(at + 16).toString(),
  };
}

const maxKnown = 20_000;

/** Entries by their bytes, the last ones used: one entry is on many shelves, and its texts are made once. */
export class KnownEntries {
  readonly #known = new Recent<Entry>(maxKnown);

  of(bytes: Buffer, at = 0): Entry {
    const name = bytes.toString('latin1', at, at + ENTRY_BYTES);
    const known = this.#known.get(name);
    if (known) return known;
    const entry = entryOf(bytes, at);
    this.#known.set(name, entry);
    return entry;
  }
}

export function keyBytes(key: string): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(key));
  return bytes;
}

export function checkCapacity(capacity: number): void {
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > MAX_CAPACITY)
    throw new RangeError(`a capacity of ${capacity}`);
}

export function checkCount(pairs: readonly unknown[]): void {
  if (pairs.length > MAX_PUSHES) throw new RangeError(`${pairs.length} pairs in one call`);
}

/** What each shelf gets: a shelf is touched once in a call, as a whole. */
export function groupedByShelf<T extends Pick<Push, 'shelf'>>(items: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = nameOf(item.shelf);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}
