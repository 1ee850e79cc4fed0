import { expect, test } from 'bun:test';
import type { HistoryEntry } from '@hvideo/protocol';
import { daysAgo, groupByDay } from './days.ts';

const entry = (id: string, at: Date) => ({ video: { id }, watchedAt: at.toISOString() }) as HistoryEntry;

test('groups by the viewer’s own days and shows each video once', () => {
  const entries = [
    entry('1', new Date(2026, 2, 10, 9)),
    entry('2', new Date(2026, 2, 10, 0, 1)),
    entry('3', new Date(2026, 2, 9, 23, 59)),
    entry('1', new Date(2026, 2, 8, 9)),
  ];
  const days = groupByDay(entries);
  expect(days.map((day) => day.entries.map(({ video }) => video.id))).toEqual([['1', '2'], ['3']]);
  expect(days.map(({ startMs }) => daysAgo(startMs, new Date(2026, 2, 10, 23).getTime()))).toEqual([0, 1]);
});

test('counts midnights, not hours', () => {
  const noon = new Date(2026, 2, 30, 12).getTime();
  for (let ago = 0; ago < 60; ago += 1)
    expect(daysAgo(new Date(2026, 2, 30 - ago).getTime(), noon)).toBe(ago);
});
