import { expect, test } from 'bun:test';
import { placeOf } from './use-offer.ts';

const cards = [30, 20, 9].map((id) => ({ reason: { kind: 'following' as const, entryId: String(id) } }));
const at = (entryId: string) => ({ entryId, cursor: 'c', readAt: '2026-11-01T00:00:00.000Z' });

test('the place is the first card that is not newer, also when the very one is gone', () => {
  expect(placeOf(cards, at('20'))).toEqual({ index: 1, isBeyond: false });
  expect(placeOf(cards, at('25'))).toEqual({ index: 1, isBeyond: false });
  expect(placeOf(cards, at('8'))).toEqual({ index: 3, isBeyond: true });
});

test('there is none when nothing is above it', () => {
  expect(placeOf(cards, at('30'))).toBeUndefined();
  expect(placeOf(cards, at('100'))).toBeUndefined();
  expect(placeOf(cards, null)).toBeUndefined();
  expect(placeOf([], at('1'))).toBeUndefined();
});
