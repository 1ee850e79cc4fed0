import { describe, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { createCursorCodec, pageOfRows } from './cursor.ts';
import { AppError } from './errors.ts';

const key = (kid: string) => ({ kid, secret: randomBytes(32).toString('base64url') });
const codeOf = (run: () => unknown) => {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof AppError ? error.code : error;
  }
};

describe('cursors', () => {
  const keys = [key('new'), key('old')];
  const codec = createCursorCodec(keys);

  test('come back as they were given out', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string()), (kind, values) => {
        expect(codec.decode(kind, codec.encode(kind, values))).toEqual(values);
      }),
    );
  });

  test('with any character changed are refused', () => {
    const cursor = codec.encode('followers', ['123456789', '5']);
    for (let i = 0; i < cursor.length - 1; i++) {
      const changed = `${cursor.slice(0, i)}${cursor[i] === 'A' ? 'B' : 'A'}${cursor.slice(i + 1)}`;
      expect(codeOf(() => codec.decode('followers', changed))).toBe('invalid-cursor');
    }
    for (const bad of ['', '.', '1', 'W10', `${cursor}.x`, cursor.slice(0, -1), `${cursor}A`])
      expect(codeOf(() => codec.decode('followers', bad))).toBe('invalid-cursor');
  });

  test('of another list or another server are refused', () => {
    expect(codeOf(() => codec.decode('following', codec.encode('followers', ['1'])))).toBe('invalid-cursor');
    const other = createCursorCodec([key('other')]);
    expect(codeOf(() => codec.decode('followers', other.encode('followers', ['1'])))).toBe('invalid-cursor');
  });

  test('made with an older key still hold', () => {
    const before = createCursorCodec([keys[1]!]);
    expect(codec.decode('followers', before.encode('followers', ['1']))).toEqual(['1']);
  });

  test('a page ends with null when nothing comes after it', () => {
    expect(pageOfRows([1, 2], 2, String)).toEqual({ rows: [1, 2], nextCursor: null });
    expect(pageOfRows([1, 2, 3], 2, String)).toEqual({ rows: [1, 2], nextCursor: '2' });
  });
});
