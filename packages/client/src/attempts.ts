import { ApiError, errorFromResponse, NetworkError } from './errors.ts';
import { backoffMs, type Surroundings } from './wait.ts';

export interface RetryLimits {
  /** Requests in all, the first included. */
  readonly maxAttempts: number;
  /** One request, from sending it to its headers. */
  readonly attemptMs: number;
  /** Everything, waits included. */
  readonly deadlineMs: number;
}

export const defaultLimits: RetryLimits = { maxAttempts: 4, attemptMs: 15_000, deadlineMs: 30_000 };

const baseDelayMs = 250;
const maxDelayMs = 4_000;
/** Answers that say "not now"; a proxy says 502 and 504. */
const transientStatus = new Set([429, 502, 503, 504]);

/** Sends one request; the signal ends with the attempt, the deadline or the caller. */
export type Send = (signal: AbortSignal) => Promise<Response>;

/**
 * Sends until an answer comes that is not worth another try. The caller makes sure that repeating is harmless: the
 * request only reads, or carries the same Idempotency-Key each time.
 */
export async function sendWithRetries(
  send: Send,
  limits: RetryLimits,
  isBuffered: boolean,
  signal: AbortSignal,
  around: Surroundings,
): Promise<Response> {
  const endsAtMs = around.now() + limits.deadlineMs;
  for (let attempt = 0; ; attempt += 1) {
    const timeoutMs = Math.min(limits.attemptMs, endsAtMs - around.now());
    const result = await trySend(send, timeoutMs, isBuffered, signal, around);
    if (result instanceof Response) return result;
    const delayMs =
      backoffMs(attempt, baseDelayMs, maxDelayMs, around.random) +
      (result instanceof ApiError ? (result.retryAfterMs ?? 0) : 0);
    const isTransient = result instanceof NetworkError || transientStatus.has(result.status);
    const hasRoom = attempt + 1 < limits.maxAttempts && around.now() + delayMs < endsAtMs;
    if (!isTransient || !hasRoom) throw result;
    await around.sleep(delayMs, signal);
  }
}

/** One request. Without buffering, the caller's signal goes on to cover the body, and the timeout does not. */
async function trySend(
  send: Send,
  timeoutMs: number,
  isBuffered: boolean,
  signal: AbortSignal,
  around: Surroundings,
): Promise<Response | ApiError | NetworkError> {
  signal.throwIfAborted();
  const timeout = new AbortController();
  const cancel = around.setTimer(Math.max(1, timeoutMs), () => timeout.abort());
  try {
    const response = await send(AbortSignal.any([signal, timeout.signal]));
    if (!response.ok) return await errorFromResponse(response, around.now());
    return isBuffered ? await buffer(response) : response;
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.signal.aborted)
      return new NetworkError('No answer in time', { timedOut: true, cause: error });
    return new NetworkError('The server cannot be reached', { timedOut: false, cause: error });
  } finally {
    cancel();
  }
}

async function buffer(response: Response): Promise<Response> {
  const bytes = await response.arrayBuffer();
  const { status, headers } = response;
  return new Response(bytes.byteLength === 0 ? null : bytes, { status, headers });
}
