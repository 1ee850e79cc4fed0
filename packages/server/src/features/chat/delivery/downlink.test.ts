import { expect, test } from 'bun:test';
import pino from 'pino';
import { systemClock as clock } from '../../../kernel/clock.ts';
import type { StoredMessage } from '../../../ports/message-store/port.ts';
import { Downlink } from './downlink.ts';
import { Feed } from './feed.ts';
import { Puller } from './puller.ts';

const message = (seq: number): StoredMessage => ({
  ...{
    conversationId: '1',
    seq,
    id: `9${seq}`,
    senderId: '2',
    deviceId: '3',
    clientSeq: null,
    quoteSeq: null,
  },
  ...{ timestampMs: 1, body: '{"type":"text","text":"hello"}' },
});

test('what was said before one came is not given when it is heard of late, whatever was acknowledged', () => {
  const given: number[] = [];
  const listener = {
    messages: ({ messages }: { messages: readonly StoredMessage[] }) =>
      void given.push(...messages.map(({ seq }) => seq)),
    ...{ gap: () => {}, notice: () => {}, displaced: () => {} },
  };
  const log = pino({ level: 'silent' });
  const downlink = new Downlink({ id: '5', accountId: '6', isNew: false }, listener, {
    ...{ behind: new Set(), stats: { deliveries: 0, gaps: 0 }, checkpoints: { note: () => {} } },
    puller: new Puller({ messages: { read: async () => [] }, clock, log }, new AbortController().signal),
    departed: () => {},
  });
  const feed = new Feed('1', 5);
  feed.add(downlink);
  downlink.mode = 'client-individual';
  downlink.isOpen = true;
  downlink.begin(feed, 8);
  downlink.acknowledge('1', 7);
  feed.accept([6, 7, 8, 9].map(message));
  expect(given).toEqual([9]);
});
