import { endOfDayMs } from '../../kernel/calendar.ts';
import { idTimeMs, smallestIdAt } from '../../kernel/ids.ts';
import { afterAllIds, type PageRequest } from '../videos/index.ts';

/** At most one of `cursor`, `since` and `at`. */
export interface FollowingRequest extends PageRequest {
  readonly since?: string | undefined;
  /** A day, `2026-11-01`, up to its end in `tz`, or a moment in RFC 3339. */
  readonly at?: string | undefined;
  readonly tz?: string | undefined;
}

/** The page holds entries with smaller keys than this. */
export function keyBefore({ at, tz = 'UTC' }: FollowingRequest, nowMs: number): string {
  if (at === undefined) return afterAllIds;
  const endMs = at.includes('T') ? Date.parse(at) + 1 : endOfDayMs(at, tz);
  return endMs > nowMs ? afterAllIds : smallestIdAt(endMs);
}

/** Nodes' clocks differ, and transactions end in another order than they began: so much is looked at again. */
const overlapMs = 60_000;

/** What is newer than `known` for a reader has greater keys than this. */
export function firstKeyFor(known: string): string {
  return smallestIdAt(idTimeMs(known) - overlapMs);
}
