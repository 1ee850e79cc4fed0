import type { Problem } from '@hvideo/protocol';
import { AppError, type ErrorCode } from '../../kernel/errors.ts';

/** The one place where an error becomes an answer (RFC 9457). */
export function problemResponse(
  error: AppError,
  options: { instance?: string; traceId?: string } = {},
): Response {
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  };
  const wait = error.retryAfterSeconds ?? (error.retry === 'later' && error.status >= 429 ? 1 : undefined);
  if (wait !== undefined && error.status !== 500) headers['retry-after'] = String(wait);
  if (error.status === 401) headers['www-authenticate'] = 'Bearer';
  return new Response(JSON.stringify(problemDocument(error, options)), { status: error.status, headers });
}

export function problemDocument(
  error: AppError,
  options: { instance?: string; traceId?: string } = {},
): Problem {
  return {
    type: `/api/docs/errors#${error.code}`,
    title: error.title,
    status: error.status,
    code: error.code,
    ...(error.detail !== undefined && { detail: error.detail }),
    ...(options.instance !== undefined && { instance: options.instance }),
    ...(error.fields && { fields: { ...error.fields } }),
    outcome: error.outcome,
    ...error.extras,
    ...(options.traceId !== undefined && { traceId: options.traceId }),
  };
}

/** What the transport refuses before any feature sees the request. */
export function refuse(code: ErrorCode, detail?: string): Response {
  return problemResponse(new AppError(code, detail === undefined ? {} : { detail }));
}
