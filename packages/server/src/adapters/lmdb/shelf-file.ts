import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { AppError } from '../../kernel/errors.ts';
import { compareIds } from '../../kernel/ids.ts';
import { Recent } from '../../kernel/recent.ts';
import {
  ENTRY_BYTES,
  entryBytes,
  entryOf,
  KnownEntries,
  largestOf,
  nameOf,
} from '../../ports/timeline-store/entries.ts';
import type { Entry, Shelf } from '../../ports/timeline-store/port.ts';
import { type Head, withEntry } from './timeline-head.ts';
import { bytesOfHeader, type Header, headerOf, shelfKeyOf, shelfOf } from './timeline-header.ts';

export interface ShelfFileOptions {
  /** Of the file: beyond it nothing is added until something is dropped. */
  readonly maxBytes?: number;
  /**
   * Shelves whose headers are kept in memory, some 200 bytes each; twice as many at the most. A push to any other shelf costs
   * twice as much, and those to an account that very many follow come to all of them in turn.
   */
  readonly maxHeaders?: number;
  /** Shelves whose newest entries are kept in memory, about 700 bytes each and the entries that they share. */
  readonly maxHeads?: number;
  /** How many entries are the newest. */
  readonly headEntries?: number;
}

/** Without an encoder lmdb cannot look for a value among duplicates. What it hands over is its own, until the next read. */
const plainBytes = {
  encode: (bytes: Buffer) => bytes,
  decode: (bytes: Buffer, size: number) => Buffer.from(bytes.subarray(0, size)),
};

/**
 * Shelves in one LMDB file: in `entries` each shelf's key has its entries as sorted duplicates of a fixed size, in `headers`
 * its header. Headers and newest entries are also kept in memory and follow every write, because nobody else writes the file.
 */
export class ShelfFile {
  readonly #path: string;
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #headers: Database<Buffer, Buffer>;
  readonly #entries: Database<Buffer, Buffer>;
  readonly #recentHeaders: Recent<Header>;
  readonly #recentHeads: Recent<Head>;
  readonly #known = new KnownEntries();
  readonly #maxBytes: number;
  readonly #headEntries: number;
  #bytes: number;
  #isFull = false;
  /** Written by the transaction under way. */
  #changed = new Set<string>();

  constructor(folder: string, options: ShelfFileOptions) {
    const { maxBytes = 16 * 1024 ** 3, maxHeaders = 200_000, maxHeads = 10_000 } = options;
    this.#headEntries = options.headEntries ?? 64;
    this.#maxBytes = maxBytes;
    this.#recentHeaders = new Recent(maxHeaders);
    this.#recentHeads = new Recent(maxHeads);
    // The map may be larger than what is allowed: LMDB would otherwise move it, and grow it without a bound.
    const mapSize = maxBytes + Math.max(maxBytes / 4, 64 * 1024 ** 2);
    this.#root = open({ path: folder, noSubdir: false, noSync: true, mapSize, maxDbs: 2 });
    const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;
    this.#headers = this.#root.openDB({ name: 'headers', ...binary });
    const sorted = { dupSort: true, dupFixed: true, encoder: plainBytes };
    this.#entries = this.#root.openDB({ name: 'entries', ...binary, ...sorted });
    this.#path = join(folder, 'data.mdb');
    this.#bytes = statSync(this.#path).size;
  }

