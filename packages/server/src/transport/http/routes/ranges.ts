/** What a `Range` header asks of an object: RFC 9110, section 14, for one range of bytes. */
export type RangeRequest =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unsatisfiable' };

const whole: RangeRequest = { kind: 'whole' };

/** `end` is exclusive. A header that makes no sense, or asks for several ranges, is answered with the whole. */
export function rangeOf(header: string | null, size: number): RangeRequest {
  const match = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header ?? '');
  if (!match) return whole;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return whole;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return whole;
  if (start >= size) return { kind: 'unsatisfiable' };
  return { kind: 'part', start, end: last === '' ? size : Math.min(Number(last) + 1, size) };
}

/** Whether `If-None-Match` names this entity; weak comparison, as the RFC asks for it here. */
export function noneMatch(header: string | null, etag: string): boolean {
  if (header === null) return true;
  if (header.trim() === '*') return false;
  return !header.split(',').some((part) => part.trim().replace(/^W\//, '') === etag);
}

/** Whether `If-Range` lets the range count; a date never does, because the objects carry none. */
export function rangeCounts(ifRange: string | null, etag: string): boolean {
  return ifRange === null || ifRange.trim() === etag;
}
