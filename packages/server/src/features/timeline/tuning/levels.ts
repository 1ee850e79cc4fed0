import { LEAVE_AT } from './bands.ts';

/** How far what a creator publishes is pushed: 0 and 1 to all for whom it pays, 2 to half of them, 3 to core followers. */
export type Level = 0 | 1 | 2 | 3;

/** From this many followers on a push to all of them is felt: level 1 is watched, 2 and 3 are capped. */
export const LEVEL_FOLLOWERS = [10_000, 100_000, 1_000_000] as const;
/**
 * The same for heat, so that somebody whom everybody is coming to is large before the followers are there: at the
 * weights below, 20,000 follows or 200,000 views in a day make level 2.
 */
export const LEVEL_HEAT = [20_000, 200_000, 2_000_000] as const;
/** What an event adds to the heat. */
export const HEAT_WEIGHTS = { follow: 10, mention: 5, view: 1 } as const;

/** So that each step is seen by the retuner before the next. */
export const RISE_AFTER_MS = 60_000;
/** A level that is too high costs some pulls; one that is too low costs pushes to everybody. */
export const FALL_AFTER_MS = 30 * 60_000;

export interface Size {
  readonly followers: number;
  readonly heat: number;
}

/** The level that follows: at most one step away, and left only when both followers and heat are well below. */
export function nextLevel(current: Level, { followers, heat }: Size, sinceMs: number): Level {
  const reaches = (level: number, part: number) =>
    followers >= LEVEL_FOLLOWERS[level - 1]! * part || heat >= LEVEL_HEAT[level - 1]! * part;
  if (current < 3 && sinceMs >= RISE_AFTER_MS && reaches(current + 1, 1)) return (current + 1) as Level;
  if (current > 0 && sinceMs >= FALL_AFTER_MS && !reaches(current, LEAVE_AT)) return (current - 1) as Level;
  return current;
}
