import { afterAll, beforeAll, expect, test } from 'bun:test';
import { PostgresMessageStore } from '../../src/adapters/postgres/chat/message-store.ts';
import type { Database } from '../../src/ports/database/port.ts';
import { ChatWorld } from '../../src/ports/message-store/chat-world.ts';
import type { Verdict } from '../../src/ports/message-store/port.ts';
import { postgresChatStores } from '../support/chat-stores.ts';
import { eventually } from '../support/eventually.ts';

let stores: Awaited<ReturnType<typeof postgresChatStores>>;
let world: ChatWorld;
/** Of the store under test: commits that read under the lock before they write. */
let inSteps = 0;

beforeAll(async () => {
  const opened = await postgresChatStores();
  stores = { ...opened, messages: new PostgresMessageStore(countingTransactions(opened.database)) };
  world = new ChatWorld(stores);
});
afterAll(() => stores.close());

function countingTransactions(database: Database): Database {
  return new Proxy(database, {
    get(target, name) {
      if (name === 'transaction') inSteps += 1;
      const value: unknown = Reflect.get(target, name, target);
      return name === 'transaction' && typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const seqOf = (verdict: Verdict) =>
  verdict.kind === 'stored' ? verdict.seq : verdict.kind === 'refused' ? verdict.code : verdict.kind;

/** A conversation in which both have talked until it is steady, and how to go on with the chain of the first. */
async function steady(begin: (a: string, b: string) => Promise<string>) {
  const [a = '', b = ''] = await world.people(2);
  const conversation = await begin(a, b);
  const chain = world.chain();
  let clientSeq = 0;
  const next = (more: Parameters<ChatWorld['send']>[2] = {}) =>
    world.send(conversation, a, { turn: { chain, clientSeq: ++clientSeq }, ...more });
  for (let i = 0; i < 2; i++) await stores.messages.commit([next(), world.send(conversation, b)]);
  return { a, b, conversation, chain, next };
}

/** What it answers, and whether it went in one step. */
async function commit(...sends: Parameters<ChatWorld['commitOne']>[0][]) {
  const before = inSteps;
  const verdicts = await stores.messages.commit(sends);
  return { answers: verdicts.map(seqOf), isOneStep: inSteps === before };
}

const direct = (a: string, b: string) => world.direct(a, b);
const group = (a: string, b: string) => world.group(a, b);

test('what one process says in steady conversations is stored in one step, and told as it is stored', async () => {
  const [first, second] = [await steady(direct), await steady(group)];
  const sends = [first.next(), second.next({ quote: { seq: 1 } }), first.next(), first.next()];
  expect(await commit(...sends)).toEqual({ answers: [5, 6, 6, 7], isOneStep: true });
  const stored = await world.all(first.conversation);
  expect(stored.slice(4).map(({ seq, id, clientSeq }) => [seq, id, clientSeq])).toEqual([
    [5, sends[0]?.id ?? '', 3],
    [6, sends[2]?.id ?? '', 4],
    [7, sends[3]?.id ?? '', 5],
  ]);
  expect((await world.all(second.conversation)).at(-1)).toMatchObject({ seq: 6, quoteSeq: 1 });
  expect(await stores.messages.heads([first.conversation])).toEqual(new Map([[first.conversation, 7]]));
  // A number that is left out is told from what is remembered, beside one that is stored.
  const skipped = world.send(first.conversation, first.a, { turn: { chain: first.chain, clientSeq: 9 } });
  expect(await commit(skipped, first.next())).toEqual({ answers: ['out-of-turn', 8], isOneStep: true });
});

test('what another process has said since is seen, and one step is enough again when it is silent', async () => {
  const { b, conversation, next } = await steady(direct);
  expect((await commit(next())).isOneStep).toBe(true);
  await stores.second.messages.commit([world.send(conversation, b)]);
  expect(await commit(next())).toEqual({ answers: [7], isOneStep: false });
  await stores.second.messages.commit([world.send(conversation, b)]);
  expect(await commit(next())).toEqual({ answers: [9], isOneStep: false });
  expect(await commit(next())).toEqual({ answers: [10], isOneStep: false });
  expect(await commit(next())).toEqual({ answers: [11], isOneStep: true });
});

test('of a batch with one conversation that has changed nothing is stored on what was remembered', async () => {
  const [changed, unchanged] = [await steady(direct), await steady(direct)];
  await stores.second.messages.commit([world.send(changed.conversation, changed.b)]);
  expect(await commit(unchanged.next(), changed.next())).toEqual({ answers: [5, 6], isOneStep: false });
  expect(await world.all(unchanged.conversation)).toHaveLength(5);
  expect(await commit(unchanged.next(), unchanged.next())).toMatchObject({ answers: [6, 7] });
});

test('a block and a removal count from the moment that they are answered', async () => {
  const talk = await steady(direct);
  await stores.block(talk.b, talk.a);
  expect(await commit(talk.next())).toEqual({ answers: ['blocked'], isOneStep: false });
  const club = await steady(group);
  await world.remove(club.conversation, club.a, club.b, stores.second.conversations);
  const fromRemoved = world.send(club.conversation, club.b);
  expect((await commit(fromRemoved, club.next())).answers).toEqual(['not-found', 7]);
});

test('a number that has its verdict gets it again, and another message with it is a conflict', async () => {
  const { a, conversation, chain, next } = await steady(direct);
  const send = next();
  const verdicts = await stores.messages.commit([send]);
  expect(await stores.messages.commit([{ ...send, id: world.id() }])).toEqual([
    { ...verdicts[0], isDuplicate: true } as Verdict,
  ]);
  const other = world.send(conversation, a, { turn: { chain, clientSeq: 3 } });
  expect((await commit(other, next())).answers).toEqual(['conflict', 6]);
});

test('what another holds while it is decided here is seen when it lets go', async () => {
  for (const what of ['a message', 'a block', 'nothing'] as const) {
    const talk = await steady(direct);
    const held = Promise.withResolvers<void>();
    const letGo = Promise.withResolvers<void>();
    const other = stores.database.transaction(async (tx) => {
      await tx`select from conversation_head where conversation_id = ${talk.conversation} for update`;
      if (what === 'a message') {
        await tx`
          insert into message (conversation_id, seq, id, sender_id, body_hash, body, sent_at)
          values (${talk.conversation}, 5, ${world.id()}, ${talk.b}, 0, '{}', now())`;
        await tx`update conversation_head set seq = 5 where conversation_id = ${talk.conversation}`;
      }
      held.resolve();
      await letGo.promise;
    });
    await held.promise;
    if (what === 'a block') await stores.block(talk.b, talk.a);
    const before = inSteps;
    const committing = stores.messages.commit([talk.next(), talk.next()]);
    await eventually(async () => {
      const [waiting] = await stores.database.sql`
        select from pg_stat_activity where wait_event_type = 'Lock' and query like '%conversation_head%'`;
      return waiting !== undefined;
    });
    letGo.resolve();
    await other;
    const answers = { 'a message': [6, 7], 'a block': ['blocked', 'blocked'], nothing: [5, 6] }[what];
    expect<unknown>((await committing).map(seqOf)).toEqual(answers);
    expect(inSteps - before).toBe(what === 'nothing' ? 0 : 1);
  }
});
