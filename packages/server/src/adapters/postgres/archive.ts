import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, open, opendir, rename, rm, stat } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract, type Header, type Pack, pack } from 'tar-stream';
import { StartError } from './start-error.ts';

/**
 * The file of a backup: a plain tar, so that `tar tf` shows what is in it. Everything streams; memory is constant.
 * The last entry seals the others: a digest over all names, sizes and bytes. Without it the archive was cut.
 */
const SEAL = 'seal.json';
const READ_BYTES = 1_024 * 1_024;
type NewEntry = Pick<Header, 'name' | 'size' | 'mode'> & Partial<Header>;

const MAX_TEXT_BYTES = 64 * 1_024 * 1_024;

export class ArchiveWriter {
  readonly #target: string;
  readonly #pack: Pack = pack();
  readonly #digest = new Bun.CryptoHasher('sha256');
  readonly #written: Promise<void>;
  #entries = 0;
  /** How many files became shorter while they were read. */
  tornFiles = 0;

  constructor(target: string) {
    this.#target = target;
    // Written beside its place: what stands at the target is always a whole archive.
    this.#written = pipeline(this.#pack, createWriteStream(`${target}.partial`, { mode: 0o600 }));
    // Reported by whichever step waits for it.
    this.#written.catch(() => undefined);
  }

  async add(name: string, content: Uint8Array): Promise<void> {
    await this.#entry({ name, size: content.byteLength, mode: 0o600 }, async (write) => write(content));
  }

  /**
   * False when the file has gone meanwhile. One that grows is cut where it ended; one that shrinks is filled up with
   * zeros, because the tar has promised its size, and counts as torn.
   */
  async addFile(name: string, path: string): Promise<boolean> {
    let file: FileHandle;
    try {
      file = await open(path);
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
    await using opened = file;
    const { size, mode, mtime } = await opened.stat();
    await this.#entry({ name, size, mode: mode & 0o777, mtime }, async (write) => {
      let missing = size;
      let torn = false;
      while (missing > 0) {
        const buffer = new Uint8Array(Math.min(missing, READ_BYTES));
        const { bytesRead } = await opened.read(buffer, 0, buffer.byteLength, size - missing);
        torn ||= bytesRead === 0;
        const chunk = torn ? buffer.fill(0) : buffer.subarray(0, bytesRead);
        await write(chunk);
        missing -= chunk.byteLength;
      }
      if (torn) this.tornFiles += 1;
    });
    return true;
  }

  /** Every file below the folder, in no particular order. A folder that does not exist holds none. */
  async addFolder(prefix: string, folder: string, signal?: AbortSignal): Promise<number> {
    let count = 0;
    for await (const path of walk(folder)) {
      signal?.throwIfAborted();
      if (await this.addFile(`${prefix}/${path}`, join(folder, path))) count += 1;
    }
    return count;
  }

  async #entry(header: NewEntry, fill: (write: (chunk: Uint8Array) => Promise<void>) => Promise<void>) {
    const done = Promise.withResolvers<void>();
    // Waited for below; an error on the way there is told first.
    done.promise.catch(() => undefined);
    const entry = this.#pack.entry(header, (error) => (error ? done.reject(error) : done.resolve()));
    const { size } = header;
    this.#digest.update(`${header.name}\0${size}\0`);
    this.#entries += 1;
    let bytes = 0;
    await fill(async (chunk) => {
      bytes += chunk.byteLength;
      this.#digest.update(chunk);
      if (!entry.write(chunk)) await this.#drained(entry);
    });
    if (bytes !== size) throw new Error(`${header.name} has ${bytes} bytes instead of ${size}`);
    entry.end(undefined);
    await Promise.race([done.promise, this.#written]);
  }

  async #drained(entry: ReturnType<Pack['entry']>): Promise<void> {
    const drained = new Promise<void>((resolve) => entry.once('drain', () => resolve()));
    await Promise.race([drained, this.#written]);
  }

  async seal(): Promise<void> {
    const seal = { entries: this.#entries, sha256: this.#digest.digest('hex') };
    const text = Buffer.from(JSON.stringify(seal));
    this.#pack.entry({ name: SEAL, size: text.byteLength, mode: 0o600 }, text);
    this.#pack.finalize();
    await this.#written;
    const file = await open(`${this.#target}.partial`);
    await file.sync();
    await file.close();
    await rename(`${this.#target}.partial`, this.#target);
  }

  async discard(): Promise<void> {
    this.#pack.destroy();
    await this.#written.catch(() => undefined);
    await rm(`${this.#target}.partial`, { force: true });
  }
}

export interface ArchiveEntry {
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  readonly mtime: Date;
  /** Must be read to its end before the next entry. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** Hands out the entries one after the other, then checks the seal; throws a `StartError` when it does not fit. */
export async function* readArchive(path: string): AsyncGenerator<ArchiveEntry> {
  const digest = new Bun.CryptoHasher('sha256');
  let entries = 0;
  let sealed = false;
  const parser = extract();
  const source = createReadStream(path);
  source.on('error', (error) => parser.destroy(error));
  // Told by the loops that read them; an error that comes while nobody reads must not end the process.
  parser.on('error', ignore);
  source.pipe(parser);
  try {
    for await (const entry of parser) {
      entry.on('error', ignore);
      const { name, size, mode, mtime } = entry.header;
      if (name === SEAL) {
        const seal = JSON.parse(new TextDecoder().decode(await readAll(bytesOf(entry))));
        sealed = seal.entries === entries && seal.sha256 === digest.digest('hex');
        continue;
      }
      // Nothing comes after the seal.
      if (sealed) throw new Error(`the entry ${name} is not sealed`);
      entries += 1;
      digest.update(`${name}\0${size}\0`);
      const content = bytesOf(entry, (chunk) => digest.update(chunk), path);
      yield { name, size, mode, mtime, content };
    }
  } catch (error) {
    throw error instanceof StartError ? error : damaged(path, error);
  } finally {
    source.destroy();
  }
  if (!sealed) throw damaged(path);
}

const ignore = () => {};

/** An error here is the archive's: it ends in the middle of this entry. */
async function* bytesOf(
  entry: AsyncIterable<unknown>,
  seen: (chunk: Uint8Array) => void = () => {},
  path = '',
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of entry) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('a tar holds bytes');
      seen(chunk);
      yield chunk;
    }
  } catch (error) {
    throw damaged(path, error);
  }
}

function damaged(path: string, cause?: unknown): StartError {
  return new StartError(`the backup ${path} is damaged or was cut`, 'Use another copy of it.', cause);
}

export async function readAll(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    bytes += chunk.byteLength;
    if (bytes > MAX_TEXT_BYTES)
      throw new StartError('an entry of the backup is too large', 'Use another copy.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The path below the folder, or a refusal: a hostile archive must not write elsewhere. */
export function pathWithin(folder: string, name: string): string {
  const clean = normalize(name);
  if (clean.startsWith('..') || clean.startsWith('/') || clean.includes('\0') || clean.includes('\\')) {
    throw new StartError(`the backup holds a file with the name ${JSON.stringify(name)}`, 'Do not trust it.');
  }
  return join(folder, clean);
}

async function* walk(folder: string, below = ''): AsyncGenerator<string> {
  const here = join(folder, below);
  if (!(await stat(here).catch(() => undefined))) return;
  for await (const entry of await opendir(here)) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* walk(folder, path);
    else if (entry.isFile()) yield path;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
