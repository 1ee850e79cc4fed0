import { mkdir, rm } from 'node:fs/promises';
import { open, type RootDatabase } from 'lmdb';
import type { CounterKey, CounterStore, CounterTotal } from '../../ports/counter-store/port.ts';

export interface LmdbCounterStore extends CounterStore, AsyncDisposable {}

const keyBytes = 9;
const totalBytes = 16;

/**
 * Counters in one memory-mapped file. Key: the id and the metric, big-endian; value: total and revision, two doubles.
 * Nothing is synced to the disk, and nothing is taken over: whoever held the folder before may have died before its last
 * totals were here. What is missing is read from the truth again.
 */
export async function openLmdbCounterStore(folder: string): Promise<LmdbCounterStore> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const db = open<Buffer, Buffer>({
    path: folder,
    encoding: 'binary',
    keyEncoding: 'binary',
    noSync: true,
    noSubdir: false,
  });
  return new Store(db);
}

class Store implements LmdbCounterStore {
  readonly #db: RootDatabase<Buffer, Buffer>;

  constructor(db: RootDatabase<Buffer, Buffer>) {
    this.#db = db;
  }

  async read(keys: readonly CounterKey[]): Promise<(CounterTotal | undefined)[]> {
    return keys.map((key) => totalOf(this.#db.get(keyOf(key))));
  }

  async putNewer(totals: readonly (CounterKey & CounterTotal)[]): Promise<void> {
    if (totals.length === 0) return;
    await this.#db.transaction(() => {
      for (const { id, metric, total, revision } of totals) {
        const key = keyOf({ id, metric });
        const stored = totalOf(this.#db.get(key));
        if (!stored || stored.revision < revision) this.#db.put(key, bytesOf({ total, revision }));
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#db.close();
  }
}

function keyOf({ id, metric }: CounterKey): Buffer {
  const key = Buffer.allocUnsafe(keyBytes);
  key.writeBigUInt64BE(BigInt(id));
  key.writeUInt8(metric, 8);
  return key;
}

function bytesOf({ total, revision }: CounterTotal): Buffer {
  const value = Buffer.allocUnsafe(totalBytes);
  value.writeDoubleBE(total);
  value.writeDoubleBE(revision, 8);
  return value;
}

function totalOf(value: Buffer | undefined): CounterTotal | undefined {
  // Anything else was written by another version of this adapter.
  if (value?.length !== totalBytes) return undefined;
  return { total: value.readDoubleBE(), revision: value.readDoubleBE(8) };
}
