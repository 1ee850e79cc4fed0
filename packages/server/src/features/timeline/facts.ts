import type { Announcement } from '../../ports/announcements/port.ts';
import type { Entry } from '../../ports/timeline-store/port.ts';

/** An entry is in flight: on its way into the outbox and the inboxes that it belongs to. */
export const ENTRY_KIND = 'entry';
/** It has arrived everywhere, and no page can be under way that has read an inbox before that. */
export const SETTLED_KIND = 'settled';

/**
 * How long an entry stays in flight after its last push. A page reads inboxes and what is in flight side by side; none
 * takes as long as this, so that none can miss the entry in both.
 */
export const SETTLE_GRACE_MS = 15_000;

export const entryFact = ({ key, authorId, videoId }: Entry): Announcement => ({
  kind: ENTRY_KIND,
  text: `${key}:${authorId}:${videoId}`,
});

export const settledFact = (key: string): Announcement => ({ kind: SETTLED_KIND, text: key });

export function readEntry(text: string): Entry {
  const [key = '', authorId = '', videoId = ''] = text.split(':');
  return { key, authorId, videoId };
}
