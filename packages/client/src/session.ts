import type { AuthSession } from '@hvideo/protocol';
import type { Surroundings } from './wait.ts';

/**
 * What is remembered of a login. In a cookie session it holds no secret: the tokens are in HttpOnly cookies, and this
 * only says that they are there and until when the access token is good.
 */
export interface SessionState {
  readonly accessToken?: string;
  readonly refreshToken?: string;
  readonly accessExpiresAtMs: number;
  /**
   * The Idempotency-Key of the next refresh, fixed when the refresh token arrived. Whoever repeats that refresh after
   * a lost answer (this page after a reload, another tab) sends the same key and gets the same answer, not the end of
   * the login.
   */
  readonly refreshKey: string;
}

/** Where a login is remembered. Shared by everything that uses the same login, such as the tabs of a browser. */
export interface SessionStore {
  load(): SessionState | null | Promise<SessionState | null>;
  save(state: SessionState | null): void | Promise<void>;
}

export function memoryStore(initial: SessionState | null = null): SessionStore {
  let state = initial;
  return {
    load: () => state,
    save: (next) => {
      state = next;
    },
  };
}

interface KeyValue {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

function parseState(text: string | null): SessionState | null {
  if (text === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // Someone else's text under this key: as good as nothing.
  }
  if (typeof value !== 'object' || value === null) return null;
  const state: Partial<SessionState> = value;
  return typeof state.refreshKey === 'string' && typeof state.accessExpiresAtMs === 'number'
    ? { ...state, refreshKey: state.refreshKey, accessExpiresAtMs: state.accessExpiresAtMs }
    : null;
}

/** Keeps the login in `localStorage` or the like. */
export function storageStore(storage: KeyValue, key = 'hvideo.session'): SessionStore {
  return {
    load: () => parseState(storage.getItem(key)),
    save: (state) => {
      if (state === null) storage.removeItem(key);
      else storage.setItem(key, JSON.stringify(state));
    },
  };
}

export function stateFrom(session: AuthSession, around: Surroundings): SessionState {
  return {
    accessToken: session.accessToken,
    ...(session.refreshToken === undefined ? {} : { refreshToken: session.refreshToken }),
    accessExpiresAtMs: around.now() + session.expiresIn * 1000,
    refreshKey: around.randomKey(),
  };
}

/** A cookie session never keeps a token where scripts can read it. */
export function withoutTokens(state: SessionState): SessionState {
  return { accessExpiresAtMs: state.accessExpiresAtMs, refreshKey: state.refreshKey };
}

interface LockManager {
  request<T>(name: string, options: { signal: AbortSignal }, work: () => Promise<T>): Promise<T>;
}

function isLockManager(value: unknown): value is LockManager {
  return (
    typeof value === 'object' && value !== null && 'request' in value && typeof value.request === 'function'
  );
}

/** Runs one at a time across tabs where the browser has Web Locks; elsewhere at once. */
export async function exclusively<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const holder: object = typeof navigator === 'undefined' ? {} : navigator;
  const locks = 'locks' in holder ? holder.locks : undefined;
  return isLockManager(locks) ? locks.request(name, { signal }, work) : work();
}
