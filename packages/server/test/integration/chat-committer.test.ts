import { beforeEach, describe, expect, test } from 'bun:test';
import { MESSAGE_MAX_BYTES, MESSAGE_TEXT_MAX } from '@hvideo/protocol';
import pino from 'pino';
import { MemoryConversationStore } from '../../src/adapters/memory/chat/conversation-store.ts';
import { MemoryMessageStore } from '../../src/adapters/memory/chat/message-store.ts';
import { MemoryChat } from '../../src/adapters/memory/chat/state.ts';
import { Committer } from '../../src/features/chat/commit/committer.ts';
import type { CommitterOptions, Draft } from '../../src/features/chat/commit/types.ts';
import { type Clock, systemClock } from '../../src/kernel/clock.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import type { MessageStore, Send, StoredMessage, Verdict } from '../../src/ports/message-store/port.ts';

const text = (words: string) => JSON.stringify({ type: 'text', text: words });

/** The memory store with a door that a test holds, and failures that it asks for. */
class Doorway implements MessageStore {
  readonly batches: Send[][] = [];
  door: Promise<void> | undefined;
  /** Asked before each batch; `after`: it is stored, and the answer is lost. */
  fail: (() => { error: Error; after: boolean } | undefined) | undefined;
  readonly #store: MessageStore;

  constructor(store: MessageStore) {
    this.#store = store;
  }

  async commit(sends: readonly Send[]): Promise<Verdict[]> {
    this.batches.push([...sends]);
    await this.door;
    const failure = this.fail?.();
    if (failure && !failure.after) throw failure.error;
    const verdicts = await this.#store.commit(sends);
    if (failure) throw failure.error;
    return verdicts;
  }

  read: MessageStore['read'] = (ranges) => this.#store.read(ranges);
  heads: MessageStore['heads'] = (ids) => this.#store.heads(ids);
}

/** Time that goes on when it is slept through. */
class LeapingClock implements Clock {
  ms = 1_800_000_000_000;
  readonly #timers: { atMs: number; run: () => void }[] = [];
  nowMs = () => this.ms;
  monotonicMs = () => this.ms;
  every = systemClock.every;

  async sleep(ms: number): Promise<void> {
    this.ms += ms;
  }

  after(ms: number, run: () => void): Disposable {
    const timer = { atMs: this.ms + ms, run };
    this.#timers.push(timer);
    return { [Symbol.dispose]: () => void this.#timers.splice(this.#timers.indexOf(timer), 1) };
  }

  leap(ms: number): void {
    this.ms += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.ms);
    for (const timer of due) this.#timers.splice(this.#timers.indexOf(timer), 1);
    for (const { run } of due) run();
  }
}

let chat: MemoryChat;
let store: Doorway;
let clock: LeapingClock;
let told: StoredMessage[];
let unknown: string[];
let group: string;

beforeEach(async () => {
  chat = new MemoryChat();
  store = new Doorway(new MemoryMessageStore(chat));
  clock = new LeapingClock();
  told = [];
  unknown = [];
  for (const id of ['1', '2']) chat.accounts.add(id);
  const draft = { id: '100', messageId: '101', nowMs: 1, actorId: '1', memberIds: ['2'], title: null };
  group = (await new MemoryConversationStore(chat).create({ ...draft, type: 'group' })).conversationId;
});

let lastId = 1_000;
function committer(options: Partial<CommitterOptions> = {}): Committer {
  const ids = { next: () => String(++lastId) };
  const onCommitted = (messages: readonly StoredMessage[]) => void told.push(...messages);
  const onUnknown = (conversationIds: readonly string[]) => void unknown.push(...conversationIds);
  const deps = { messages: store, clock, random: systemRandom, ids, onCommitted, onUnknown };
  return new Committer({ ...deps, log: pino({ level: 'silent' }) }, options);
}

const draft = (more: Partial<Draft> = {}): Draft => ({
  ...{ conversationId: group, senderId: '1', deviceId: '11', body: text('hello'), ...more },
});

