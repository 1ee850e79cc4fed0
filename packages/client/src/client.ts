import type { AnyEndpoint, AuthSession, InputOf, ResponseOf } from '@hvideo/protocol';
import { defaultLimits, type RetryLimits, sendWithRetries } from './attempts.ts';
import { ApiError } from './errors.ts';
import { type EventOptions, readEvents, type ServerEvent } from './events.ts';
import {
  exclusively,
  memoryStore,
  type SessionState,
  type SessionStore,
  stateFrom,
  withoutTokens,
} from './session.ts';
import { buildUrl } from './url.ts';
import { realSurroundings, type Surroundings } from './wait.ts';

export interface ClientOptions {
  /** Such as `https://video.example`; empty in a browser for the page's own origin. */
  readonly baseUrl: string;
  /**
   * `cookie`: HttpOnly cookies carry the tokens, `store` only remembers that there is a login. `token`: the store keeps
   * the tokens, and every request carries a Bearer header.
   */
  readonly session: { readonly kind: 'cookie' | 'token'; readonly store?: SessionStore };
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  readonly limits?: Partial<RetryLimits>;
  /** The login was ended elsewhere or could not be renewed. */
  readonly onSessionEnd?: (reason: ApiError) => void;
  readonly surroundings?: Surroundings;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** For endpoints with a `rawBody`: the bytes and their media type. */
  readonly raw?: { readonly body: Blob | ArrayBuffer; readonly type: string };
  /** Set it to make one action repeatable over several calls; by default each call has its own. */
  readonly idempotencyKey?: string;
  /** The request outlives the page that sends it; its body must be small (64 KiB for all such requests together). */
  readonly keepalive?: boolean;
  readonly limits?: Partial<RetryLimits>;
}

/** The input may be left out where nothing in it is required. */
export type CallArgs<E extends AnyEndpoint> =
  Record<string, never> extends InputOf<E>
    ? [input?: InputOf<E>, options?: CallOptions]
    : [input: InputOf<E>, options?: CallOptions];

export interface Client {
  /** As it was given. */
  readonly baseUrl: string;
  /** Answers the parsed JSON, or nothing for an endpoint without a response. Throws `ApiError` or `NetworkError`. */
  call<E extends AnyEndpoint>(endpoint: E, ...args: CallArgs<E>): Promise<ResponseOf<E>>;
  /** The answer as it came, for endpoints with a `rawResponse`; its body may be a stream. */
  raw<E extends AnyEndpoint>(endpoint: E, ...args: CallArgs<E>): Promise<Response>;
  /** Server-sent events, with reconnection, until the caller leaves the loop or the signal is aborted. */
  events<E extends AnyEndpoint>(
    endpoint: E,
    input: InputOf<E>,
    options?: EventOptions,
  ): AsyncIterable<ServerEvent>;
  /** Whether a login is remembered. It may have ended on the server since. */
  isSignedIn(): Promise<boolean>;
  /** Headers that prove the login, renewed if need be: for uploaders and sockets. Empty in a cookie session. */
  authHeaders(signal?: AbortSignal): Promise<Record<string, string>>;
}

interface Reading {
  /** The whole body is read within the attempt, and under its deadline. */
  readonly isBuffered: boolean;
  readonly headers?: Record<string, string>;
}

interface Input {
  readonly params?: Record<string, unknown> | undefined;
  readonly query?: Record<string, unknown> | undefined;
  readonly body?: unknown;
}

const refreshPath = '/auth/refresh';
const beginsSession = new Set(['/auth/register', '/auth/login', '/instance/setup', refreshPath]);
const endsSession = new Set(['POST /auth/logout', 'DELETE /users/me']);
/** Refusals of the refresh after which no further try can help. */
const finalRefusals = new Set(['token-invalid', 'token-reused', 'unauthenticated', 'suspended']);
/** Renewed this long before its end, so that it does not run out on the way. */
const renewAheadMs = 10_000;

export function createClient(options: ClientOptions): Client {
  return new RestClient(options);
}

class RestClient implements Client {
  readonly baseUrl: string;
  readonly #options: ClientOptions;
  readonly #around: Surroundings;
  readonly #store: SessionStore;
  readonly #usesCookies: boolean;
  #refreshing: Promise<void> | undefined;

  constructor(options: ClientOptions) {
    this.baseUrl = options.baseUrl;
    this.#options = options;
    this.#around = options.surroundings ?? realSurroundings;
    this.#store = options.session.store ?? memoryStore();
    this.#usesCookies = options.session.kind === 'cookie';
  }

  async call<E extends AnyEndpoint>(endpoint: E, ...args: CallArgs<E>): Promise<ResponseOf<E>> {
    const [input, options] = args;
    const response = await this.#request(endpoint, asInput(input), options ?? {}, { isBuffered: true });
    return parseAnswer(await response.text());
  }

  async raw<E extends AnyEndpoint>(endpoint: E, ...args: CallArgs<E>): Promise<Response> {
    const [input, options] = args;
    return this.#request(endpoint, asInput(input), options ?? {}, { isBuffered: false });
  }

  events<E extends AnyEndpoint>(
    endpoint: E,
    input: InputOf<E>,
    options: EventOptions = {},
  ): AsyncIterable<ServerEvent> {
    const open = (signal: AbortSignal, lastEventId: string | undefined) =>
      this.#request(
        endpoint,
        asInput(input),
        { signal },
        {
          isBuffered: false,
          headers: { Accept: 'text/event-stream', ...(lastEventId && { 'Last-Event-ID': lastEventId }) },
        },
      );
    return readEvents(open, options, this.#around);
  }

