import { compareIds } from '../../kernel/ids.ts';
import type { Entry } from '../../ports/timeline-store/port.ts';

/** The newest entries of a shelf, decoded. Never modified: pages share it. */
export interface Head {
  /** Newest first. */
  readonly entries: readonly Entry[];
  /** There are none below them. */
  readonly isWhole: boolean;
  /** The page of this many, as it was asked for last: the same list for all. */
  top?: { readonly limit: number; readonly page: HeadPage };
}

interface HeadPage {
  readonly entries: readonly Entry[];
  readonly hasMore: boolean;
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
export function pageOfHead(head: Head, before: string | undefined, limit: number): HeadPage | undefined {
  if (before !== undefined) return pageBelow(head, before, limit);
  if (head.top?.limit === limit) return head.top.page;
  const page = pageFrom(head, 0, limit);
  if (page) head.top = { limit, page };
  return page;
}

function pageBelow(head: Head, before: string, limit: number): HeadPage | undefined {
  const { entries } = head;
  let from = 0;
  while (from < entries.length && compareIds(entries[from]!.key, before) >= 0) from += 1;
  return pageFrom(head, from, limit);
}

function pageFrom({ entries, isWhole }: Head, from: number, limit: number): HeadPage | undefined {
  const to = from + limit;
  if (to >= entries.length && !isWhole) return undefined;
  const page = from === 0 && to >= entries.length ? entries : entries.slice(from, to);
  return { entries: page, hasMore: to < entries.length };
}
