import type { AuthSession, Problem } from '@hvideo/protocol';

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly raw?: Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A plain HTTP client of the interface: what it sends is what is written in a test. */
export class ApiUser {
  readonly #base: string;
  accessToken: string | undefined;
  refreshToken: string | undefined;
  id = '';
  username = '';

  constructor(base: string) {
    this.#base = base;
  }

  async call<T = Problem>(method: string, path: string, options: CallOptions = {}): Promise<Answer<T>> {
    const headers = new Headers(options.headers);
    if (this.accessToken && !headers.has('authorization'))
      headers.set('authorization', `Bearer ${this.accessToken}`);
    if (options.body !== undefined) headers.set('content-type', 'application/json');
    const response = await fetch(`${this.#base}/api/v1${path}`, {
      method,
      headers,
      body: options.raw ?? (options.body === undefined ? null : JSON.stringify(options.body)),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson && text !== '' ? JSON.parse(text) : text) as T,
    };
  }

  async join(username: string, path = '/auth/register'): Promise<this> {
    const answer = await this.call<AuthSession>('POST', path, {
      body: { username, password: passwordOf(username) },
    });
    if (answer.status !== 201) throw new Error(`joining failed: ${JSON.stringify(answer.body)}`);
    this.id = answer.body.user.id;
    this.username = username;
    this.accessToken = answer.body.accessToken;
    this.refreshToken = answer.body.refreshToken;
    return this;
  }

  /** Sends the file from `offset` on; answers the status of the PATCH. */
  async append(uploadId: string, bytes: Uint8Array<ArrayBuffer>, offset = 0): Promise<Answer<Problem>> {
    return this.call('PATCH', `/uploads/${uploadId}`, {
      raw: bytes.slice(offset),
      headers: { ...tus, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' },
    });
  }

  async beginUpload(size: number): Promise<string> {
    const answer = await this.call('POST', '/uploads', {
      headers: { ...tus, 'upload-length': String(size), 'upload-metadata': `filename ${btoa('clip.mp4')}` },
    });
    if (answer.status !== 201) throw new Error(`upload refused: ${JSON.stringify(answer.body)}`);
    return answer.headers.get('location')?.split('/').at(-1) ?? '';
  }
}

export const tus = { 'tus-resumable': '1.0.0' };
export const passwordOf = (username: string) => `the long word of ${username}`;

/** Asks again until the answer will do, at most for `deadlineMs`. */
export async function eventually<T>(
  ask: () => Promise<T>,
  willDo: (value: T) => boolean,
  deadlineMs = 30_000,
): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const value = await ask();
    if (willDo(value)) return value;
    if (performance.now() > endMs) throw new Error(`still ${JSON.stringify(value)} after ${deadlineMs} ms`);
    await Bun.sleep(50);
  }
}
