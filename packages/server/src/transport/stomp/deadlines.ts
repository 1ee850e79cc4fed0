import { CLOSE_CODES, type CloseCode } from '@hvideo/protocol/stomp';
import { gatewayLimits as limits } from './limits.ts';

/** What of an open connection has its time, on the monotonic clock; 0: there is nothing. */
export interface Times {
  /** Unix time: the end of its token. */
  readonly expiresMs: number;
  readonly slowSinceMs: number;
  readonly partialSinceMs: number;
  readonly heardMs: number;
  readonly wroteMs: number;
  readonly hearEveryMs: number;
  readonly sendEveryMs: number;
}

/** Why a connection ends: code and detail of the ERROR, and of the close. */
export type Overdue = readonly [code: string, detail: string, closeCode: CloseCode];

const tokenEnded: Overdue = ['token-expired', 'renew the access token', CLOSE_CODES.tokenExpired];
const neverEnded: Overdue = ['timeout', 'the rest of a frame did not come', CLOSE_CODES.timedOut];
const silent: Overdue = ['heart-beat-missed', 'nothing was heard', CLOSE_CODES.heartBeatMissed];

export function overdueOf(times: Times, nowMs: number, unixMs: number): Overdue | undefined {
  const { expiresMs, hearEveryMs, heardMs, partialSinceMs } = times;
  if (expiresMs <= unixMs) return tokenEnded;
  if (partialSinceMs > 0 && nowMs - partialSinceMs >= limits.frameWithinMs) return neverEnded;
  const deafAfterMs = hearEveryMs * limits.heartBeatTolerance;
  return hearEveryMs > 0 && nowMs - heardMs >= deafAfterMs ? silent : undefined;
}

/** Its socket has taken nothing for too long. */
export const isStuck = ({ slowSinceMs }: Times, nowMs: number): boolean =>
  slowSinceMs > 0 && nowMs - slowSinceMs >= limits.slowForMs;

export const owesHeartBeat = ({ sendEveryMs, wroteMs }: Times, nowMs: number): boolean =>
  sendEveryMs > 0 && nowMs - wroteMs >= sendEveryMs * 0.7;

/** When it has to be looked at again. */
export function lookAgainInMs(times: Times, unixMs: number): number {
  const { expiresMs, hearEveryMs, partialSinceMs, sendEveryMs, slowSinceMs } = times;
  let ms = Math.min(expiresMs - unixMs, 86_400_000);
  // Some earlier than agreed, so that a slow line delays no heart-beat over the time.
  if (sendEveryMs > 0) ms = Math.min(ms, sendEveryMs * 0.4);
  if (hearEveryMs > 0) ms = Math.min(ms, hearEveryMs);
  if (slowSinceMs > 0) ms = Math.min(ms, limits.slowForMs / 4);
  if (partialSinceMs > 0) ms = Math.min(ms, limits.frameWithinMs / 2);
  return Math.max(100, ms);
}
