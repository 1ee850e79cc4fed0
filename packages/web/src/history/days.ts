import type { HistoryEntry } from '@hvideo/protocol';

export interface HistoryDay {
  /** Midnight where the viewer is. */
  readonly startMs: number;
  readonly entries: readonly HistoryEntry[];
}

const startOfDay = (timeMs: number) => new Date(timeMs).setHours(0, 0, 0, 0);

/** Entries by the day on which they were watched, in the order in which they come. Each video is shown once. */
export function groupByDay(entries: readonly HistoryEntry[]): readonly HistoryDay[] {
  const days = new Map<number, HistoryEntry[]>();
  const seen = new Set<string>();
  for (const entry of entries) {
    if (seen.has(entry.video.id)) continue;
    seen.add(entry.video.id);
    const startMs = startOfDay(Date.parse(entry.watchedAt));
    const day = days.get(startMs);
    if (day) day.push(entry);
    else days.set(startMs, [entry]);
  }
  return [...days].map(([startMs, found]) => ({ startMs, entries: found }));
}

/** How many midnights lie between; clocks that are set forward or back make days of 23 and 25 hours. */
export const daysAgo = (startMs: number, nowMs: number) =>
  Math.round((startOfDay(nowMs) - startMs) / 86_400_000);
