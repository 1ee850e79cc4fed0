import { expect, test } from 'bun:test';
import { matchesName } from './match-name.ts';

test.each([
  ['', true],
  [' jose ', true],
  ['@jos', true],
  ['GARCIA', true],
  ['晓', true],
  ['li', false],
])('who is meant by "%s"', (wanted, expected) => {
  expect(matchesName({ displayName: 'José 晓雨', username: 'jose_garcia' }, wanted)).toBe(expected);
});
