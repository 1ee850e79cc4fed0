import { ApiError, NetworkError } from '../errors.ts';
import type { ChatFailure } from './types.ts';

export function failureOf(error: unknown): ChatFailure {
  if (error instanceof ApiError) return { code: error.code, detail: error.problem.detail ?? null };
  if (error instanceof NetworkError) return { code: 'network', detail: error.message };
  return { code: 'closed', detail: error instanceof Error ? error.message : null };
}

const endsOfLogins: ReadonlySet<string> = new Set([
  'unauthenticated',
  'token-invalid',
  'token-reused',
  'suspended',
]);

/** The login is over: nothing works until somebody signs in. */
export function isFinalRefusal(error: unknown): boolean {
  return error instanceof ApiError && endsOfLogins.has(error.code);
}

/** The same request may succeed later: the server is busy or broken, or the login has to be renewed first. */
export function isPassingStatus(status: number): boolean {
  return status >= 500 || status === 401 || status === 408 || status === 429;
}

export function isPassing(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof ApiError && isPassingStatus(error.status));
}

/** An answer that a repetition would get again. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && !isPassingStatus(error.status);
}
