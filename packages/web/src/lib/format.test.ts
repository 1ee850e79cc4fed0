import { expect, test } from 'bun:test';
import { formatAgo, formatBytes, formatCount, formatDuration, formatMoment } from './format.ts';

const now = Date.parse('2026-06-15T12:00:00Z');
const ago = (ms: number) => new Date(now - ms).toISOString();

test('durations show hours only when there are any', () => {
  expect(formatDuration(0)).toBe('0:00');
  expect(formatDuration(5_999)).toBe('0:05');
  expect(formatDuration(65_000)).toBe('1:05');
  expect(formatDuration(3_723_000)).toBe('1:02:03');
  expect(formatDuration(-1)).toBe('0:00');
});

test('times are relative up to a week, then dates, in both languages', () => {
  expect(formatAgo(ago(30_000), 'en', now)).toBe('just now');
  expect(formatAgo(ago(-30_000), 'zh', now)).toBe('刚刚');
  expect(formatAgo(ago(5 * 60_000), 'en', now)).toBe('5 minutes ago');
  expect(formatAgo(ago(5 * 60_000), 'zh', now)).toBe('5分钟前');
  expect(formatAgo(ago(26 * 3_600_000), 'en', now)).toBe('yesterday');
  expect(formatAgo(ago(26 * 3_600_000), 'zh', now)).toBe('昨天');
  expect(formatAgo('2026-03-02T12:00:00Z', 'en', now)).toBe('Mar 2');
  expect(formatAgo('2024-03-02T12:00:00Z', 'zh', now)).toContain('2024');
});

test('a moment names its year only when it is another one', () => {
  expect(formatMoment('2026-03-02T12:00:00Z', 'en', now)).not.toContain('2026');
  expect(formatMoment('2027-03-02T12:00:00Z', 'en', now)).toContain('2027');
  expect(formatMoment('2026-03-02T12:00:00Z', 'zh', now)).toStartWith('3月');
});

test('large numbers are shortened as each language does', () => {
  expect(formatCount(999, 'en')).toBe('999');
  expect(formatCount(12_345, 'en')).toBe('12.3K');
  expect(formatCount(12_345, 'zh')).toBe('1.2万');
});

test('sizes use decimal units', () => {
  expect(formatBytes(999, 'en')).toBe('999 B');
  expect(formatBytes(1_500_000, 'en')).toBe('1.5 MB');
  expect(formatBytes(4_000_000_000, 'zh')).toBe('4 GB');
});
