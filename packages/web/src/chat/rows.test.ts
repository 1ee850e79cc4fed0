import { describe, expect, test } from 'bun:test';
import type { ViewMessage } from '@hvideo/client';
import { daysOf } from './rows.ts';

const noonMs = new Date(2026, 4, 4, 12).getTime();
const minuteMs = 60_000;
const me = 'me';

function message(
  seq: number,
  senderId: string,
  afterMs: number,
  extra: Partial<ViewMessage> = {},
): ViewMessage {
  return {
    key: `k${seq}`,
    conversationId: '1',
    seq,
    id: `${seq}`,
    senderId,
    isOwn: senderId === me,
    content: { type: 'text', text: 'x' },
    timestamp: new Date(noonMs + afterMs).toISOString(),
    quote: null,
    state: null,
    failure: null,
    ...extra,
  };
}

/** `[k1]` stands alone, `[k1 k2]` together. */
const shape = (messages: ViewMessage[], newAfter?: number) =>
  daysOf(messages, newAfter).map(({ rows }) =>
    rows
      .map((row) =>
        row.kind === 'message' ? `${row.isFirst ? '[' : ''}${row.key}${row.isLast ? ']' : ''}` : row.kind,
      )
      .join(' '),
  );

describe('what stands below each other', () => {
  test('messages of one person stand together until somebody else speaks or time passes', () => {
    const messages = [
      message(1, 'a', 0),
      message(2, 'a', minuteMs),
      message(3, me, 2 * minuteMs),
      message(4, me, 30 * minuteMs),
    ];
    expect(shape(messages)).toEqual(['[k1 k2] [k3] [k4]']);
  });

  test('midnight divides what stands together', () => {
    const untilMidnightMs = 12 * 60 * minuteMs;
    const messages = [
      message(1, 'a', untilMidnightMs - minuteMs),
      message(2, 'a', untilMidnightMs + minuteMs),
    ];
    expect(shape(messages)).toEqual(['[k1]', '[k2]']);
  });

  test('a line stands above the first message that is new, and never above one of one’s own', () => {
    const messages = [message(1, 'a', 0), message(2, me, 1), message(3, 'a', 2), message(4, 'a', 3)];
    expect(shape(messages, 1)).toEqual(['[k1] [k2] new [k3 k4]']);
    expect(shape(messages, 4)).toEqual(['[k1] [k2] [k3 k4]']);
    expect(shape([message(5, 'a', 0), message(6, 'a', 1)], 5)).toEqual(['[k5] new [k6]']);
  });

  test('no line stands above the first of those that are here, when what is new may begin further up', () => {
    const messages = [message(7, 'a', 0), message(8, 'a', 1)];
    const kinds = (newAfter: number) => daysOf(messages, newAfter, true)[0]?.rows.map(({ kind }) => kind);
    expect(kinds(3)).toEqual(['message', 'message']);
    expect(kinds(6)).toEqual(['new', 'message', 'message']);
  });

  test('what the server says divides too', () => {
    const content = { type: 'system', event: 'left', actorId: 'b' } as const;
    const messages = [message(1, 'a', 0), message(2, 'a', 1, { content }), message(3, 'a', 2)];
    expect(shape(messages)).toEqual(['[k1] system [k3]']);
  });
});
