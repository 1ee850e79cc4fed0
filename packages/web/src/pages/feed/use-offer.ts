import type { FeedPosition, VideoCard } from '@hvideo/protocol';
import { useState } from 'react';
import { compareEntries } from '../../lib/entries.ts';

/** Places that were offered and taken, or refused, since the app was opened. */
const settled = new Set<string>();

export interface Place {
  /** The first slide that was there last time; the length of the list when it has not been reached. */
  readonly index: number;
  /** More are above the place than those. */
  readonly isBeyond: boolean;
}

/** Where the reading of last time begins in the list; undefined when nothing is above it. */
export function placeOf(
  cards: readonly Pick<VideoCard, 'reason'>[],
  position: FeedPosition | null | undefined,
): Place | undefined {
  if (!position) return undefined;
  const found = cards.findIndex(
    ({ reason: { entryId } }) => entryId !== undefined && compareEntries(entryId, position.entryId) <= 0,
  );
  if (found === 0 || cards.length === 0) return undefined;
  return found === -1 ? { index: cards.length, isBeyond: true } : { index: found, isBeyond: false };
}

/** Whether to offer the way to where one was: on a fresh open, until it is answered or reached. */
export function useOffer(position: FeedPosition | null | undefined, isFresh: boolean) {
  const [isOpen, setOpen] = useState(isFresh);
  const id = position?.entryId ?? '';
  return {
    isOpen: isOpen && id !== '' && !settled.has(id),
    settle: () => {
      settled.add(id);
      setOpen(false);
    },
  };
}
