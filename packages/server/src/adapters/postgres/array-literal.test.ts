import { describe, expect, test } from 'bun:test';
import { arrayLiteral, quoted, wholeNumber } from './array-literal.ts';

describe('arrayLiteral', () => {
  test('writes whole numbers and nothing that could be two', () => {
    expect(arrayLiteral([], wholeNumber)).toBe('{}');
    expect(arrayLiteral(['9223372036854775807', -5, 7n, null, undefined], wholeNumber)).toBe(
      '{9223372036854775807,-5,7,NULL,NULL}',
    );
    for (const value of ['1,2', '', '1}', ' 1', 1.5, Number.NaN, '0x1', 2 ** 53, true])
      expect(() => arrayLiteral([value], wholeNumber)).toThrow(TypeError);
  });

  test('quotes texts', () => {
    expect(arrayLiteral(['', 'NULL', 'a "b" \\ {,}', null, 'ä\n'], quoted)).toBe(
      '{"","NULL","a \\"b\\" \\\\ {,}",NULL,"ä\n"}',
    );
  });
});
