/**
 * Thresholds that are harder to cross than to stay beyond, so that what moves around one does not shake the system: a step is
 * reached at its threshold and left only below this part of it.
 */
export const LEAVE_AT = 0.7;

/** One step at a time. `thresholds[n]` leads from step n to n + 1. */
export function nextStep(current: number, value: number, thresholds: readonly number[]): number {
  const up = thresholds[current];
  if (up !== undefined && value >= up) return current + 1;
  const down = thresholds[current - 1];
  if (down !== undefined && value < down * LEAVE_AT) return current - 1;
  return current;
}

export const INBOX_CAPACITIES = [200, 400, 800] as const;
/** Reads a day from which on an inbox is one size larger: so that somebody who scrolls a lot rarely reaches its end. */
const CAPACITY_READS_PER_DAY = [2, 10];

/** The capacity that follows from how often somebody reads. */
export function nextCapacity(current: number, readsPerDay: number): number {
  const at = Math.max(
    0,
    INBOX_CAPACITIES.findIndex((capacity) => capacity >= current),
  );
  return INBOX_CAPACITIES[nextStep(at, readsPerDay, CAPACITY_READS_PER_DAY)] ?? INBOX_CAPACITIES[0];
}
