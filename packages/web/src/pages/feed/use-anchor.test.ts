import { expect, test } from 'bun:test';
import { follow } from './use-anchor.ts';

const held = { index: 1, entry: 'b', origin: 0 };

test('the slide stays when others come above it or go', () => {
  expect(follow(held, ['a', 'b', 'c'])).toBe(held);
  expect(follow(held, ['x', 'y', 'a', 'b', 'c'])).toEqual({ index: 3, entry: 'b', origin: 2 });
  expect(follow(held, ['b', 'c'])).toEqual({ index: 0, entry: 'b', origin: -1 });
});

test('the place stays when the slide is gone, within the list', () => {
  expect(follow(held, ['a', 'c'])).toMatchObject({ index: 1, origin: 0 });
  expect(follow(held, [])).toMatchObject({ index: 0 });
});

test('at the end, what comes after it takes its place', () => {
  expect(follow({ index: 2, entry: undefined, origin: 0 }, ['a', 'b', 'c'])).toMatchObject({
    index: 2,
    origin: 0,
  });
});
