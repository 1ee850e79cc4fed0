import type { FileHandle } from 'node:fs/promises';
import { open, opendir, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { type Random, randomToken, systemRandom } from '../../kernel/random.ts';
import { checkKey, checkPrefix } from '../../ports/media-store/keys.ts';
import type { MediaObject, MediaStore, MediaStoreOptions } from '../../ports/media-store/port.ts';
import { hasCode, makeDirectory, syncDirectory, toStoreError, writeAll } from './files.ts';

export interface DiskMediaStoreOptions {
  /** Made if missing. Belongs to this store alone: one process at a time. */
  readonly root: string;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Opens the store and throws away what an earlier process left half written. */
export async function openDiskMediaStore(options: DiskMediaStoreOptions): Promise<MediaStore> {
  const store = new DiskMediaStore(options);
  await store.prepare();
  return store;
}

/** How often a rename is tried again when a `delete` next to it removed the folder it had just made. */
const maxRenameAttempts = 10;

/**
 * Objects are files below `objects/`. Half-written ones live below `temporary/`, on the same file system, so that
 * a rename makes them whole in one step.
 */
class DiskMediaStore implements MediaStore {
  readonly #objects: string;
  readonly #temporary: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #appending = new Set<string>();
  #lastStampUs = 0;

  constructor(options: DiskMediaStoreOptions) {
    this.#objects = join(options.root, 'objects');
    this.#temporary = join(options.root, 'temporary');
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
  }

  async prepare(): Promise<void> {
    await rm(this.#temporary, { recursive: true, force: true });
    await makeDirectory(this.#temporary);
    await makeDirectory(this.#objects);
  }

  async put(
    key: string,
    body: Blob | Uint8Array | ReadableStream<Uint8Array>,
    { signal }: MediaStoreOptions = {},
  ): Promise<void> {
    checkKey(key);
    const temporary = this.#temporaryPath();
    try {
      await using file = await open(temporary, 'wx');
      await writeAll(file, 0, body, signal);
      await this.#stamp(file);
      await file.sync();
      signal?.throwIfAborted();
      await this.#rename(temporary, this.#path(key));
    } catch (error) {
      await rm(temporary, { force: true });
      throw toStoreError(error, key);
    }
  }

  async importFile(key: string, path: string, options: MediaStoreOptions = {}): Promise<void> {
    checkKey(key);
    options.signal?.throwIfAborted();
    try {
      await using file = await open(path, 'r+');
      await this.#stamp(file);
      await file.sync();
      await this.#rename(path, this.#path(key));
    } catch (error) {
      // Another file system: a rename cannot reach it.
      if (!hasCode(error, 'EXDEV')) throw toStoreError(error, key);
      await this.put(key, Bun.file(path), options);
      await unlink(path);
    }
  }

  async stat(key: string, { signal }: MediaStoreOptions = {}): Promise<MediaObject | undefined> {
    checkKey(key);
    signal?.throwIfAborted();
    return await statObject(this.#path(key));
  }

  async get(
    key: string,
    range?: { start: number; end: number },
    options: MediaStoreOptions = {},
  ): Promise<Blob> {
    await this.#require(key, options);
    const file = Bun.file(this.#path(key));
    return range ? file.slice(range.start, range.end) : file;
  }

  async create(key: string, { signal }: MediaStoreOptions = {}): Promise<void> {
    await this.put(key, new Uint8Array(0), { signal });
  }

  async append(
    key: string,
    offset: number,
    source: ReadableStream<Uint8Array>,
    { signal, maxBytes }: MediaStoreOptions & { maxBytes: number },
  ): Promise<{ size: number }> {
    checkKey(key);
    if (this.#appending.has(key)) throw new AppError('upload-locked');
    this.#appending.add(key);
    try {
      await using file = await open(this.#path(key), 'r+');
      const { size } = await file.stat();
      if (size !== offset) {
        throw new AppError('upload-offset-conflict', { detail: `The upload goes on at byte ${size}.` });
      }
      try {
        return { size: await writeAll(file, offset, source, signal, maxBytes) };
      } finally {
        // Also when the source broke off: the client is told the new size next, and that is an acknowledgement.
        await file.sync();
      }
    } catch (error) {
      throw toStoreError(error, key);
    } finally {
      this.#appending.delete(key);
    }
  }

  async localFile(
    key: string,
    options: MediaStoreOptions = {},
  ): Promise<{ readonly path: string } & AsyncDisposable> {
    await this.#require(key, options);
    return { path: this.#path(key), [Symbol.asyncDispose]: async () => {} };
  }

  async delete(key: string, { signal }: MediaStoreOptions = {}): Promise<void> {
    checkKey(key);
    signal?.throwIfAborted();
    const path = this.#path(key);
    await rm(path, { force: true });
    await this.#pruneEmptyFolders(dirname(path));
  }

  async deletePrefix(prefix: string, { signal }: MediaStoreOptions = {}): Promise<void> {
    const folder = this.#path(checkPrefix(prefix));
    signal?.throwIfAborted();
    // Renamed away first, so that everything below the prefix is gone in one step.
    const grave = this.#temporaryPath();
    try {
      await rename(folder, grave);
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return;
      throw error;
    }
    await syncDirectory(dirname(folder));
    await rm(grave, { recursive: true, force: true });
    await this.#pruneEmptyFolders(dirname(folder));
  }

  async *list(
    prefix: string,
    { signal }: MediaStoreOptions = {},
  ): AsyncIterable<MediaObject & { key: string }> {
    const folder = prefix === '' ? this.#objects : this.#path(checkPrefix(prefix));
    for await (const path of walk(folder)) {
      signal?.throwIfAborted();
      const object = await statObject(path);
      // Deleted since the folder was read.
      if (!object) continue;
      yield { key: path.slice(this.#objects.length + 1).replaceAll(sep, '/'), ...object };
    }
  }

  async #require(key: string, { signal }: MediaStoreOptions): Promise<void> {
    if (!(await this.stat(key, { signal }))) throw new AppError('not-found');
  }

  #path(key: string): string {
    return join(this.#objects, ...key.split('/'));
  }

  #temporaryPath(): string {
    return join(this.#temporary, randomToken(this.#random, 12));
  }

  /**
   * The ETag is made from inode, size and time of change. Two writes within one tick of the file system's clock would
   * look alike once an inode is used again, so every object gets a time of its own.
   */
  async #stamp(file: FileHandle): Promise<void> {
    this.#lastStampUs = Math.max(this.#lastStampUs + 1, this.#clock.nowMs() * 1000);
    const seconds = this.#lastStampUs / 1e6;
    await file.utimes(seconds, seconds);
  }

  async #rename(from: string, to: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await makeDirectory(dirname(to));
      try {
        await rename(from, to);
        await syncDirectory(dirname(to));
        return;
      } catch (error) {
        if (!hasCode(error, 'ENOENT') || attempt === maxRenameAttempts) throw error;
        // Either the source is missing, which is final, or a neighbour's delete pruned the folder.
        await stat(from);
      }
    }
  }

  async #pruneEmptyFolders(folder: string): Promise<void> {
    for (let path = folder; path.length > this.#objects.length; path = dirname(path)) {
      try {
        await rmdir(path);
      } catch (error) {
        if (hasCode(error, 'ENOENT')) continue;
        if (hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) return;
        throw error;
      }
    }
  }
}

async function statObject(path: string): Promise<MediaObject | undefined> {
  try {
    const found = await stat(path, { bigint: true });
    if (!found.isFile()) return undefined;
    const etag = [found.ino, found.size, found.mtimeNs].map((part) => part.toString(36)).join('-');
    return { size: Number(found.size), etag: `"${etag}"` };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function* walk(folder: string): AsyncIterable<string> {
  try {
    for await (const entry of await opendir(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) yield* walk(path);
      else if (entry.isFile()) yield path;
    }
  } catch (error) {
    // Never there, or deleted since: some runtimes read a folder only when its first entry is asked for.
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
}
