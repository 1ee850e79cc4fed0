import { expect, test } from 'bun:test';
import pino from 'pino';
import { systemClock } from '../../../kernel/clock.ts';
import { AppError } from '../../../kernel/errors.ts';
import type { News } from '../../../ports/device-store/port.ts';
import type { StoredMessage } from '../../../ports/message-store/port.ts';
import { OfflineBoxes } from './offline-boxes.ts';

const messageIn = (conversationId: string): StoredMessage => ({
  ...{ conversationId, seq: 1, id: '1', senderId: '1', deviceId: '1', clientSeq: null, quoteSeq: null },
  ...{ timestampMs: 0, body: '{}' },
});

function world(members: ReadonlyMap<string, readonly string[]>, elsewhere: readonly string[] = []) {
  const noted: News[][] = [];
  const store = { failing: false };
  const boxes = new OfflineBoxes({
    clock: systemClock,
    log: pino({ level: 'silent' }),
    devices: {
      async note(news) {
        if (store.failing) throw new AppError('database-unavailable');
        noted.push([...news]);
      },
    },
    conversations: {
      memberIds: async (ids) =>
        new Map(ids.flatMap((id) => (members.has(id) ? [[id, members.get(id) ?? []]] : []))),
    },
    sizes: {
      note: () => {},
      small: async (ids) => new Set(ids.filter((id) => (members.get(id)?.length ?? 0) <= 200)),
    },
    routes: {
      isAlone: false,
      nodesOf: (ids) => ids.map((id) => (elsewhere.includes(id) ? ['other'] : [])),
    },
    presentDevices: (id) => (id === 'b' ? [] : [{ id: '11', accountId: '1' }]),
  });
  return { boxes, noted, store };
}

test('a conversation is noted once, however much is said in it; a large group is not', async () => {
  const crowd = Array.from({ length: 201 }, (_, n) => String(n));
  const { boxes, noted } = world(
    new Map([
      ['a', ['1', '2']],
      ['large', crowd],
      ['b', ['3']],
    ]),
  );
  boxes.committed([messageIn('a'), messageIn('large'), messageIn('a')]);
  boxes.committed([messageIn('b'), messageIn('a')]);
  await boxes.flush();
  expect(noted).toEqual([
    [
      { conversationId: 'a', accountIds: ['1', '2'], presentDeviceIds: ['11'] },
      { conversationId: 'b', accountIds: ['3'], presentDeviceIds: [] },
    ],
  ]);
  await boxes[Symbol.asyncDispose]();
  expect(noted.length).toBe(1);
});

test('each node writes for those of whom it has a device, the one that commits also for those who are nowhere', async () => {
  const crowd = Array.from({ length: 201 }, (_, n) => String(n));
  const everybody = new Map([
    ['a', ['1', '2', '3']],
    ['b', ['2', '3']],
    ['c', ['2']],
    ['large', crowd],
  ]);
  const { boxes, noted } = world(everybody, ['1', '2']);
  boxes.committed(['a', 'b'].map(messageIn));
  await boxes.flush();
  boxes.heard(['a', 'b', 'large'].map(messageIn));
  await boxes.flush();
  // Spoken in here and elsewhere within the same second.
  boxes.heard([messageIn('a')]);
  boxes.committed([messageIn('a')]);
  boxes.heard([messageIn('a')]);
  await boxes.flush();
  const own = { conversationId: 'a', accountIds: ['1', '3'], presentDeviceIds: ['11'] };
  expect(noted).toEqual([
    [own, { conversationId: 'b', accountIds: ['3'], presentDeviceIds: [] }],
    [{ conversationId: 'a', accountIds: ['1'], presentDeviceIds: ['11'] }],
    [own],
  ]);
});

test('what meets a failing store or finds no room is left out and counted', async () => {
  const { boxes, store } = world(new Map([['a', ['1']]]));
  store.failing = true;
  boxes.committed([messageIn('a')]);
  await boxes.flush();
  expect(boxes.leftOut).toBe(1);
  boxes.committed(Array.from({ length: 10_005 }, (_, n) => messageIn(String(n))));
  expect(boxes.leftOut).toBe(6);
  await boxes[Symbol.asyncDispose]();
});
