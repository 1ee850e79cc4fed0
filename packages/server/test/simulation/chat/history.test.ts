import { expect, test } from 'bun:test';
import type { StoredMessage } from '../../../src/ports/message-store/port.ts';
import { ChatHistory, type DeviceView } from '../../support/chat-history.ts';

/** Two people, three messages, the last one an answer: everything as it should be. */
function goodRun() {
  const history = new ChatHistory();
  history.send({ conversationId: '9', senderId: '1', text: 'a1', tab: 'a' });
  history.send({ conversationId: '9', senderId: '1', text: 'a2', tab: 'a' });
  history.send({ conversationId: '9', senderId: '2', text: 'b1', tab: 'b', answers: 'a1' });
  history.acknowledged.push({ conversationId: '9', text: 'a1', seq: 1 });
  const view: DeviceView = {
    ...{
      device: 'phone',
      deviceId: '8',
      accountId: '2',
      conversationId: '9',
      gaps: [],
      fromSeq: 0,
      isSettled: true,
    },
    ...{ unread: 1, readSeq: 1 },
    shown: [shown(1, 'a1'), shown(2, 'a2'), shown(3, 'b1', 1)],
  };
  return { history, view, stored: [message(1, 'a1', '1'), message(2, 'a2', '1'), message(3, 'b1', '2', 1)] };
}

const shown = (seq: number, text: string, quote: number | null = null) => ({ seq, text, quote });

function message(seq: number, text: string, senderId: string, quoteSeq: number | null = null): StoredMessage {
  return {
    ...{ conversationId: '9', seq, id: String(100 + seq), senderId, deviceId: '7', clientSeq: seq, quoteSeq },
    ...{ timestampMs: 0, body: JSON.stringify({ type: 'text', text }) },
  };
}

type Run = ReturnType<typeof goodRun>;

function violationsOf(change: (run: Run) => Partial<Run> | undefined): string[] {
  const run = goodRun();
  const { history, stored, view } = { ...run, ...change(run) };
  return history.violations(new Map([['9', stored]]), [view]);
}

test('a run that keeps its promises is let pass', () => {
  expect(violationsOf(() => ({}))).toEqual([]);
});

const broken: Record<string, [expected: string, change: (run: Run) => Partial<Run> | undefined]> = {
  'acknowledged, not stored': ['acknowledged', ({ stored }) => ({ stored: stored.slice(1) })],
  'stored twice': ['stored twice', ({ stored }) => ({ stored: [...stored, message(4, 'a1', '1')] })],
  'a hole in the order': [
    'in place',
    ({ stored }) => ({ stored: [stored[0]!, stored[1]!, { ...stored[2]!, seq: 4 }] }),
  ],
  'an order that is not the sender’s': [
    'which a sent later',
    ({ stored }) => ({ stored: [message(1, 'a2', '1'), message(2, 'a1', '1'), stored[2]!] }),
  ],
  'a reply before its target': [
    'stored before what it answers',
    () => ({ stored: [message(1, 'b1', '2', 1), message(2, 'a1', '1'), message(3, 'a2', '1')] }),
  ],
  'another order on a device': [
    'shows 1 after 2',
    ({ view }) => ({ view: { ...view, shown: [shown(2, 'a2'), shown(1, 'a1'), shown(3, 'b1', 1)] } }),
  ],
  'a reply shown before its target': [
    'before its target',
    ({ view }) => ({ view: { ...view, isSettled: false, shown: [shown(2, 'a2'), shown(3, 'b1', 1)] } }),
  ],
  'something else than what is stored': [
    'shows a1 as 2',
    ({ view }) => ({ view: { ...view, shown: [shown(2, 'a1')] } }),
  ],
  'a hole that nobody declared': [
    'never got 2',
    ({ view }) => ({ view: { ...view, shown: [shown(1, 'a1'), shown(3, 'b1', 1)] } }),
  ],
  'unread that is not what a recount says': ['unread', ({ view }) => ({ view: { ...view, unread: 2 } })],
  'stored in spite of a refusal': [
    'was refused',
    ({ history }) => {
      history.refused.set('a2', 'blocked');
      return undefined;
    },
  ],
  'acknowledged as two': [
    'as 1 and as 2',
    ({ history }) => {
      history.acknowledged.push({ conversationId: '9', text: 'a1', seq: 2 });
      return undefined;
    },
  ],
};

for (const [name, [expected, change]] of Object.entries(broken)) {
  test(`is found: ${name}`, () => {
    expect(violationsOf(change).join('\n')).toContain(expected);
  });
}

test('a declared gap is no hole', () => {
  const gaps = [{ fromSeq: 1, toSeq: 2 }];
  expect(violationsOf(({ view }) => ({ view: { ...view, gaps, shown: [shown(3, 'b1', 1)] } }))).toEqual([]);
});
