import { expect, test } from 'bun:test';
import { endOfDayMs } from './calendar.ts';

const iso = (day: string, zone: string) => new Date(endOfDayMs(day, zone)).toISOString();

test('a day ends at midnight of its zone', () => {
  expect(iso('2026-11-01', 'UTC')).toBe('2026-11-02T00:00:00.000Z');
  expect(iso('2026-11-01', 'Asia/Shanghai')).toBe('2026-11-01T16:00:00.000Z');
  expect(iso('2026-12-31', 'America/New_York')).toBe('2027-01-01T05:00:00.000Z');
  expect(iso('2026-02-28', 'Asia/Kolkata')).toBe('2026-02-28T18:30:00.000Z');
});

test('days on which the clock changes have 23 or 25 hours', () => {
  const hours = (day: string, before: string, zone: string) =>
    (endOfDayMs(day, zone) - endOfDayMs(before, zone)) / 3_600_000;
  expect(hours('2026-03-29', '2026-03-28', 'Europe/Berlin')).toBe(23);
  expect(hours('2026-10-25', '2026-10-24', 'Europe/Berlin')).toBe(25);
});

test('where midnight or a whole day is left out, the day ends when the clock goes on', () => {
  // São Paulo went from 23:59:59 to 01:00 on 4 November 2018, Apia from 29 to 31 December 2011.
  expect(iso('2018-11-03', 'America/Sao_Paulo')).toBe('2018-11-04T03:00:00.000Z');
  expect(iso('2011-12-30', 'Pacific/Apia')).toBe('2011-12-30T10:00:00.000Z');
  expect(iso('2011-12-29', 'Pacific/Apia')).toBe('2011-12-30T10:00:00.000Z');
});
