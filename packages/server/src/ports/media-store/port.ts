/**
 * Files: originals, renditions, covers, avatars.
 *
 * Purpose: large immutable objects by key, and one kind of growing object, the upload in progress.
 *
 * Guarantees (each proven by `contract.ts`)
 * - Durability: what `put`, `append` and `importFile` acknowledged is there after the process is killed.
 * - Atomicity: a key holds the whole object or nothing; a reader never sees half of a `put`.
 * - `append` writes at the given offset only if the object has exactly that size, and answers the new size; when the
 *   source breaks off, its error is thrown, and what had arrived stays, so that the upload goes on from there.
 * - `delete` and `deletePrefix` are idempotent.
 * - A prefix names a folder: `a/b` and `a/b/` mean the same, and never reach `a/bc`.
 *
 * Units and limits: sizes in bytes; keys match `^[a-z0-9][a-z0-9._/-]{0,199}$`, hold no `..` and no empty segment
 * (`keys.ts`); a key that breaks the rule is a bug and throws a `TypeError`. A key cannot be an object and a folder.
 * Memory is constant in the size of the object.
 *
 * Errors: `not-found`, `upload-offset-conflict`, `upload-locked` (two appends at once), `upload-too-large` (past
 * `maxBytes`; the bytes up to it stay), `no-space`.
 * Abort: stops reading the source; for `append` the bytes written so far stay, for `put` nothing stays.
 */
export interface MediaStore {
  put(
    key: string,
    body: Blob | Uint8Array | ReadableStream<Uint8Array>,
    options?: MediaStoreOptions,
  ): Promise<void>;
  /** Moves a local file in; the file is gone afterwards. */
  importFile(key: string, path: string, options?: MediaStoreOptions): Promise<void>;
  /** `undefined` when there is no such object. */
  stat(key: string, options?: MediaStoreOptions): Promise<MediaObject | undefined>;
  /** The object, or the bytes from `start` up to but excluding `end`, as a blob that is read lazily. */
  get(key: string, range?: { start: number; end: number }, options?: MediaStoreOptions): Promise<Blob>;
  /** An empty object to append to. Replaces what was there. */
  create(key: string, options?: MediaStoreOptions): Promise<void>;
  /** `maxBytes` is the size that the object may reach. */
  append(
    key: string,
    offset: number,
    source: ReadableStream<Uint8Array>,
    options: MediaStoreOptions & { maxBytes: number },
  ): Promise<{ size: number }>;
  /** A path that ffmpeg can read, valid until disposed. The directory adapter hands out the file itself. */
  localFile(key: string, options?: MediaStoreOptions): Promise<{ readonly path: string } & AsyncDisposable>;
  delete(key: string, options?: MediaStoreOptions): Promise<void>;
  deletePrefix(prefix: string, options?: MediaStoreOptions): Promise<void>;
  /** In no promised order; `''` lists everything. */
  list(prefix: string, options?: MediaStoreOptions): AsyncIterable<MediaObject & { key: string }>;
}

export interface MediaObject {
  readonly size: number;
  /** Strong: changes with the content. */
  readonly etag: string;
}

export interface MediaStoreOptions {
  readonly signal?: AbortSignal | undefined;
}
