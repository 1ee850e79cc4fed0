import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { SyncAnswer } from '@hvideo/protocol';
import fc from 'fast-check';
import { MemoryBus } from '../../src/adapters/memory/bus.ts';
import { aloneRouteTable } from '../../src/adapters/memory/route-table.ts';
import { type Chat, createChat } from '../../src/features/chat/index.ts';
import { createCursorCodec } from '../../src/kernel/cursor.ts';
import { randomToken, systemRandom } from '../../src/kernel/random.ts';
import type { ChatStores } from '../../src/ports/message-store/chat-world.ts';
import { ChatModel } from '../support/chat-model.ts';
import { memoryChatStores, postgresChatStores } from '../support/chat-stores.ts';
import { testLog } from '../support/database.ts';
import { codeOf } from '../support/errors.ts';
import { Snowflakes } from '../support/snowflakes.ts';
import { TestClock } from '../support/video-stack.ts';

const PEOPLE = 4;
const INSTANCES = ['', 'tablet'];
const ids = new Snowflakes();

const person = fc.nat(PEOPLE - 1);
const which = fc.nat(5);
const device = fc.record({ person, instance: fc.nat(INSTANCES.length - 1) });
const step = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('begin' as const), person, others: fc.subarray([0, 1, 2, 3]) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('send' as const), device, which, count: fc.nat(4) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('sync' as const),
      device,
      acked: fc.nat(100),
      pts: fc.nat(100),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('read' as const), person, which, share: fc.nat(120) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('add' as const), person, which, other: person }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), person, which, other: person }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), person }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

class Run {
  readonly #chat: Chat;
  readonly #stores: ChatStores;
  readonly #model = new ChatModel();
  readonly #people: string[] = [];
  readonly #sessions: string[] = [];
  #said = 0;

  constructor(chat: Chat, stores: ChatStores) {
    this.#chat = chat;
    this.#stores = stores;
  }

  async begin(): Promise<void> {
    for (let n = 0; n < PEOPLE; n++) {
      const [id, session] = [ids.next(), ids.next()];
      await this.#stores.account(id);
      await this.#stores.session(session, id);
      this.#people.push(id);
      this.#sessions.push(session);
    }
  }

  async step(step: Step): Promise<void> {
    switch (step.kind) {
      case 'begin':
        return this.#begin(step.person, step.others);
      case 'send':
        return this.#send(step.device, step.which, step.count);
      case 'sync':
        return this.#sync(step);
      case 'read':
        return this.#read(step.person, step.which, step.share);
      case 'add':
        return this.#change('add', step);
      case 'remove':
        return this.#change('remove', step);
      case 'forget':
        return this.#forget(step.person);
    }
  }