/** What a send comes to: its seq, or the code of its refusal. */
const outcome = (promise: Promise<{ seq: number; isDuplicate: boolean }>) =>
  promise.then(
    ({ seq, isDuplicate }) => (isDuplicate ? `again ${seq}` : seq),
    (error: unknown) => {
      if (error instanceof AppError) return error.code;
      throw error;
    },
  );

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await undefined;
};

describe('Committer', () => {
  test('one message waits for nobody, what comes meanwhile makes the next batch, in order', async () => {
    const door = Promise.withResolvers<void>();
    store.door = door.promise;
    const it = committer();
    const first = it.send(draft());
    await turns(5);
    const others = [1, 2, 3].map((n) => it.send(draft({ body: text(`${n}`) })));
    await turns(5);
    expect(store.batches.map((batch) => batch.length)).toEqual([1]);
    door.resolve();
    expect(await Promise.all([first, ...others].map(outcome))).toEqual([2, 3, 4, 5]);
    expect(store.batches.map((batch) => batch.length)).toEqual([1, 3]);
    expect(told.map(({ seq, body }) => [seq, body])).toEqual([
      [2, text('hello')],
      [3, text('1')],
      [4, text('2')],
      [5, text('3')],
    ]);
    const [stored = []] = await store.read([
      { conversationId: group, afterSeq: 1, limit: 9, keep: 'oldest' },
    ]);
    expect(told).toEqual(stored);
  });

  test('answers repeats, conflicts and what is out of turn, and tells nobody twice', async () => {
    const it = committer();
    const one = draft({ chain: 'c', clientSeq: 1 });
    expect(await outcome(it.send(one))).toBe(2);
    expect(await Promise.all([it.send(one), it.send(one)].map(outcome))).toEqual(['again 2', 'again 2']);
    expect(await outcome(it.send({ ...one, body: text('other') }))).toBe('chain-conflict');
    expect(await outcome(it.send({ ...one, quote: 1 }))).toBe('chain-conflict');
    const [stored] = told;
    expect(it.send({ ...one, clientSeq: 4 })).rejects.toMatchObject({
      code: 'out-of-turn',
      extras: { expectedClientSeq: 2, expectedPreId: stored?.id },
    });
    expect(await outcome(it.send({ ...one, clientSeq: 2, preId: '5' }))).toBe('out-of-turn');
    expect(await outcome(it.send({ ...one, clientSeq: 2, preId: stored?.id }))).toBe(3);
    // Another device, or none's name: chains of their own.
    expect(await outcome(it.send({ ...one, deviceId: '12' }))).toBe(4);
    expect(await outcome(it.send({ ...one, chain: undefined }))).toBe(5);
    expect(await outcome(it.send(draft({ senderId: '3' })))).toBe('not-found');
    expect(await outcome(it.send(draft({ conversationId: '0x10' })))).toBe('not-found');
    expect(told.map(({ seq }) => seq)).toEqual([2, 3, 4, 5]);
  });

  test('refuses what is no message; with a number it takes it, and the next is in turn', async () => {
    const it = committer();
    const bodies = [
      '',
      'hello',
      '[]',
      'null',
      '{"type":"text"}',
      text(''),
      text(' '),
      text('a\0b'),
      text('\ud83d'),
      text('x'.repeat(MESSAGE_TEXT_MAX + 1)),
      '{"type":"text","text":"a","more":1}',
      '{"type":"system","event":"left","actorId":"1"}',
      '{"type":"video","videoId":"x"}',
      '{"type":"custom","name":"n","data":"\\u0000"}',
      '{"type":"custom","name":"n","data":{"\\udc00":1}}',
      `{"type":"custom","name":"n","data":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
      `{"type":"custom","name":"n","data":"${'x'.repeat(MESSAGE_MAX_BYTES)}"}`,
      `{"type":"custom","name":"n","data":"${'你'.repeat(MESSAGE_MAX_BYTES / 3)}"}`,
    ];
    expect(await Promise.all(bodies.map((body) => outcome(it.send(draft({ body })))))).toEqual(
      bodies.map(() => 'message-invalid'),
    );
    const numbered = bodies.map((body, i) => outcome(it.send(draft({ body, chain: 'c', clientSeq: i + 1 }))));
    expect(new Set(await Promise.all(numbered))).toEqual(new Set(['message-invalid']));
    const fit = [
      text('你好 \u{1f600}'),
      '{ "type": "text",\n "text": "as sent" }',
      '{"type":"image","url":"https://example.org/a.png","width":10,"height":10}',
      '{"type":"video","videoId":"123"}',
      '{"type":"custom","name":"poll","data":{"a":[1,null,true,"\\\\u0000"]}}',
    ];
    const sends = fit.map((body, i) =>
      it.send(draft({ body, chain: 'c', clientSeq: bodies.length + i + 1 })),
    );
    expect(await Promise.all(sends.map(outcome))).toEqual([2, 3, 4, 5, 6]);
    expect(told.map(({ body }) => body)).toEqual(fit);
    const malformed = [{ clientSeq: 0 }, { clientSeq: 1.5 }, { clientSeq: 1, chain: 'a b' }];
    for (const more of [...malformed, { clientSeq: 1, preId: 'x' }])
      expect(await outcome(it.send(draft(more)))).toBe('invalid-request');
  });

  test('a reply waits for what it quotes, and its chain behind it', async () => {
    const it = committer();
    const reply = (clientSeq: number, quote?: string | number) =>
      outcome(it.send(draft({ chain: 'mine', clientSeq, quote, body: text(`mine ${clientSeq}`) })));
    const held = [reply(1, 'other:2'), reply(2)];
    await turns(20);
    const behind = reply(3, 1);
    const first = outcome(it.send(draft({ chain: 'other', clientSeq: 1 })));
    expect(await first).toBe(2);
    const target = outcome(it.send(draft({ chain: 'other', clientSeq: 2 })));
    expect(await target).toBe(3);
    expect(await Promise.all([...held, behind])).toEqual([4, 5, 6]);
    expect(told.map(({ seq, quoteSeq }) => [seq, quoteSeq])).toEqual([
      [2, null],
      [3, null],
      [4, 3],
      [5, null],
      [6, 1],
    ]);
    expect(await reply(4, 99)).toBe('quote-unknown');
    expect(await reply(5, 'not a quote')).toBe('quote-unknown');
    expect(await reply(6, 'mine:6')).toBe('quote-unknown');
    expect(await reply(7, 'mine:3')).toBe(7);
  });

  test('a reply that comes twice while it waits is answered twice, and holds nothing for good', async () => {
    const it = committer({ maxHeld: 4, maxWaitingBytes: 1_000 });
    const reply = { chain: 'mine', clientSeq: 1, quote: 'other:1', body: text('x'.repeat(300)) };
    const both = [outcome(it.send(draft(reply))), outcome(it.send(draft(reply)))];
    await turns(20);
    expect(await outcome(it.send(draft({ chain: 'other', clientSeq: 1 })))).toBe(2);
    expect(await Promise.all(both)).toEqual([3, 'again 3']);
    // All of the room is there again.
    expect(await outcome(it.send(draft({ body: text('x'.repeat(900)) })))).toBe(4);
  });

  test('a reply finds what another node has stored, and waits no longer than it may', async () => {
    const [it, other] = [committer(), committer()];
    const found = outcome(it.send(draft({ chain: 'mine', clientSeq: 1, quote: 'other:1' })));
    await turns(20);
    expect(await outcome(other.send(draft({ chain: 'other', clientSeq: 1 })))).toBe(2);
    clock.leap(1_000);
    expect(await found).toBe(3);
    const lost = [
      outcome(it.send(draft({ chain: 'mine', clientSeq: 2, quote: 'other:5' }))),
      outcome(it.send(draft({ chain: 'mine', clientSeq: 3 }))),
      outcome(it.send(draft({ quote: 'other:5' }))),
    ];
    for (let seconds = 0; seconds < 11; seconds++) {
      await turns(20);
      clock.leap(1_000);
    }
    expect(await Promise.all(lost)).toEqual(['quote-unknown', 4, 'quote-unknown']);
  });

  test('holds no more replies than it may', async () => {
    const it = committer({ maxHeld: 2 });
    const sends = [1, 2, 3].map((n) =>
      outcome(it.send(draft({ chain: `mine${n}`, clientSeq: 1, quote: 'other:1' }))),
    );
    expect(await sends[2]).toBe('overloaded');
    await it.send(draft({ chain: 'other', clientSeq: 1 }));
    expect(await Promise.all(sends.slice(0, 2))).toEqual([3, 4]);
  });

  test('gives sends with numbers again while their outcome is unknown, and others their error', async () => {
    const it = committer();
    const failures = [true, false, true, false].map((after) => ({
      ...{ after, error: new AppError(after ? 'timeout' : 'database-unavailable') },
    }));
    store.fail = () => failures.shift();
    const sends = [
      it.send(draft({ chain: 'c', clientSeq: 1 })),
      it.send(draft({ body: text('unprotected') })),
      it.send(draft({ chain: 'c', clientSeq: 2 })),
    ];
    expect(await Promise.all(sends.map(outcome))).toEqual([2, 'timeout', 4]);
    expect(store.batches.map((batch) => batch.length)).toEqual([3, 2, 2, 2, 2]);
    // The unprotected one was stored, and nobody here knows: somebody has to look. The others are told, under the ids of their first try.
    expect(unknown).toEqual([group]);
    expect(told.map(({ seq }) => seq)).toEqual([2, 4]);
    expect(told.map(({ id }) => id)).toEqual(
      [sends[0], sends[2]].map((_, i) => store.batches[0]?.[i * 2]?.id ?? ''),
    );
  });

  test('gives up in time, and is well again after', async () => {
    const it = committer({ retryMs: 1_000 });
    store.fail = () => ({ error: new AppError('database-unavailable'), after: false });
    expect(await outcome(it.send(draft({ chain: 'c', clientSeq: 1 })))).toBe('database-unavailable');
    store.fail = () => ({ error: new Error('a bug'), after: false });
    expect(await outcome(it.send(draft({ chain: 'c', clientSeq: 1 })))).toBe('internal');
    expect(unknown).toEqual([group, group]);
    store.fail = undefined;
    expect(await outcome(it.send(draft({ chain: 'c', clientSeq: 1 })))).toBe(2);
  });

  test('is bounded in sends and in bytes', async () => {
    const door = Promise.withResolvers<void>();
    store.door = door.promise;
    const it = committer({ maxWaiting: 3, maxWaitingBytes: 100 });
    const first = outcome(it.send(draft()));
    await turns(5);
    const more = Array.from({ length: 4 }, () => outcome(it.send(draft({ body: text('') }))));
    const sends = Array.from({ length: 4 }, () =>
      outcome(it.send(draft({ body: '{"type":"text","text":"x"}' }))),
    );
    expect(await Promise.all([...more, sends[3]])).toEqual([
      ...more.map(() => 'message-invalid'),
      'overloaded',
    ] as never);
    door.resolve();
    expect(await Promise.all([first, ...sends.slice(0, 2)])).toEqual([2, 3, 4]);
    expect(await outcome(it.send(draft({ body: text('x'.repeat(100)) })))).toBe('overloaded');
    expect(await outcome(it.send(draft()))).toBe(it.waiting + 5);
  });

  test('drains: answers what it has, refuses what comes', async () => {
    const it = committer();
    const sends = [it.send(draft()), it.send(draft({ chain: 'c', clientSeq: 1, quote: 'other:1' }))];
    const outcomes = Promise.all(sends.map(outcome));
    await it.drain();
    expect(await outcomes).toEqual([2, 'shutting-down']);
    expect(await outcome(it.send(draft()))).toBe('shutting-down');
  });
});
