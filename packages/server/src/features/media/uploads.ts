import { createHash } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Database, Idempotency, Sql } from '../../ports/database/port.ts';
import type { MediaStore } from '../../ports/media-store/port.ts';
import type { MediaProbe, Transcoder } from '../../ports/transcoder/port.ts';
import type { Purge } from './purge.ts';
import {
  completeUpload,
  deleteUnusedUpload,
  expiredUploads,
  extendUpload,
  findUpload,
  insertUpload,
  lockUpload,
  lockUsage,
  type UploadRow,
} from './upload-store.ts';
import { type Writer, Writers } from './writers.ts';

export interface UploadSettings {
  readonly maxBytes: number;
  /** Room for one account: its uploads and the originals of its videos. */
  readonly accountMaxBytes: number;
  /** Uploads of one account that are not part of a video yet. */
  readonly maxUnfinished: number;
  /** An upload that gets no byte, or is not published, is deleted after so long. */
  readonly unfinishedTtlMs: number;
  readonly probeTimeoutMs: number;
  /** A body that comes with a checksum is held in memory until it is proven. */
  readonly checksumMaxBytes: number;
  readonly abandonedAfterMs: number;
  readonly idleTimeoutMs: number;
}

export const uploadDefaults: UploadSettings = {
  maxBytes: 4 * 1024 ** 3,
  accountMaxBytes: 50 * 1024 ** 3,
  maxUnfinished: 20,
  unfinishedTtlMs: 86_400_000,
  probeTimeoutMs: 60_000,
  checksumMaxBytes: 16 * 1024 ** 2,
  abandonedAfterMs: 2000,
  idleTimeoutMs: 60_000,
};

export interface UploadState {
  readonly id: string;
  readonly offset: number;
  readonly size: number;
  readonly filename: string;
  readonly filetype: string;
  readonly expiresAt: Date;
}

export interface UploadBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** From Content-Length; undefined when the client did not say. */
  readonly length: number | undefined;
  readonly checksum: { readonly algorithm: 'sha1' | 'sha256'; readonly digest: Uint8Array } | undefined;
  readonly signal: AbortSignal;
}

export interface UploadsDeps {
  readonly db: Database;
  readonly store: MediaStore;
  readonly transcoder: Transcoder;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly purge: Purge;
  readonly settings: UploadSettings;
}

export const uploadKey = (id: string) => `uploads/${id}`;

/** An upload that a video takes over, with what the examination found. */
export interface TakenUpload {
  readonly id: string;
  readonly probe: MediaProbe;
}

/** Files on their way in. `offset` is always the store's: what it has is what a client need not send again. */
export class Uploads {
  readonly #deps: UploadsDeps;
  readonly #writers: Writers;

  constructor(deps: UploadsDeps) {
    this.#deps = deps;
    this.#writers = new Writers(deps.clock, deps.settings);
  }

  /** The largest file that may be uploaded. */
  get maxBytes(): number {
    return this.#deps.settings.maxBytes;
  }

  async create(
    accountId: string,
    file: { size: number; filename: string; filetype: string },
    idempotency?: Idempotency,
  ): Promise<UploadState> {
    const { db, ids, store, settings } = this.#deps;
    if (file.size > settings.maxBytes)
      throw new AppError('upload-too-large', { detail: `At most ${settings.maxBytes} bytes.` });
    if (file.size === 0) throw new AppError('media-unreadable', { detail: 'The file is empty.' });
    const expiresAt = this.#expiry();
    const id = await db.write(idempotency, async (tx) => {
      const usage = await lockUsage(tx, accountId);
      if (usage.unfinished >= settings.maxUnfinished) throw new AppError('too-many-uploads');
      const room = settings.accountMaxBytes - usage.bytes;
      if (file.size > room)
        throw new AppError('upload-quota', {
          detail: `${Math.max(0, room)} bytes are left, and the file has ${file.size}.`,
        });
      const id = ids.next();
      await insertUpload(tx, { id, accountId, expiresAt, ...file });
      return id;
    });
    // Only now: an object without a row would never expire. A row without an object is not found, and expires.
    if (!(await store.stat(uploadKey(id)))) await store.create(uploadKey(id));
    return this.find(accountId, id);
  }

  /** Where the upload goes on. Waits for a silent writer to end, so that the answer stays true. */
  async find(accountId: string, id: string): Promise<UploadState> {
    const row = await this.#row(accountId, id);
    if (row.state === 'receiving') await this.#writers.release(id);
    return this.#state(row);
  }

