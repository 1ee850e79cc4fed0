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
