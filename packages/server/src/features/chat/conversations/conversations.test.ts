import { expect, test } from 'bun:test';
import { createCursorCodec } from '../../../kernel/cursor.ts';
import { AppError } from '../../../kernel/errors.ts';
import { Conversations, type ConversationsDeps } from './conversations.ts';

const unused = () => {
  throw new Error('not asked for here');
};

test('whose change has an unknown outcome is suspected with those concerned; a refusal changed nothing', async () => {
  const suspected: unknown[] = [];
  let code: 'timeout' | 'forbidden' = 'timeout';
  const fail = async () => {
    throw new AppError(code);
  };
  const deps: ConversationsDeps = {
    clock: { nowMs: () => 1, monotonicMs: () => 1, sleep: unused, after: unused, every: unused },
    ids: { next: () => '7' },
    cursors: createCursorCodec([{ kid: 'test', secret: Buffer.alloc(32, 7).toString('base64url') }]),
    conversations: {
      ...{ create: fail, change: fail, list: unused, countUnread: unused, get: unused },
      memberships: async (_, ids) =>
        ids === 'all' ? [] : ids.map((conversationId) => ({ conversationId, joinedSeq: 0, headSeq: 0 })),
    },
    people: { cards: unused, reachable: async (ids) => new Set(ids) },
    told: {
      ...{ committed: unused, events: unused },
      suspectMembers: (...suspicion) => suspected.push(suspicion),
    },
  };
  const conversations = new Conversations(deps);
  const tryAll = async () => {
    for (const call of [
      () => conversations.create('1', { type: 'group', memberIds: ['2', '3'] }),
      () => conversations.add('1', '9', ['4']),
      () => conversations.remove('1', '9', '5'),
      () => conversations.rename('1', '9', 'Other'),
    ])
      await expect(call()).rejects.toMatchObject({ code });
  };
  await tryAll();
  expect(suspected).toEqual([
    ['7', ['1', '2', '3']],
    ['9', ['4']],
    ['9', ['5']],
    ['9', []],
  ]);
  code = 'forbidden';
  await tryAll();
  expect(suspected).toHaveLength(4);
});