  /** Appends and answers the new offset. With the last byte the file is examined: a fault removes the upload. */
  async append(accountId: string, id: string, offset: number, body: UploadBody): Promise<UploadState> {
    const { store, db } = this.#deps;
    const row = await this.#row(accountId, id);
    using writer = await this.#writers.acquire(id);
    const { offset: stored } = await this.#state(row);
    if (stored !== offset)
      throw new AppError('upload-offset-conflict', { detail: `The upload goes on at byte ${stored}.` });
    if (body.length !== undefined && offset + body.length > row.size)
      throw new AppError('upload-too-large', {
        detail: `The upload was declared to have ${row.size} bytes.`,
      });
    const source = body.checksum ? await this.#proven(body, writer) : watched(body.stream, writer);
    const signal = AbortSignal.any([body.signal, writer.signal]);
    const { size } = await store.append(uploadKey(id), offset, source, { maxBytes: row.size, signal });
    if (size === row.size) await this.#examine(row, writer);
    else await extendUpload(db.sql, id, this.#expiry());
    return { ...stateOf(row, size), expiresAt: this.#expiry() };
  }

  async remove(accountId: string, id: string): Promise<void> {
    const row = await this.#row(accountId, id);
    if (row.state === 'used') throw new AppError('upload-used');
    await this.#writers.evict(id);
    if (!(await this.#discard(id))) throw new AppError('upload-used');
  }

  /**
   * Examines the file if that has not happened: the process may have died between the last byte and the examination.
   * Call it before the transaction that takes the upload.
   */
  async ensureExamined(accountId: string, id: string): Promise<void> {
    const row = await this.#row(accountId, id);
    if (row.state !== 'receiving') return;
    using writer = await this.#writers.acquire(id);
    const { offset } = await this.#state(row);
    if (offset < row.size)
      throw new AppError('upload-incomplete', { detail: `${offset} of ${row.size} bytes have arrived.` });
    await this.#examine(row, writer);
  }

  /** Gives a complete upload to a video, in the video's transaction: each is taken once. */
  async take(tx: Sql, accountId: string, id: string): Promise<TakenUpload> {
    const row = await lockUpload(tx, accountId, id);
    if (!row) throw new AppError('not-found', { detail: 'There is no such upload.' });
    if (row.state === 'used') throw new AppError('upload-used');
    if (row.state === 'receiving' || !row.probe) throw new AppError('upload-incomplete');
    await tx`update upload set state = 'used' where id = ${id}`;
    return { id, probe: row.probe };
  }

  /** Removes the original of a video in the transaction that no longer needs it. */
  async drop(tx: Sql, id: string): Promise<void> {
    await tx`delete from upload where id = ${id}`;
    await this.#deps.purge.later(tx, { keys: [uploadKey(id)] });
  }

  /** Deletes what has expired, in bounded portions. */
  async expire(signal: AbortSignal): Promise<void> {
    const { db, clock } = this.#deps;
    for (;;) {
      signal.throwIfAborted();
      const ids = await expiredUploads(db.sql, new Date(clock.nowMs()), 100);
      for (const id of ids) {
        await this.#writers.evict(id);
        await this.#discard(id);
      }
      if (ids.length < 100) return;
    }
  }

  close(): Promise<void> {
    return this.#writers.close();
  }

  async #row(accountId: string, id: string): Promise<UploadRow> {
    const row = await findUpload(this.#deps.db.sql, accountId, id);
    if (!row || (row.state !== 'used' && row.expiresAt.getTime() <= this.#deps.clock.nowMs()))
      throw new AppError('not-found', { detail: 'There is no such upload.' });
    return row;
  }

  async #state(row: UploadRow): Promise<UploadState> {
    if (row.state === 'used') return stateOf(row, row.size);
    const object = await this.#deps.store.stat(uploadKey(row.id));
    if (!object) throw new AppError('not-found', { detail: 'There is no such upload.' });
    return stateOf(row, object.size);
  }

  async #examine(row: UploadRow, writer: Writer): Promise<void> {
    const { db, store, transcoder, settings } = this.#deps;
    if (row.state !== 'receiving') return;
    writer.settle();
    // Not the request's signal: the file is here, and the verdict is worth having even if nobody waits for it now.
    const deadline = AbortSignal.timeout(settings.probeTimeoutMs);
    try {
      await using file = await store.localFile(uploadKey(row.id));
      const probe = await transcoder.probe(file.path, { signal: deadline });
      await completeUpload(db.sql, row.id, probe, this.#expiry());
    } catch (error) {
      if (isMediaFault(error)) await this.#discard(row.id);
      if (deadline.aborted && error === deadline.reason) throw new AppError('timeout', { cause: error });
      throw error;
    }
  }

  /** The row first, with a job for the bytes: whatever dies in between, nothing is left for good. */
  async #discard(id: string): Promise<boolean> {
    const { db, store, purge } = this.#deps;
    const deleted = await db.transaction(async (tx) => {
      if (!(await deleteUnusedUpload(tx, id))) return false;
      await purge.later(tx, { keys: [uploadKey(id)] });
      return true;
    });
    if (deleted) await store.delete(uploadKey(id));
    return deleted;
  }

  /** The whole body, once its checksum is right. */
  async #proven(body: UploadBody, writer: Writer): Promise<ReadableStream<Uint8Array>> {
    const { checksumMaxBytes } = this.#deps.settings;
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of watched(body.stream, writer)) {
      writer.signal.throwIfAborted();
      length += chunk.byteLength;
      if (length > checksumMaxBytes)
        throw new AppError('body-too-large', {
          detail: `A body with a checksum may have ${checksumMaxBytes} bytes.`,
        });
      chunks.push(chunk);
    }
    const whole = Buffer.concat(chunks);
    const { algorithm, digest } = body.checksum ?? { algorithm: 'sha1', digest: undefined };
    if (!digest || !createHash(algorithm).update(whole).digest().equals(digest))
      throw new AppError('upload-checksum-mismatch');
    return new Blob([whole]).stream();
  }

  #expiry(): Date {
    return new Date(this.#deps.clock.nowMs() + this.#deps.settings.unfinishedTtlMs);
  }
}

function stateOf(row: UploadRow, offset: number): UploadState {
  const { id, size, filename, filetype, expiresAt } = row;
  return { id, offset, size, filename, filetype, expiresAt };
}

export function isMediaFault(error: unknown): error is AppError {
  return error instanceof AppError && error.code.startsWith('media-');
}

/** The same bytes, one chunk at a time; each one shows that the client is alive. */
function watched(stream: ReadableStream<Uint8Array>, writer: Writer): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        writer.touch();
        controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
