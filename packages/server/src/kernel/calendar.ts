/** Milliseconds that the wall clock of the zone is ahead of UTC at this moment. */
function offsetMs(timeZone: string, atMs: number): number {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, hourCycle: 'h23', era: 'short' },
    ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
  const at = (name: Intl.DateTimeFormatPartTypes) => Number(parts.get(name));
  const year = parts.get('era') === 'BC' ? 1 - at('year') : at('year');
  const wall = new Date(0);
  wall.setUTCFullYear(year, at('month') - 1, at('day'));
  wall.setUTCHours(at('hour'), at('minute'), at('second'));
  return wall.getTime() - Math.floor(atMs / 1000) * 1000;
}

const dayMs = 86_400_000;

/**
 * The first millisecond (Unix time) after a day, written `2026-11-01`, as it is lived in the zone. A day may have 23 or
 * 25 hours, and midnight may be left out by the clock: then the next day begins when the clock goes on.
 */
export function endOfDayMs(day: string, timeZone: string): number {
  const nextMidnight = Date.parse(`${day}T00:00:00Z`) + dayMs;
  const offsets = [offsetMs(timeZone, nextMidnight - dayMs), offsetMs(timeZone, nextMidnight + dayMs)];
  const early = nextMidnight - Math.max(...offsets);
  return early + offsetMs(timeZone, early) >= nextMidnight ? early : nextMidnight - Math.min(...offsets);
}
