import { expect, test } from 'bun:test';
import { patchCount, patchReaction } from './patch-card.ts';

const card = (id: string, likes: number, liked: boolean) => ({
  id,
  author: { id: '9' },
  counts: { likes, comments: 2 },
  viewer: { liked },
});

test('a like shows wherever the card is, counts once, and leaves the rest as it was', () => {
  const other = card('2', 5, false);
  const data = { pages: [{ items: [card('1', 5, false), other] }], video: card('1', 5, false) };
  const liked = patchReaction(data, '1', 'likes', true) as typeof data;
  expect(liked.video).toMatchObject({ counts: { likes: 6 }, viewer: { liked: true } });
  expect(liked.pages[0]?.items[0]).toMatchObject({ counts: { likes: 6 }, viewer: { liked: true } });
  expect(liked.pages[0]?.items[1]).toBe(other);
  expect(patchReaction(liked, '1', 'likes', true)).toBe(liked);
  expect(patchReaction(liked, '1', 'likes', false)).toEqual(data);
  expect(patchReaction(data, '3', 'likes', true)).toBe(data);
});

test('a count never falls below zero', () => {
  expect(patchCount(card('1', 0, false), '1', 'comments', -5)).toMatchObject({ counts: { comments: 0 } });
});
