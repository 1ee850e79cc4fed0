import { expect, test } from 'bun:test';
import type { VideoCard } from '@hvideo/protocol';
import { isTrimmed, type Pages, trimmed } from './trim.ts';

const pageSize = 8;
const pages = (count: number): Pages => ({
  pages: Array.from({ length: count }, (_, page) => ({
    items: Array.from({ length: pageSize }, (_, at) => ({ id: `${page}-${at}` }) as unknown as VideoCard),
    nextCursor: `c${page + 1}`,
  })),
  pageParams: Array.from({ length: count }, (_, page) => (page === 0 ? undefined : `c${page}`)),
});
const ids = (data: Pages) => data.pages.flatMap(({ items }) => items.map(({ id }) => id));

test('nothing is let go while little is above', () => {
  const data = pages(100);
  expect(trimmed(data, 400)).toBe(data);
  expect(isTrimmed(data, undefined)).toBe(false);
});

test('however long one scrolls, little is kept above, and what is looked at stays', () => {
  let data = pages(4);
  let looked = '0-0';
  for (let page = 4; page < 400; page += 1) {
    const whole = pages(page + 1);
    data = {
      pages: [...data.pages, whole.pages[page]!],
      pageParams: [...data.pageParams, whole.pageParams[page]],
    };
    looked = `${page - 2}-0`;
    data = trimmed(data, ids(data).indexOf(looked));
    expect(ids(data).indexOf(looked)).toBeGreaterThanOrEqual(Math.min(200, (page - 2) * pageSize));
    expect(ids(data).length).toBeLessThanOrEqual(430);
  }
  expect(isTrimmed(data, undefined)).toBe(true);
  expect(data.pageParams[0]).toBe(`c${data.pages[0]?.items[0]?.id.split('-')[0]}`);
});
