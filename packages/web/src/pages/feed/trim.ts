import type { InfiniteData } from '@tanstack/react-query';
import type { FeedPageData } from '../../watch/queries.ts';

export type Pages = InfiniteData<FeedPageData>;

/** Cards that are kept above the one that is looked at, before the oldest of them are let go. */
const mostAbove = 400;
/** And how many stay then, so that it does not happen with every step. */
const keptAbove = 200;

/** Lets go of pages far above the slide, so that a long evening of scrolling costs no more memory than a short one. */
export function trimmed(data: Pages, active: number): Pages {
  if (active <= mostAbove) return data;
  let above = active;
  let count = 0;
  for (const page of data.pages) {
    if (above - page.items.length < keptAbove) break;
    above -= page.items.length;
    count += 1;
  }
  return { pages: data.pages.slice(count), pageParams: data.pageParams.slice(count) };
}

/** What is above the first card was let go of. */
export const isTrimmed = ({ pageParams }: Pages, from: string | undefined): boolean => pageParams[0] !== from;
