import { api, type FollowingPage, type VideoCard } from '@hvideo/protocol';
import { queryOptions } from '@tanstack/react-query';
import { client } from '../../app/client.ts';
import { queryClient } from '../../app/query.ts';
import { compareEntries } from '../../lib/entries.ts';
import { entryOf, FEED_PAGE_SIZE, type FeedKind, type FeedPageData, feedQuery } from '../../watch/queries.ts';
import { isTrimmed, type Pages } from './trim.ts';

/** What came since the feed was read and is not in it yet: nothing moves until somebody asks for it. */
export interface News {
  /** Newest first. */
  readonly items: readonly VideoCard[];
  /** For the next question; undefined before the first. */
  readonly since: string | null;
  /** There is more than is held here, so that it does not join what is in the feed. */
  readonly isMany: boolean;
}

export const NEWS_LIMIT = 20;
const mostHeld = 60;
const pollMs = 20_000;
const slowestPollMs = 5 * 60_000;

export const noNews: News = { items: [], since: null, isMany: false };

const newestFirst = (cards: readonly VideoCard[]) =>
  [...cards].sort((left, right) => compareEntries(entryOf(right), entryOf(left)));

/** `known`: entries that the feed has. An answer goes back a minute, so most of it is known. */
export function addNews(
  held: News,
  page: Pick<FollowingPage, 'items' | 'since'>,
  known: ReadonlySet<string>,
): News {
  const kept = held.items.filter((card) => !known.has(entryOf(card)));
  const has = new Set([...known, ...kept.map(entryOf)]);
  const fresh = page.items.filter((card) => !has.has(entryOf(card)));
  const items = newestFirst([...fresh, ...kept]);
  // A full answer without anything known leaves a gap below.
  const hasGap = page.items.length >= NEWS_LIMIT && fresh.length === page.items.length;
  return {
    items: items.slice(0, mostHeld),
    since: page.since ?? held.since,
    isMany: held.isMany || hasGap || items.length > mostHeld,
  };
}

/** The feed with the news on top of its first page. */
export function withNews(data: Pages, { items, since }: News): Pages {
  const [first, ...rest] = data.pages;
  if (!first) return data;
  const known = new Set(first.items.map(entryOf));
  const fresh = items.filter((card) => !known.has(entryOf(card)));
  const page = {
    ...first,
    items: newestFirst([...fresh, ...first.items]),
    since: since ?? first.since ?? null,
  };
  return { ...data, pages: [page, ...rest] };
}

const topKey = feedQuery('following').queryKey;
const newsKey = ['feed', 'following', 'news'] as const;
const heldNews = (): News => queryClient.getQueryData<News>(newsKey) ?? noNews;

function knownEntries(kind: FeedKind): Set<string> {
  const data = queryClient.getQueryData<Pages>(feedQuery(kind).queryKey);
  return new Set(data?.pages.flatMap(({ items }) => items.map(entryOf)));
}

async function readNews(signal: AbortSignal): Promise<News> {
  const since = heldNews().since ?? queryClient.getQueryData<Pages>(topKey)?.pages[0]?.since;
  if (!since) return noNews;
  const page = await client.call(api.feed.following, { query: { since, limit: NEWS_LIMIT } }, { signal });
  return addNews(heldNews(), page, knownEntries('following'));
}

interface Times {
  readonly dataUpdatedAt: number;
  readonly errorUpdatedAt: number;
}

/** Sooner or later by a quarter, so that not everybody asks at once; while it fails, twice as long each time. */
export function pollAfterMs({ dataUpdatedAt, errorUpdatedAt }: Times): number {
  const failingMs = Math.max(0, errorUpdatedAt - dataUpdatedAt);
  const baseMs = dataUpdatedAt === 0 ? pollMs : Math.min(slowestPollMs, Math.max(pollMs, failingMs));
  // Drawn from the time, not at random: it must stay the same while the timer runs.
  const share = (Math.max(dataUpdatedAt, errorUpdatedAt) % 1_000) / 1_000;
  return Math.round(baseMs * (0.75 + share / 2));
}

/** Asked for only while the page can be seen: the library pauses intervals in hidden tabs. */
export const newsQuery = queryOptions({
  queryKey: newsKey,
  queryFn: ({ signal }) => readNews(signal),
  staleTime: pollMs / 2,
  refetchInterval: ({ state }) => pollAfterMs(state),
  refetchIntervalInBackground: false,
  refetchOnWindowFocus: true,
});

/** What puts the news into the feed, at once. What is looked at stays where it is; the caller goes to the top. */
export async function prepareNews(): Promise<() => void> {
  const data = queryClient.getQueryData<Pages>(topKey);
  if (heldNews().isMany || (data && isTrimmed(data, undefined))) {
    const page = await firstPage('following');
    return () => putTop('following', page);
  }
  return () => {
    const news = heldNews();
    queryClient.setQueryData<Pages>(topKey, (pages) => pages && withNews(pages, news));
    queryClient.setQueryData<News>(newsKey, { ...news, items: [] });
  };
}

const firstPage = (kind: FeedKind): Promise<FeedPageData> =>
  client.call(api.feed[kind], { query: { limit: FEED_PAGE_SIZE } });

/** The first page, in place of all that was read. */
function putTop(kind: FeedKind, page: FeedPageData): void {
  queryClient.setQueryData<Pages>(feedQuery(kind).queryKey, { pages: [page], pageParams: [undefined] });
  if (kind === 'following') queryClient.setQueryData<News>(newsKey, noNews);
}

/** Looks for what is new; undefined when there is nothing, else what puts it into the feed. */
export async function lookForNews(kind: FeedKind): Promise<(() => void) | undefined> {
  const known = knownEntries(kind);
  const isNew = (card: VideoCard) => !known.has(entryOf(card));
  if (kind === 'following') {
    const { items, isMany } = await queryClient.fetchQuery({ ...newsQuery, staleTime: 0 });
    return isMany || items.some(isNew) ? prepareNews() : undefined;
  }
  const page = await firstPage(kind);
  return page.items.some(isNew) ? () => putTop(kind, page) : undefined;
}
