import { expect, test } from 'bun:test';
import { spriteTile } from './sprite.ts';

const sprite = {
  url: '/s.jpg',
  columns: 4,
  rows: 3,
  tileWidth: 90,
  tileHeight: 160,
  intervalMs: 1000,
  count: 10,
};

test('a moment maps to its still, and never to an empty one', () => {
  expect(spriteTile(sprite, 0)).toEqual({ x: 0, y: 0 });
  expect(spriteTile(sprite, 5_500)).toEqual({ x: 90, y: 160 });
  expect(spriteTile(sprite, 99_000)).toEqual({ x: 90, y: 320 });
  expect(spriteTile(sprite, -5)).toEqual({ x: 0, y: 0 });
});
