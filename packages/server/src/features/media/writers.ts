import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';

export interface WriterSettings {
  /** A writer that got no byte for so long loses the upload to the next request for it. */
  readonly abandonedAfterMs: number;
  /** A writer that got no byte for so long is ended even if nobody else asks. */
  readonly idleTimeoutMs: number;
}

/** The one request that may write to an upload. Dispose it when the request has ended. */
export interface Writer extends Disposable {
  /** Aborted when another request takes over, when no byte comes, or when the server shuts down. */
  readonly signal: AbortSignal;
  /** Says that bytes are still coming. */
  touch(): void;
  /** From here on nobody can take over: the last byte is here and the file is being examined. */
  settle(): void;
}

/**
 * One writer for each upload. A client that lost its connection comes back long before the server notices that the
 * old one is dead, so a new request takes over from a writer that has gone silent; from a live one it does not.
 */
export class Writers {
  readonly #clock: Clock;
  readonly #settings: WriterSettings;
  readonly #writers = new Map<string, ActiveWriter>();
  readonly #watch: Disposable;
  #closed = false;

  constructor(clock: Clock, settings: WriterSettings) {
    this.#clock = clock;
    this.#settings = settings;
    this.#watch = clock.every(Math.min(settings.idleTimeoutMs, 5000), () => this.#endIdle());
  }

  async acquire(uploadId: string): Promise<Writer> {
    await this.release(uploadId);
    // Another request may have been quicker after the wait.
    if (this.#writers.has(uploadId)) throw locked();
    if (this.#closed) throw new AppError('shutting-down');
    const writer = new ActiveWriter(this.#clock, () => this.#writers.delete(uploadId));
    this.#writers.set(uploadId, writer);
    return writer;
  }

  /** Waits until nobody writes: takes over from a silent writer, refuses with `upload-locked` while one is alive. */
  async release(uploadId: string): Promise<void> {
    const current = this.#writers.get(uploadId);
    if (!current) return;
    if (current.settled || current.silentMs < this.#settings.abandonedAfterMs) throw locked();
    current.abort(new AppError('upload-locked', { detail: 'Another request goes on with this upload.' }));
    await current.ended;
  }

  /** Ends every writer and waits for them. What has arrived is kept. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#watch[Symbol.dispose]();
    const writers = [...this.#writers.values()];
    for (const writer of writers) if (!writer.settled) writer.abort(new AppError('shutting-down'));
    await Promise.all(writers.map((writer) => writer.ended));
  }

  /** Ends the writer, alive or not, and waits: the upload is being given up. */
  async evict(uploadId: string): Promise<void> {
    const current = this.#writers.get(uploadId);
    if (!current) return;
    current.abort(new AppError('not-found', { detail: 'The upload was given up.' }));
    await current.ended;
  }

  #endIdle(): void {
    for (const writer of this.#writers.values()) {
      if (!writer.settled && writer.silentMs >= this.#settings.idleTimeoutMs)
        writer.abort(new AppError('timeout', { detail: 'No bytes came for too long.' }));
    }
  }
}

class ActiveWriter implements Writer {
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  readonly #end = Promise.withResolvers<void>();
  readonly #remove: () => void;
  #lastByteMs: number;
  settled = false;

  constructor(clock: Clock, remove: () => void) {
    this.#clock = clock;
    this.#remove = remove;
    this.#lastByteMs = clock.monotonicMs();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get ended(): Promise<void> {
    return this.#end.promise;
  }

  get silentMs(): number {
    return this.#clock.monotonicMs() - this.#lastByteMs;
  }

  touch(): void {
    this.#lastByteMs = this.#clock.monotonicMs();
  }

  settle(): void {
    this.settled = true;
  }

  abort(reason: AppError): void {
    this.#abort.abort(reason);
  }

  [Symbol.dispose](): void {
    this.#remove();
    this.#end.resolve();
  }
}

function locked(): AppError {
  return new AppError('upload-locked', { retryAfterSeconds: 1 });
}
