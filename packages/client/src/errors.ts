import type { Problem } from '@hvideo/protocol';

/** The server refused; `code` is stable and listed in the interface's documentation. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  readonly status: number;
  readonly problem: Problem;
  /** How long the server asks to wait, if it says so. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs: number | undefined) {
    super(problem.detail ?? problem.title);
    this.code = problem.code;
    this.status = problem.status;
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer came: the network failed or the deadline passed. A write may or may not have happened. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  readonly timedOut: boolean;

  constructor(message: string, options: { timedOut: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.timedOut = options.timedOut;
  }
}

function isProblem(value: unknown): value is Problem {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    typeof value.code === 'string' &&
    'status' in value &&
    typeof value.status === 'number' &&
    'title' in value &&
    typeof value.title === 'string'
  );
}

/** Seconds or an HTTP date, as milliseconds from now. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

/** Reads a refusal. What is not a problem document (a proxy's page) becomes one with the code `http-STATUS`. */
export async function errorFromResponse(response: Response, nowMs: number): Promise<ApiError> {
  const retryAfterMs = parseRetryAfter(response.headers.get('Retry-After'), nowMs);
  const body = await response.text();
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = undefined; // Not JSON: described by its status below.
  }
  if (isProblem(parsed)) return new ApiError(parsed, retryAfterMs);
  const problem: Problem = {
    type: 'about:blank',
    title: response.statusText || `HTTP ${response.status}`,
    status: response.status,
    code: `http-${response.status}`,
    outcome: response.status >= 500 ? 'unknown' : 'not-applied',
  };
  return new ApiError(problem, retryAfterMs);
}
