import { expect, test } from 'bun:test';
import { MAX_MENTIONS, mentionsIn } from './mentions.ts';

test('names after an @, each once and in lower case', () => {
  expect(mentionsIn('@Lin hello @wei_99, and @lin!')).toEqual(['lin', 'wei_99']);
  expect(mentionsIn('看 @lin，真好')).toEqual(['lin']);
  expect(mentionsIn('谢谢@lin和@wei_99')).toEqual(['lin', 'wei_99']);
});

test('addresses of mail and what is no name are not mentions', () => {
  expect(mentionsIn('write to lin@example.org, @ab or @')).toEqual([]);
  expect(mentionsIn(`@${'a'.repeat(31)}`)).toEqual([]);
});

test('no more people than one comment may call', () => {
  const text = Array.from({ length: 40 }, (_, at) => `@person${at}`).join(' ');
  expect(mentionsIn(text)).toHaveLength(MAX_MENTIONS);
});
