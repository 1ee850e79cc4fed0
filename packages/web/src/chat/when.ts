import { daysAgo } from '../history/days.ts';
import { i18n, type Language } from '../i18n/index.ts';
import { formatDate, formatDay, formatTime } from '../lib/format.ts';

const weekdays = new Map<Language, Intl.DateTimeFormat>();

function weekday(at: Date, language: Language): string {
  let format = weekdays.get(language);
  if (format === undefined) {
    format = new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en', { weekday: 'short' });
    weekdays.set(language, format);
  }
  return format.format(at);
}

/** Beside a conversation: the hour today, then yesterday, the weekday, the date. */
export function formatWhen(at: string, language: Language, nowMs: number): string {
  const then = new Date(at);
  const days = daysAgo(new Date(at).setHours(0, 0, 0, 0), nowMs);
  if (days <= 0) return formatTime(at, language);
  if (days === 1) return i18n.t('chat:yesterday');
  return days < 7 ? weekday(then, language) : formatDate(at, language);
}

/** Above the messages of a day. */
export function formatDayName(startMs: number, language: Language, nowMs: number): string {
  const days = daysAgo(startMs, nowMs);
  if (days <= 0) return i18n.t('chat:today');
  return days === 1 ? i18n.t('chat:yesterday') : formatDay(startMs, language, nowMs);
}
