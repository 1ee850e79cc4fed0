import { expect, test } from 'bun:test';
import { errorRegistry } from '../../../server/src/kernel/errors.ts';
import { chat as englishChat } from './en/chat.ts';
import { en as english } from './en/index.ts';
import { chat as chineseChat } from './zh/chat.ts';
import { zh as chinese } from './zh/index.ts';

const en = { ...english, chat: englishChat };
const zh = { ...chinese, chat: chineseChat };

/** Dotted paths of all texts. Plural forms count as one: the languages have different ones. */
function paths(value: unknown, prefix = ''): [string, string][] {
  if (typeof value === 'string') return [[prefix.replace(/_(zero|one|two|few|many|other)$/, ''), value]];
  if (typeof value !== 'object' || value === null) throw new TypeError(`${prefix} is no text`);
  return Object.entries(value).flatMap(([key, part]) => paths(part, prefix ? `${prefix}.${key}` : key));
}

const names = (texts: object) => [...new Set(paths(texts).map(([path]) => path))].sort();
const placeholders = (text: string) => (text.match(/\{\{\w+\}\}/g) ?? []).sort();

test('both languages have the same texts', () => {
  expect(names(zh)).toEqual(names(en));
});

test('no text is empty, and each names the same values in both languages', () => {
  const english = new Map(paths(en));
  for (const [path, text] of paths(zh)) {
    expect(text.trim(), path).not.toBe('');
    expect(placeholders(text), path).toEqual(placeholders(english.get(path) ?? ''));
  }
});

test('every refusal of the server has a text in both languages', () => {
  for (const code of Object.keys(errorRegistry)) {
    expect(Object.keys(en.errors), code).toContain(code);
    expect(Object.keys(zh.errors), code).toContain(code);
  }
});
