import { expect, test } from 'bun:test';
import { posix } from 'node:path';
import fc from 'fast-check';
import { checkPrefix, isKey } from './keys.ts';

test('whatever is a key stays below the root it is joined to, and is written in one way only', () => {
  const piece = fc.constantFrom('a', '0', '.', '..', '/', '-', '_', 'A', '\\', '\0', '%2e', ' ', 'é');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
      ),
      (text) => {
        if (isKey(text)) expect(posix.join('/root', text)).toBe(`/root/${text}`);
      },
    ),
    { numRuns: 2000 },
  );
});

test('the usual keys are keys', () => {
  for (const key of ['a', '0', 'videos/12/360p/seg-00001.m4s', 'uploads/abc_def-1', `a${'b'.repeat(199)}`]) {
    expect(isKey(key)).toBe(true);
  }
  expect(isKey(`a${'b'.repeat(200)}`)).toBe(false);
});

test('a prefix is a folder with or without its closing slash', () => {
  expect(checkPrefix('a/b/')).toBe('a/b');
  expect(checkPrefix('a/b')).toBe('a/b');
  for (const prefix of ['', '/', 'a//', '..', '../']) expect(() => checkPrefix(prefix)).toThrow(TypeError);
});
