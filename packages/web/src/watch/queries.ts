import { api, type FollowingPage, type Page, type VideoCard } from '@hvideo/protocol';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { client } from '../app/client.ts';

export type FeedKind = 'latest' | 'following';

export const FEED_PAGE_SIZE = 8;

/** Links in a feed are signed for a while only; a feed left for long is read again. */
const feedStaleMs = 5 * 60_000;

/** An empty feed is asked for again: often at first, because a new community fills while it is looked at. */
const emptyFeedPollMs = { soon: 2_000, later: 30_000 };
const soonPolls = 60;

/** A page of either feed; `since` and `position` only at the top of the following one. */
export type FeedPageData = Page<VideoCard> & Partial<Pick<FollowingPage, 'since' | 'position'>>;

/** `from`: a cursor to begin with, in place of the top. */
export const feedQuery = (kind: FeedKind, from?: string) =>
  infiniteQueryOptions({
    queryKey: ['feed', kind, from ?? 'top'],
    initialPageParam: from,
    queryFn: ({ pageParam, signal }): Promise<FeedPageData> =>
      client.call(
        api.feed[kind],
        { query: { limit: FEED_PAGE_SIZE, ...(pageParam && { cursor: pageParam }) } },
        { signal },
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    staleTime: feedStaleMs,
    refetchInterval: ({ state: { data, dataUpdateCount } }) => {
      if (!data || data.pages.some(({ items }) => items.length > 0)) return false;
      return dataUpdateCount < soonPolls ? emptyFeedPollMs.soon : emptyFeedPollMs.later;
    },
  });

export const userVideosQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ['videos', id],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      client.call(
        api.videos.byUser,
        { params: { id }, query: { limit: 24, ...(pageParam && { cursor: pageParam }) } },
        { signal },
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });

export const videoQuery = (id: string) =>
  queryOptions({
    queryKey: ['video', id],
    queryFn: ({ signal }) => client.call(api.videos.get, { params: { id } }, { signal }),
  });

/** What makes a card one of its list: in the following feed a video and its repost are two. */
export const entryOf = ({ id, reason }: Pick<VideoCard, 'id' | 'reason'>): string => reason.entryId ?? id;

/** All pages as one list. A video published while paging can push another onto two pages: each is shown once. */
export function joinPages(pages: readonly Page<VideoCard>[]): VideoCard[] {
  const seen = new Set<string>();
  return pages
    .flatMap((page) => page.items)
    .filter((card) => {
      if (seen.has(entryOf(card))) return false;
      seen.add(entryOf(card));
      return true;
    });
}
