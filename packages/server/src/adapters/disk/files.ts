import type { FileHandle } from 'node:fs/promises';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../../kernel/errors.ts';

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
  );
}

export function toStoreError(error: unknown, key: string): unknown {
  if (hasCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG')) return new AppError('no-space', { cause: error });
  if (hasCode(error, 'ENOENT')) return new AppError('not-found', { cause: error });
  if (hasCode(error, 'EISDIR', 'ENOTDIR')) {
    return new Error(`The key ${key} is both an object and a folder of objects`, { cause: error });
  }
  return error;
}

/** Makes a folder that is still there after a power cut: every new name is in a synced parent. */
export async function makeDirectory(path: string): Promise<void> {
  const firstMade = await mkdir(path, { recursive: true });
  if (firstMade === undefined) return;
  const last = dirname(firstMade);
  for (let made = path; made !== last && made !== dirname(made); made = dirname(made)) {
    await syncDirectory(dirname(made));
  }
}

export async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a folder; NTFS journals names itself.
  if (process.platform === 'win32') return;
  try {
    await using folder = await open(path, 'r');
    await folder.sync();
  } catch (error) {
    // A neighbour's delete pruned the folder: then there is no name in it left to keep.
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/**
 * Writes `body` at `position`, one chunk at a time: the next one is asked for when the last one is in the file.
 * Answers the position after the last byte. Bytes written before an error stay in the file.
 */
export async function writeAll(
  file: FileHandle,
  position: number,
  body: Blob | Uint8Array | ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
  maxBytes = Number.MAX_SAFE_INTEGER,
): Promise<number> {
  if (body instanceof Uint8Array) return position + (await writeChunk(file, position, body));
  const reader = (body instanceof Blob ? body.stream() : body).getReader();
  let at = position;
  try {
    for (;;) {
      const { done, value } = await abortable(reader.read(), signal);
      if (done) return at;
      const room = maxBytes - at;
      at += await writeChunk(file, at, value.byteLength > room ? value.subarray(0, room) : value);
      if (value.byteLength > room) throw new AppError('upload-too-large');
    }
  } catch (error) {
    // The source may have failed itself; then cancelling only repeats that failure, and `error` tells it already.
    reader.cancel(error).catch(() => {});
    throw error;
  }
}

async function writeChunk(file: FileHandle, position: number, chunk: Uint8Array): Promise<number> {
  let done = 0;
  while (done < chunk.byteLength) {
    const { bytesWritten } = await file.write(chunk, done, chunk.byteLength - done, position + done);
    done += bytesWritten;
  }
  return done;
}

async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await work;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
