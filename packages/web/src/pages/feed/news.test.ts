import { expect, test } from 'bun:test';
import type { VideoCard } from '@hvideo/protocol';
import { addNews, NEWS_LIMIT, noNews, pollAfterMs, withNews } from './news.ts';

const card = (entryId: number) =>
  ({ id: `v${entryId}`, reason: { kind: 'following', entryId: String(entryId) } }) as unknown as VideoCard;
const entries = (cards: readonly VideoCard[]) => cards.map(({ reason }) => Number(reason.entryId));
const page = (...ids: number[]) => ({ items: ids.map(card), since: `since ${ids[0]}` });

test('what the feed has is dropped, late ones find their place, and nothing is held twice', () => {
  const known = new Set(['7', '8']);
  const first = addNews(noNews, page(10, 8, 7), known);
  expect(entries(first.items)).toEqual([10]);
  const second = addNews(first, page(11, 10, 9, 8), known);
  expect(entries(second.items)).toEqual([11, 10, 9]);
  expect(second).toMatchObject({ since: 'since 11', isMany: false });
  expect(entries(addNews(second, page(11), new Set([...known, '10'])).items)).toEqual([11, 9]);
});

test('a full answer of which nothing is known is more than can be held', () => {
  const ids = Array.from({ length: NEWS_LIMIT }, (_, at) => 100 - at);
  expect(addNews(noNews, page(...ids), new Set(['1'])).isMany).toBe(true);
  expect(addNews(noNews, page(...ids), new Set([String(ids.at(-1))])).isMany).toBe(false);
});

test('news go on top of the first page, once', () => {
  const first = { ...page(8, 7), nextCursor: 'c', position: null };
  const data = { pages: [first, { ...page(6), nextCursor: null }], pageParams: [undefined, 'c'] };
  const news = addNews(noNews, page(10, 9, 8), new Set(['8', '7', '6']));
  const next = withNews(data, news);
  expect(next.pages.map(({ items }) => entries(items))).toEqual([[10, 9, 8, 7], [6]]);
  expect(next.pages[0]).toMatchObject({ since: 'since 10', nextCursor: 'c' });
  expect(withNews(next, news).pages[0]?.items.length).toBe(4);
});

test('the pause is about the same for all, and doubles while it fails', () => {
  for (const at of [1_000_000, 1_000_500, 1_000_999]) {
    const pause = pollAfterMs({ dataUpdatedAt: at, errorUpdatedAt: 0 });
    expect(pause).toBeGreaterThanOrEqual(15_000);
    expect(pause).toBeLessThanOrEqual(25_000);
  }
  expect(pollAfterMs({ dataUpdatedAt: 1_000_000, errorUpdatedAt: 1_080_000 })).toBeGreaterThanOrEqual(60_000);
  expect(pollAfterMs({ dataUpdatedAt: 1, errorUpdatedAt: 9_000_000 })).toBeLessThanOrEqual(375_000);
});
