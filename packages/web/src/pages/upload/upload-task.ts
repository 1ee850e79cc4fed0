import { ApiError } from '@hvideo/client';
import { API_PREFIX, api } from '@hvideo/protocol';
import { DetailedError, type HttpRequest, Upload } from 'tus-js-client';
import { client } from '../../app/client.ts';
import { createStore } from '../../lib/signal.ts';
import { Slots } from '../../lib/slots.ts';
import { SpeedMeter } from '../../lib/speed-meter.ts';
import { forgetUpload, uploadFingerprint } from './unfinished.ts';

export interface UploadState {
  /** `waiting`: for one of the uploads before it to end. */
  readonly phase: 'waiting' | 'uploading' | 'paused' | 'done' | 'failed';
  /** 0 to 1. */
  readonly share: number;
  /** Measured over the last seconds; undefined until there is something to go by. */
  readonly bytesPerSecond: number | undefined;
  readonly uploadId: string | undefined;
  /** The code of the server's refusal; undefined when no answer came. */
  readonly problem: string | undefined;
}

const chunkBytes = 16 * 1024 * 1024;
const activeUploads = 2;
const slots = new Slots(activeUploads);

/** Whether the same request may do better later; 401 because the login is renewed in between. */
export function isWorthRetrying(status: number | undefined): boolean {
  return status === undefined || status === 0 || status >= 500 || [401, 408, 409, 423, 429].includes(status);
}

/** One resumable upload: it goes on after a lost connection, and after a reload of the page with the same file. */
export class UploadTask {
  readonly file: File;
  readonly state = createStore<UploadState>({
    phase: 'waiting',
    share: 0,
    bytesPerSecond: undefined,
    uploadId: undefined,
    problem: undefined,
  });
  readonly #upload: Upload;
  readonly #meter = new SpeedMeter();
  #running: AbortController | undefined;
  #release: (() => void) | undefined;
  #hasLookedBack = false;
  #mustRenew = false;

  constructor(file: File, accountId: string) {
    this.file = file;
    this.#upload = new Upload(file, {
      endpoint: `${API_PREFIX}/uploads`,
      chunkSize: chunkBytes,
      retryDelays: [500, 1500, 4000, 8000, 15000],
      fingerprint: async (chosen) => uploadFingerprint(chosen, accountId),
      metadata: { filename: file.name, filetype: file.type },
      onBeforeRequest: (request) => this.#authorize(request),
      onShouldRetry: (error) => {
        const status = error.originalResponse?.getStatus();
        if (status === 401) this.#mustRenew = true;
        return isWorthRetrying(status);
      },
      onProgress: (sent, total) => this.#onProgress(sent, total),
      onSuccess: () => this.#end({ phase: 'done', share: 1, uploadId: this.#id() }),
      onError: (error) => this.#end({ phase: 'failed', problem: problemCode(error) }),
    });
  }

  /** Begins or goes on, as soon as there is a slot. */
  start(): void {
    if (this.#running) return;
    this.#running = new AbortController();
    this.#set({ phase: 'waiting', problem: undefined });
    this.#run(this.#running.signal).catch((error: unknown) => {
      if (this.#running && !this.#running.signal.aborted)
        this.#end({ phase: 'failed', problem: problemCode(error) });
    });
  }

  pause(): void {
    this.#halt();
    this.#set({ phase: 'paused' });
  }

  /** For leaving the page: what has been sent stays on the server, to go on from. */
  stop(): void {
    this.#halt();
  }

  /** Gives it up, on the server too. Rejects when the server could not be told. */
  async discard(): Promise<void> {
    this.#halt();
    if (this.#upload.url !== null) await discardUpload(this.#upload.url);
    await this.forget();
  }

  /** Once it belongs to a video there is nothing to go on with. */
  async forget(): Promise<void> {
    if (this.#upload.url !== null) await forgetUpload(this.#upload.url);
  }

  async #run(signal: AbortSignal): Promise<void> {
    this.#release = await slots.take(signal);
    if (!this.#hasLookedBack) {
      this.#hasLookedBack = true;
      const [earlier] = await this.#upload.findPreviousUploads();
      signal.throwIfAborted();
      if (earlier) this.#upload.resumeFromPreviousUpload(earlier);
    }
    this.#set({ phase: 'uploading' });
    this.#upload.start();
  }

  async #authorize(request: HttpRequest): Promise<void> {
    if (this.#mustRenew) {
      this.#mustRenew = false;
      await client.call(api.me.get); // Renews a login that was refused.
    }
    await setAuthorization(request);
  }

  #onProgress(sent: number, total: number): void {
    this.#set({
      share: total > 0 ? sent / total : 0,
      bytesPerSecond: this.#meter.measure(sent, performance.now()),
    });
  }

  #halt(): void {
    this.#running?.abort();
    // Only the request is cut off, and nothing sent with it, so there is no failure to hear of.
    void this.#upload.abort();
    this.#end({});
  }

  #end(change: Partial<UploadState>): void {
    this.#running = undefined;
    this.#release?.();
    this.#release = undefined;
    this.#meter.reset();
    this.#set({ bytesPerSecond: undefined, ...change });
  }

  #set(change: Partial<UploadState>): void {
    this.state.set({ ...this.state.get(), ...change });
  }

  #id(): string | undefined {
    return this.#upload.url?.split('/').at(-1);
  }
}

const goneStatus = new Set([404, 410]);

/** Removes an upload from the server; one that is gone already is no failure. */
export async function discardUpload(url: string): Promise<void> {
  try {
    await Upload.terminate(url, {
      retryDelays: [500, 1500],
      onBeforeRequest: setAuthorization,
      onShouldRetry: (error) => isWorthRetrying(error.originalResponse?.getStatus()),
    });
  } catch (error) {
    const status = error instanceof DetailedError ? error.originalResponse?.getStatus() : undefined;
    if (status === undefined || !goneStatus.has(status)) throw error;
  }
}

async function setAuthorization(request: HttpRequest): Promise<void> {
  for (const [name, value] of Object.entries(await client.authHeaders())) request.setHeader(name, value);
}

/** The code of the server's refusal; undefined when no answer came. */
export function problemCode(error: unknown): string | undefined {
  if (error instanceof ApiError) return error.code;
  const body = error instanceof DetailedError ? error.originalResponse?.getBody() : undefined;
  if (!body) return undefined;
  try {
    const problem: unknown = JSON.parse(body);
    return typeof problem === 'object' &&
      problem !== null &&
      'code' in problem &&
      typeof problem.code === 'string'
      ? problem.code
      : undefined;
  } catch {
    return undefined; // A proxy's page rather than a problem document.
  }
}
