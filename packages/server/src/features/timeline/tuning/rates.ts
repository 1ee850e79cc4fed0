import type { Sql, SqlQuery } from '../../../ports/database/port.ts';

const dayMs = 86_400_000;

/**
 * A rate a day that forgets: each event adds `perEvent`, and what was there halves with every half-life. Events that come
 * evenly settle at their true rate.
 */
export interface Decay {
  readonly halfLifeMs: number;
}

/** Somebody who comes every day is known within a week, and who stays away is forgotten as fast. */
export const READS: Decay = { halfLifeMs: 3 * dayMs };
/** Most people publish a few times a week at most. */
export const POSTS: Decay = { halfLifeMs: 14 * dayMs };
/** A burst has passed after a day. */
export const HEAT: Decay = { halfLifeMs: 6 * 3_600_000 };

export const perEvent = ({ halfLifeMs }: Decay): number => (Math.LN2 * dayMs) / halfLifeMs;

/** What is left of a rate of `ratedAtMs`. A clock that stepped back changes nothing. */
export function decayed({ halfLifeMs }: Decay, rate: number, ratedAtMs: number, nowMs: number): number {
  return rate * 0.5 ** (Math.max(0, nowMs - ratedAtMs) / halfLifeMs);
}

/** The same in SQL, as a factor. */
export function decayFactor(
  sql: Sql,
  { halfLifeMs }: Decay,
  ratedAt: SqlQuery<unknown[]>,
  now: Date,
): SqlQuery<unknown[]> {
  const halfLifeSeconds = halfLifeMs / 1_000;
  return sql`power(0.5::float8, least(1000,
    greatest(0, extract(epoch from ${now}::timestamptz - ${ratedAt})::float8) / ${halfLifeSeconds}::float8))`;
}