  /** All of it or nothing. What only takes away (`frees`) is done even when the file is full. */
  write(work: () => void, { frees = false } = {}): void {
    if (frees) this.#isFull = false;
    else if (this.#isFull) throw fullError(this.#maxBytes);
    try {
      this.#root.transactionSync(work);
    } catch (error) {
      for (const name of this.#changed) this.#forget(name);
      throw isDiskFull(error) ? fullError(this.#bytes, error) : error;
    } finally {
      this.#changed.clear();
    }
    const { size } = statSync(this.#path);
    // Pages that were given back are used before the file grows.
    if (size > this.#maxBytes && size > this.#bytes) this.#isFull = true;
    this.#bytes = size;
  }

  header(shelf: Shelf, name = nameOf(shelf)): Header | undefined {
    const recent = this.#recentHeaders.get(name);
    if (recent) return recent;
    const key = shelfKeyOf(shelf);
    const bytes = this.#headers.get(key);
    if (!bytes) return undefined;
    const header = headerOf(bytes, this.#entries.getValuesCount(key));
    this.#recentHeaders.set(name, header);
    return header;
  }

  /** Within `write`, like all that follow. */
  begin(shelf: Shelf, header: Header): void {
    this.drop(shelf);
    this.put(shelf, header);
    this.#recentHeaders.set(nameOf(shelf), header);
  }

  put(shelf: Shelf, header: Header): void {
    this.#changed.add(nameOf(shelf));
    this.#headers.putSync(shelfKeyOf(shelf), bytesOfHeader(header));
  }

  drop(shelf: Shelf): void {
    const name = nameOf(shelf);
    this.#changed.add(name);
    this.#forget(name);
    if (this.#headers.removeSync(shelfKeyOf(shelf))) this.#entries.removeSync(shelfKeyOf(shelf));
  }

  /** `bytesOf` remembers what an entry looks like that goes to many shelves. */
  add(shelf: Shelf, name: string, header: Header, more: readonly Entry[], bytesOf = entryBytes): void {
    this.#changed.add(name);
    let head = this.#recentHeads.get(name);
    for (const entry of more) {
      if (header.floor !== '0' && compareIds(entry.key, header.floor) < 0) continue;
      this.#entries.putSync(shelfKeyOf(shelf), bytesOf(entry));
      header.atMost += 1;
      if (head) head = withEntry(head, entry, this.#headEntries);
    }
    if (head) this.#recentHeads.set(name, head);
    if (header.atMost > largestOf(header.capacity)) this.#cut(shelf, name, header);
  }

  raiseFloor(shelf: Shelf, header: Header, floor: string): void {
    const name = nameOf(shelf);
    this.#changed.add(name);
    this.#recentHeads.delete(name);
    header.floor = floor;
    const key = shelfKeyOf(shelf);
    for (const bytes of [...this.#entries.getValues(key, { end: firstBytes(floor) })])
      this.#entries.removeSync(key, bytes);
  }

  remove(shelf: Shelf, key: string): void {
    const name = nameOf(shelf);
    const start = firstBytes(key);
    const [bytes] = [...this.#entries.getValues(shelfKeyOf(shelf), { start, limit: 1 })];
    if (bytes?.compare(start, 0, 8, 0, 8) !== 0) return;
    this.#changed.add(name);
    this.#recentHeads.delete(name);
    this.#entries.removeSync(shelfKeyOf(shelf), bytes);
  }

  head(shelf: Shelf): Head {
    const name = nameOf(shelf);
    const recent = this.#recentHeads.get(name);
    if (recent) return recent;
    const most = this.#headEntries;
    const newest = this.below(shelf, undefined, most + 1);
    const head = { entries: newest.slice(0, most), isWhole: newest.length <= most };
    this.#recentHeads.set(name, head);
    return head;
  }

  /** Newest first. */
  below(shelf: Shelf, before: string | undefined, limit: number): Entry[] {
    const start = before === undefined ? {} : { start: firstBytes(before) };
    const values = this.#entries.getValues(shelfKeyOf(shelf), { reverse: true, limit, ...start });
    return [...values.map((bytes) => this.#known.of(bytes))];
  }

  /** Headers in the order of their keys, as they are on file. */
  headersAfter(after: Buffer | undefined, limit: number): { key: Buffer; shelf: Shelf; header: Header }[] {
    const range = this.#headers.getRange({ ...(after && { start: after, exclusiveStart: true }), limit });
    return [
      ...range.map(({ key, value }) => ({
        key: Buffer.from(key),
        shelf: shelfOf(key),
        header: headerOf(value, 0),
      })),
    ];
  }

  counts(): { shelves: number; entries: number; bytes: number } {
    return { shelves: entryCountOf(this.#headers), entries: entryCountOf(this.#entries), bytes: this.#bytes };
  }

  close(): Promise<void> {
    return this.#root.close();
  }

  #cut(shelf: Shelf, name: string, header: Header): void {
    const key = shelfKeyOf(shelf);
    const count = this.#entries.getValuesCount(key);
    header.atMost = count;
    if (count <= largestOf(header.capacity)) return;
    const oldest = [...this.#entries.getValues(key, { limit: count - header.capacity + 1 })];
    const kept = oldest.pop();
    if (!kept) throw new Error('a shelf lost its entries');
    for (const bytes of oldest) this.#entries.removeSync(key, bytes);
    this.#recentHeads.delete(name);
    header.atMost = header.capacity;
    header.floor = entryOf(kept).key;
    this.put(shelf, header);
  }

  #forget(name: string): void {
    this.#recentHeaders.delete(name);
    this.#recentHeads.delete(name);
  }
}

/** Sorts before every entry of this key, and after those of the keys below. */
function firstBytes(key: string): Buffer {
  const bytes = Buffer.alloc(ENTRY_BYTES);
  bytes.writeBigUInt64BE(BigInt(key));
  return bytes;
}

function entryCountOf(db: Database<Buffer, Buffer>): number {
  const stats: unknown = db.getStats();
  const isCounted = typeof stats === 'object' && stats !== null && 'entryCount' in stats;
  return isCounted ? Number(stats.entryCount) : 0;
}

const fullError = (bytes: number, cause?: unknown) =>
  new AppError('no-space', { detail: `The store of timelines is full (${bytes} bytes)`, cause });

const isDiskFull = (error: unknown) =>
  error instanceof Error && /MDB_MAP_FULL|ENOSPC|No space left/.test(error.message);
