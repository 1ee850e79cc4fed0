import { expect, test } from 'bun:test';
import { toE164 } from './phone.ts';

test('numbers are taken as people write them', () => {
  expect(toE164('+49 (30) 1234-567', 'en')).toBe('+49301234567');
  expect(toE164('0049 30 1234567', 'en')).toBe('+49301234567');
  expect(toE164('+86 138 0013 8000', 'en')).toBe('+8613800138000');
});

test('a Chinese mobile needs no country code in Chinese only', () => {
  expect(toE164('138 0013 8000', 'zh')).toBe('+8613800138000');
  expect(toE164('138 0013 8000', 'en')).toBeUndefined();
  expect(toE164('128 0013 8000', 'zh')).toBeUndefined();
});

test('what cannot be a number is refused', () => {
  for (const text of ['', '12345', '+0123456789', '+12 34', '+1234567890123456', 'call me']) {
    expect(toE164(text, 'zh'), text).toBeUndefined();
  }
});
