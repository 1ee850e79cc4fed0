import { describe, expect, test } from 'bun:test';
import { cleanText, isEmojiOnly, textParts } from './text-parts.ts';

const origin = 'https://here.example';
const links = (text: string) =>
  textParts(text, origin).flatMap((part) => (part.kind === 'link' ? [part.text] : []));
const whole = (text: string) =>
  textParts(text, origin)
    .map((part) => part.text)
    .join('');

describe('links in a message', () => {
  test.each([
    ['see https://a.example/x.', ['https://a.example/x']],
    ['(https://a.example/b(c)) and https://b.example?', ['https://a.example/b(c)', 'https://b.example']],
    ['看这里https://a.example/路，很好', ['https://a.example/']],
    ['“https://a.example/q?a=1&b=2”', ['https://a.example/q?a=1&b=2']],
    ['javascript:alert(1) data:text/html,x ftp://a.example', []],
    ['https://bank.example@evil.example/', []],
    ['https://', []],
    ['HTTPS://A.example', ['HTTPS://A.example']],
  ])('%s', (text, found) => {
    expect(links(text)).toEqual(found);
    expect(whole(text)).toBe(text);
  });

  test('those that lead to this site are known', () => {
    expect(textParts(`${origin}/v/1`, origin)).toMatchObject([{ isHere: true }]);
    expect(textParts('https://here.example.evil.example/', origin)).toMatchObject([{ isHere: false }]);
  });

  test('people who are called by name are links too', () => {
    expect(textParts('hi @lin_w and a@b.example', origin).map(({ kind }) => kind)).toEqual([
      'text',
      'mention',
      'text',
    ]);
  });
});

test.each([
  ['🎉', true],
  ['👩‍👩‍👧‍👦 🇨🇳', true],
  ['👍🏽👍🏽👍🏽', true],
  ['🎉🎉🎉🎉🎉🎉🎉', false],
  ['ok 👍', false],
  ['1', false],
  ['', false],
])('only emoji: %s', (text, expected) => {
  expect(isEmojiOnly(text)).toBe(expected);
});

test('text is cleaned of what the server refuses', () => {
  expect(cleanText(' a\tb\r\nc\u0000\u0007\ud800 ')).toBe('a b\nc\ufffd');
});
