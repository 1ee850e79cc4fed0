import { compareIds } from '../../kernel/ids.ts';
import type { Entry } from '../../ports/timeline-store/port.ts';

/** The newest entries of a shelf, decoded. Never modified: pages share it. */
export interface Head {
  /** Newest first. */
  readonly entries: readonly Entry[];
  /** There are none below them. */
  readonly isWhole: boolean;
}

/** No longer than `max`. */
export function withEntry(head: Head, entry: Entry, max: number): Head {
  const { entries } = head;
  let at = 0;
  while (at < entries.length && compareIds(entries[at]!.key, entry.key) > 0) at += 1;
  if (entries[at]?.key === entry.key) return head;
  if (at === entries.length && !head.isWhole) return head;
  const more = [...entries.slice(0, at), entry, ...entries.slice(at)];
  if (more.length <= max) return { entries: more, isWhole: head.isWhole };
  return { entries: more.slice(0, max), isWhole: false };
}

/** Undefined when the head does not reach far enough down. */
export function pageOfHead(
  { entries, isWhole }: Head,
  before: string | undefined,
  limit: number,
): { entries: readonly Entry[]; hasMore: boolean } | undefined {
  let from = 0;
  if (before !== undefined)
    while (from < entries.length && compareIds(entries[from]!.key, before) >= 0) from += 1;
  const to = from + limit;
  if (to >= entries.length && !isWhole) return undefined;
  const page = from === 0 && to >= entries.length ? entries : entries.slice(from, to);
  return { entries: page, hasMore: to < entries.length };
}