  /** What everybody is told of every conversation. */
  async check(): Promise<void> {
    for (const accountId of this.#people) {
      const { items } = await this.#chat.conversations.list(accountId, { limit: 100 });
      const told = items.map(({ id, headSeq, joinedSeq, readSeq, unread, memberCount, lastMessage }) => ({
        ...{ id, headSeq, joinedSeq, readSeq, unread, memberCount, lastSeq: lastMessage?.seq ?? null },
      }));
      expect(sorted(told)).toEqual(sorted(this.#model.viewsOf(accountId)));
      const { conversations } = await this.#chat.conversations.unread(accountId);
      expect(conversations).toBe(told.filter(({ unread }) => unread > 0).length);
      for (const { id, joinedSeq, headSeq } of told) {
        const { items } = await this.#chat.reading.history(accountId, id, { afterSeq: 0, limit: 200 });
        expect(items.map(({ id }) => id)).toEqual(this.#model.messageIds(id).slice(joinedSeq, headSeq));
      }
    }
  }

  async #begin(person: number, others: readonly number[]): Promise<void> {
    const actorId = this.#people[person] ?? '';
    const memberIds = others.filter((n) => n !== person).map((n) => this.#people[n] ?? '');
    const type = memberIds.length === 1 ? 'direct' : 'group';
    if (memberIds.length === 0) return;
    const { id, lastMessage } = await this.#chat.conversations.create(actorId, { type, memberIds });
    this.#model.begun(
      id,
      actorId,
      [actorId, ...memberIds],
      type === 'group' ? (lastMessage?.id ?? '') : null,
    );
  }

  /** Several at once: their order is the one that the receipts tell. */
  async #send({ person, instance }: { person: number; instance: number }, which: number, count: number) {
    const accountId = this.#people[person] ?? '';
    const id = this.#conversation(which);
    if (id === undefined) return;
    const sends = Array.from({ length: count + 1 }, () =>
      this.#chat.sending.send(this.#login(person), id, {
        content: { type: 'text', text: `message ${this.#said++}` },
        deviceId: INSTANCES[instance],
      }),
    );
    this.#model.seen(this.#deviceKey(person, instance), accountId);
    if (!this.#model.isMember(id, accountId)) {
      for (const code of await Promise.all(sends.map(codeOf))) expect(code).toBe('not-found');
      return;
    }
    for (const { seq, id: messageId } of await Promise.all(sends))
      this.#model.said(id, seq, messageId, accountId);
  }

  /** Once to see what is there, and once to acknowledge a part of it. */
  async #sync({ device, acked, pts }: Extract<Step, { kind: 'sync' }>): Promise<void> {
    const { person, instance } = device;
    const accountId = this.#people[person] ?? '';
    const key = this.#deviceKey(person, instance);
    const isNew = this.#model.seen(key, accountId);
    const since = Math.min(pts, this.#model.eventsOf(accountId).length);
    const request = { instance: INSTANCES[instance], pts: since, acknowledged: [], waitMs: 0 };
    const answer = await this.#chat.sync.sync(this.#login(person), request);
    expect(pendingOf(answer)).toEqual(this.#model.pending(key));
    const events = this.#model.eventsOf(accountId);
    expect([answer.pts, answer.tooLong]).toEqual([events.length, isNew]);
    expect(answer.events).toEqual(
      isNew ? [] : events.slice(since).map((event, n) => ({ pts: since + n + 1, ...event })),
    );
    const acknowledged = answer.conversations.map(({ conversationId, messages }) => ({
      conversationId,
      seq: messages[Math.floor((messages.length * acked) / 101)]?.seq ?? 0,
    }));
    for (const { conversationId, seq } of acknowledged) this.#model.acknowledged(key, conversationId, seq);
    const rest = await this.#chat.sync.sync(this.#login(person), { ...request, acknowledged });
    expect(pendingOf(rest)).toEqual(this.#model.pending(key));
  }

  async #read(person: number, which: number, share: number): Promise<void> {
    const accountId = this.#people[person] ?? '';
    const id = this.#conversation(which);
    if (id === undefined) return;
    const seq = Math.floor((this.#model.messageIds(id).length * share) / 100);
    const reading = this.#chat.reading.markRead(accountId, id, seq);
    if (!this.#model.isMember(id, accountId)) return void expect(await codeOf(reading)).toBe('not-found');
    await reading;
    this.#model.read(id, accountId, seq);
  }

  async #change(
    what: 'add' | 'remove',
    { person, which, other }: { person: number; which: number; other: number },
  ) {
    const [actorId, otherId] = [this.#people[person] ?? '', this.#people[other] ?? ''];
    const id = this.#conversation(which);
    if (id === undefined) return;
    const { conversations } = this.#chat;
    const changing =
      what === 'add' ? conversations.add(actorId, id, [otherId]) : conversations.remove(actorId, id, otherId);
    const refusal = this.#model.refusalOf(what, id, actorId, otherId);
    if (refusal) return void expect(await codeOf(changing)).toBe(refusal);
    await changing;
    const [message] =
      (
        await this.#stores.messages.read([{ conversationId: id, afterSeq: 0, limit: 1, keep: 'newest' }])
      )[0] ?? [];
    if (what === 'add') this.#model.added(id, otherId, actorId, message?.id ?? '');
    else this.#model.removed(id, otherId, actorId, message?.id ?? '');
  }

  /** As after 30 days. */
  async #forget(person: number): Promise<void> {
    const login = this.#login(person);
    await this.#stores.endSession(login.sessionId);
    const session = ids.next();
    await this.#stores.session(session, login.accountId);
    this.#sessions[person] = session;
    for (const n of INSTANCES.keys()) this.#model.forgotten(this.#deviceKey(person, n));
  }

  #conversation(which: number): string | undefined {
    return this.#model.conversationIds()[which % Math.max(1, this.#model.conversationIds().length)];
  }

  #login(person: number) {
    return { accountId: this.#people[person] ?? '', sessionId: this.#sessions[person] ?? '' };
  }

  #deviceKey(person: number, instance: number): string {
    return `${person}:${instance}`;
  }
}

const sorted = <T extends { id: string }>(items: readonly T[]) =>
  items.toSorted((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));

function pendingOf({ conversations, more }: SyncAnswer) {
  expect(more).toBe(false);
  const pending = conversations.map(({ conversationId: id, gap, messages }) => {
    expect(gap).toBeNull();
    return { id, messages: messages.map(({ seq, id }) => [seq, id] as const) };
  });
  return sorted(pending);
}

describe.each([
  ['in memory', async () => memoryChatStores(), 300],
  ['in PostgreSQL', postgresChatStores, 40],
] as const)('%s', (_name, open, numRuns) => {
  let stores: ChatStores;
  beforeAll(async () => {
    stores = await open();
  }, 60_000);
  afterAll(() => stores.close());

  test('sync gives exactly what a model gives, from any cursor; unread equals a recount', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const clock = new TestClock();
        await using chat = await createChat({
          ...{ ...stores, clock, random: systemRandom, ids, log: testLog },
          cursors: createCursorCodec([{ kid: 'test', secret: randomToken(systemRandom) }]),
          people: { cards: async () => new Map(), reachable: async (ids) => new Set(ids) },
          ...{ routes: aloneRouteTable, bus: new MemoryBus(), nodeName: 'one', hasLimits: false },
        });
        const run = new Run(chat, stores);
        await run.begin();
        for (const each of steps) {
          // No two of them at the same time: who came first decides who owns a group.
          clock.aheadMs += 1;
          await run.step(each);
        }
        await run.check();
      }),
      { numRuns },
    );
  }, 120_000);
});
