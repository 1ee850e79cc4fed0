import { expect, test } from 'bun:test';
import type { ChatMark } from '@hvideo/protocol';
import { createCursorCodec } from '../../../kernel/cursor.ts';
import type { StoredEvent } from '../../../ports/conversation-store/port.ts';
import { Reading } from './reading.ts';

test('what is read after a block is told to one’s own devices, and to nobody else', async () => {
  const told: { events: StoredEvent[]; marks: ChatMark[] } = { events: [], marks: [] };
  let isShown = true;
  const reading = new Reading({
    cursors: createCursorCodec([{ kid: 'test', secret: Buffer.alloc(32, 7).toString('base64url') }]),
    people: { cards: async () => new Map() },
    messages: { read: async () => [] },
    conversations: {
      memberships: async () => [],
      members: async () => [],
      markRead: async (accountId, conversationId, seq) => ({
        event: { accountId, pts: seq, kind: 'read', conversationId, seq },
        isShown,
      }),
    },
    told: { events: (events) => told.events.push(...events), mark: (mark) => told.marks.push(mark) },
  });
  await reading.markRead('1', '9', 3);
  isShown = false;
  await reading.markRead('1', '9', 4);
  expect(told.events.map(({ seq }) => seq)).toEqual([3, 4]);
  expect(told.marks.map(({ readSeq }) => readSeq)).toEqual([3]);
});