  async isSignedIn(): Promise<boolean> {
    return (await this.#store.load()) !== null;
  }

  async authHeaders(signal: AbortSignal = new AbortController().signal): Promise<Record<string, string>> {
    const state = await this.#validState(signal);
    return state?.accessToken === undefined ? {} : { Authorization: `Bearer ${state.accessToken}` };
  }

  async #request(
    endpoint: AnyEndpoint,
    input: Input,
    options: CallOptions,
    reading: Reading,
  ): Promise<Response> {
    const signal = options.signal ?? new AbortController().signal;
    const isSessionCall = beginsSession.has(endpoint.path);
    const key = options.idempotencyKey ?? this.#around.randomKey();
    const attempt = async () => {
      const state = isSessionCall ? null : await this.#validState(signal);
      try {
        const response = await this.#send(endpoint, input, options, state, key, signal, reading);
        return { response, state };
      } catch (error) {
        if (!(error instanceof ApiError) || !isStale(error) || state === null) throw error;
        await this.#refresh(state, signal);
        return { response: undefined, state };
      }
    };
    const first = await attempt();
    const response = first.response ?? (await attempt()).response;
    if (response === undefined) throw new TypeError('A renewed login was refused');
    return this.#noteSession(endpoint, response);
  }

  async #send(
    endpoint: AnyEndpoint,
    input: Input,
    options: CallOptions,
    state: SessionState | null,
    key: string,
    signal: AbortSignal,
    reading: Reading,
  ): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'application/json', ...reading.headers };
    if (state?.accessToken !== undefined) headers['Authorization'] = `Bearer ${state.accessToken}`;
    if (endpoint.method !== 'GET' && endpoint.method !== 'HEAD') headers['Idempotency-Key'] = key;
    let body: string | Blob | ArrayBuffer | undefined;
    if (options.raw !== undefined) {
      headers['Content-Type'] = options.raw.type;
      body = options.raw.body;
    } else if (input.body !== undefined) {
      headers['Content-Type'] = 'application/json';
      body = JSON.stringify(this.#bodyOf(endpoint, input.body));
    }
    const url = buildUrl(this.#options.baseUrl, endpoint.path, input.params, input.query);
    const send = this.#options.fetch ?? ((target: string, init: RequestInit) => fetch(target, init));
    return sendWithRetries(
      (attemptSignal) =>
        send(url, {
          method: endpoint.method,
          headers,
          credentials: this.#usesCookies ? 'same-origin' : 'omit',
          signal: attemptSignal,
          ...(options.keepalive && { keepalive: true }),
          ...(body === undefined ? {} : { body }),
        }),
      { ...defaultLimits, ...this.#options.limits, ...options.limits },
      reading.isBuffered,
      signal,
      this.#around,
    );
  }

  /** Signing in says which kind of session it wants, so that callers need not. */
  #bodyOf(endpoint: AnyEndpoint, body: unknown): unknown {
    if (!beginsSession.has(endpoint.path) || endpoint.path === refreshPath) return body;
    if (typeof body !== 'object' || body === null || 'session' in body) return body;
    return { ...body, session: this.#options.session.kind };
  }

  /** The login as it stands, renewed first if its access token is about to run out. */
  async #validState(signal: AbortSignal): Promise<SessionState | null> {
    const state = await this.#store.load();
    if (state === null || state.accessExpiresAtMs - renewAheadMs > this.#around.now()) return state;
    await this.#refresh(state, signal);
    return this.#store.load();
  }

  /** One renewal at a time, in this client and, by a lock, among those that share the store. */
  #refresh(stale: SessionState, signal: AbortSignal): Promise<void> {
    // The renewal serves every caller that waits for it, so one of them giving up does not end it.
    this.#refreshing ??= exclusively('hvideo.refresh', new AbortController().signal, () =>
      this.#refreshLocked(stale),
    ).finally(() => {
      this.#refreshing = undefined;
    });
    return abandonable(this.#refreshing, signal);
  }

  async #refreshLocked(stale: SessionState): Promise<void> {
    const current = await this.#store.load();
    // Somebody else renewed it (or signed out) while this one waited.
    if (current === null || current.refreshKey !== stale.refreshKey) return;
    const endpoint = {
      method: 'POST',
      path: refreshPath,
      tag: 'auth',
      summary: '',
      access: 'public',
      limit: 'auth',
      status: 200,
    } as const satisfies AnyEndpoint;
    const body = current.refreshToken === undefined ? {} : { refreshToken: current.refreshToken };
    const signal = new AbortController().signal;
    try {
      const response = await this.#send(endpoint, { body }, {}, null, current.refreshKey, signal, {
        isBuffered: true,
      });
      await this.#noteSession(endpoint, response);
    } catch (error) {
      if (!(error instanceof ApiError) || !finalRefusals.has(error.code)) throw error;
      await this.#store.save(null);
      this.#options.onSessionEnd?.(error);
      throw error;
    }
  }

  /** Remembers what an answer says about the login. */
  async #noteSession(endpoint: AnyEndpoint, response: Response): Promise<Response> {
    if (endsSession.has(`${endpoint.method} ${endpoint.path}`)) await this.#store.save(null);
    if (!beginsSession.has(endpoint.path)) return response;
    const session = parseAnswer<AuthSession>(await response.clone().text());
    const state = stateFrom(session, this.#around);
    await this.#store.save(this.#usesCookies ? withoutTokens(state) : state);
    return response;
  }
}

function asInput(input: object | undefined): Input {
  return input ?? {};
}

/** The server builds its answers from the same schemas, so they are believed rather than checked again. */
function parseAnswer<T>(text: string): T {
  const value = text === '' ? undefined : JSON.parse(text);
  return value;
}

/** The access token was refused, rather than a password or a code. */
function isStale(error: ApiError): boolean {
  return error.code === 'token-invalid' || error.code === 'unauthenticated';
}

function abandonable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
