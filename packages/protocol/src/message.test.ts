import { describe, expect, test } from 'bun:test';
import { MessageContent } from './chat.ts';
import { readContent } from './message.ts';

describe('what is said is read without its schema', () => {
  test.each([
    { type: 'text', text: 'hello\n\tthere' },
    { type: 'text', text: ' ' },
    { type: 'text', text: 'bell \u0007' },
    { type: 'text', text: 'half \ud800' },
    { type: 'text', text: 'x'.repeat(4001) },
    { type: 'text', text: '🎉'.repeat(4000) },
    { type: 'text', text: 'x', more: 1 },
    { type: 'text' },
    { type: 'image', url: '/a.png', width: 1, height: 20_000 },
    { type: 'image', url: 'http://a.example', width: 1, height: 1 },
    { type: 'image', url: 'https://a.example', width: 1.5, height: 1 },
    ...['https://', 'https://[', '//b.example/a.png', '/\\b.example', '/\t/b.example/a.png'].map((url) => ({
      ...{ type: 'image', url, width: 1, height: 1 },
    })),
    { type: 'video', videoId: '9223372036854775807' },
    { type: 'video', videoId: '9223372036854775808' },
    { type: 'video', videoId: '01' },
    { type: 'custom', name: 'poll', data: { options: ['a', 1, null, true] } },
    { type: 'custom', name: 'no name', data: 1 },
    { type: 'custom', name: 'poll' },
    { type: 'custom', name: 'poll', data: Number.NaN },
    { type: 'system', event: 'left', actorId: '1' },
    [[]],
    null,
    'text',
  ])('as with it: %j', (value) => {
    const parsed = MessageContent.safeParse(value);
    expect(readContent(value)).toEqual(parsed.success ? parsed.data : undefined);
  });

  test.each(['https://', 'https://[', '//b.example/a.png', '/\\b.example', '/\t/b.example/a.png'])(
    'no picture lies at %j',
    (url) => {
      expect(readContent({ type: 'image', url, width: 1, height: 1 })).toBeUndefined();
    },
  );
});
