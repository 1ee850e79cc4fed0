type Language = 'en' | 'zh';

const localeOf: Record<Language, string> = { en: 'en', zh: 'zh-CN' };

/** Formatters are costly to make and few in kind. */
function cached<T>(make: (locale: string) => T): (language: Language) => T {
  const made = new Map<Language, T>();
  return (language) => {
    const known = made.get(language);
    if (known !== undefined) return known;
    const fresh = make(localeOf[language]);
    made.set(language, fresh);
    return fresh;
  };
}

const compact = cached((it) => new Intl.NumberFormat(it, { notation: 'compact', maximumFractionDigits: 1 }));
const relative = cached((it) => new Intl.RelativeTimeFormat(it, { numeric: 'auto' }));
const dayThisYear = cached((it) => new Intl.DateTimeFormat(it, { month: 'short', day: 'numeric' }));
const day = cached((it) => new Intl.DateTimeFormat(it, { dateStyle: 'medium' }));
const month = cached((it) => new Intl.DateTimeFormat(it, { year: 'numeric', month: 'long' }));
const moment = cached((it) => new Intl.DateTimeFormat(it, { dateStyle: 'medium', timeStyle: 'short' }));
const momentThisYear = cached(
  (it) => new Intl.DateTimeFormat(it, { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' }),
);
const weekday = cached(
  (it) => new Intl.DateTimeFormat(it, { weekday: 'long', month: 'short', day: 'numeric' }),
);
// Two digits where no "AM" follows: 3:01 beside durations would be taken for one.
const timeOfDay = cached(
  (it) => new Intl.DateTimeFormat(it, { hour: it === 'en' ? 'numeric' : '2-digit', minute: '2-digit' }),
);
const percent = cached((it) => new Intl.NumberFormat(it, { style: 'percent', maximumFractionDigits: 0 }));
const bytes = cached((it) => new Intl.NumberFormat(it, { maximumFractionDigits: 1 }));

/** 1234 as 1.2K, in Chinese 1234, and 12,345 as 1.2万. */
export const formatCount = (count: number, language: Language) => compact(language).format(count);

export const formatPercent = (share: number, language: Language) => percent(language).format(share);

export const formatDate = (at: string, language: Language) => day(language).format(new Date(at));
export const formatMonth = (at: string, language: Language) => month(language).format(new Date(at));
/** The hour and the minute. */
export const formatTime = (at: string, language: Language) => timeOfDay(language).format(new Date(at));
/** A day with its weekday; of another year the date alone. */
export function formatDay(timeMs: number, language: Language, nowMs: number): string {
  const then = new Date(timeMs);
  const isThisYear = then.getFullYear() === new Date(nowMs).getFullYear();
  return (isThisYear ? weekday : day)(language).format(then);
}
/** Day and time; the year only when it is another one. */
export function formatMoment(at: string, language: Language, nowMs = Date.now()): string {
  const then = new Date(at);
  const isThisYear = then.getFullYear() === new Date(nowMs).getFullYear();
  return (isThisYear ? momentThisYear : moment)(language).format(then);
}

const units = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

export function formatBytes(count: number, language: Language): string {
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${bytes(language).format(value)} ${units[unit]}`;
}

/** 5 s as 0:05, more than an hour as 1:02:03. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  const pad = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = pad(seconds % 60);
  return hours > 0 ? `${hours}:${pad(minutes)}:${rest}` : `${minutes}:${rest}`;
}

const justNow = { en: 'just now', zh: '刚刚' };
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** "3 hours ago" up to a week, then the date. Clocks differ a little: what seems to lie ahead is now. */
export function formatAgo(at: string, language: Language, nowMs: number): string {
  const then = new Date(at);
  const agoMs = Math.max(0, nowMs - then.getTime());
  // The formatter's own "now" does not go with "published", and reads oddly in Chinese.
  if (agoMs < minuteMs) return justNow[language];
  if (agoMs < hourMs) return relative(language).format(-Math.floor(agoMs / minuteMs), 'minute');
  if (agoMs < dayMs) return relative(language).format(-Math.floor(agoMs / hourMs), 'hour');
  if (agoMs < 7 * dayMs) return relative(language).format(-Math.floor(agoMs / dayMs), 'day');
  const sameYear = then.getFullYear() === new Date(nowMs).getFullYear();
  return (sameYear ? dayThisYear : day)(language).format(then);
}
