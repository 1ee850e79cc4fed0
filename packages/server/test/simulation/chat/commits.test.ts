import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Draft, Receipt } from '../../../src/features/chat/commit/index.ts';
import { encode, OWNERS } from '../../../src/features/chat/commit/remote/wire.ts';
import { AppError } from '../../../src/kernel/errors.ts';
import { CommitsWorld, type Process, type Sent } from './commits-world.ts';

const bodyOf = (text: string) => JSON.stringify({ type: 'text', text });
const draftOf = (conversationId: string, text: string, more: Partial<Draft> = {}): Draft => ({
  ...{ conversationId, senderId: '1', deviceId: '11', body: bodyOf(text), ...more },
});
const numbered = (conversationId: string, clientSeq: number, chain = 'c') =>
  draftOf(conversationId, `${chain}${clientSeq}`, { chain, clientSeq });

const codeOf = ({ outcomes }: Sent) => outcomes.map((it) => (it instanceof AppError ? it.code : 'stored'));
const receiptOf = ({ outcomes: [it] }: Sent) => (it instanceof AppError ? undefined : it);

async function calm(owners = 2, conversations = 8) {
  const world = new CommitsWorld(1);
  const ids = await world.conversations(conversations);
  const there = Array.from({ length: owners }, () => world.owner());
  const asker = world.asker();
  world.scheduler.pass(2_000);
  return { world, ids, owners: there, asker };
}

/** How many conversations of these an owner has stored anything of is not to be seen: but what it was sent. */
const sendsTo = (world: CommitsWorld, { machine }: Process) =>
  world.published.get(`chat-sends:${machine.name}`) ?? 0;

describe('what is handed over', () => {
  test('is answered as if it had been committed here', async () => {
    const { world, ids, asker } = await calm();
    const [id = ''] = ids;
    const good = [1, 2].map((clientSeq) => world.submit(asker, numbered(id, clientSeq)));
    world.scheduler.pass(1_000);
    const again = world.submit(asker, numbered(id, 2));
    const early = world.submit(asker, numbered(id, 9));
    const changed = world.submit(asker, { ...numbered(id, 1), body: bodyOf('other') });
    const unfit = world.submit(asker, draftOf(id, '', { body: '{' }));
    const elsewhere = world.submit(asker, draftOf('77', 'nobody'));
    world.scheduler.pass(1_000);
    expect(good.map(receiptOf)).toMatchObject([
      { conversationId: id, seq: 2, isDuplicate: false },
      { conversationId: id, seq: 3, isDuplicate: false },
    ]);
    expect(receiptOf(again)).toEqual({ ...receiptOf(good[1]!)!, isDuplicate: true });
    expect(early.outcomes).toMatchObject([
      { code: 'out-of-turn', extras: { expectedClientSeq: 3, expectedPreId: receiptOf(good[1]!)?.id } },
    ]);
    expect([changed, unfit, elsewhere].map(codeOf)).toEqual([
      ['chain-conflict'],
      ['message-invalid'],
      ['not-found'],
    ]);
    expect(asker.commits?.waiting).toBe(0);
  });

  test('goes to one owner for each conversation, spread over all, and in one message for each turn', async () => {
    const { world, ids, owners, asker } = await calm(2, 40);
    const before = owners.map((owner) => sendsTo(world, owner));
    const sent = ids.flatMap((id) =>
      [1, 2, 3].map((clientSeq) => world.submit(asker, numbered(id, clientSeq))),
    );
    world.scheduler.pass(1_000);
    expect(sent.flatMap(codeOf)).toEqual(sent.map(() => 'stored'));
    expect(owners.map((owner, at) => sendsTo(world, owner) - before[at]!)).toEqual([1, 1]);
    for (const id of ids) expect(world.stored(id).map(({ clientSeq }) => clientSeq)).toEqual([null, 1, 2, 3]);
    // To each a word that nothing was missed, and then one for each batch.
    expect(world.published.get(`chat-answers:${asker.machine.name}`)).toBeLessThanOrEqual(12);
  });

  test('is taken at once after a quiet time in which the owner has forgotten who asks, with and without a number', async () => {
    const { world, ids, asker } = await calm();
    const [id = ''] = ids;
    for (let clientSeq = 1; clientSeq <= 30; clientSeq++) {
      world.submit(asker, numbered(id, clientSeq));
      world.scheduler.pass(100);
    }
    world.scheduler.pass(90_000);
    const sent = [world.submit(asker, numbered(id, 31)), world.submit(asker, draftOf(id, 'free'))];
    world.scheduler.pass(300);
    expect(sent.map(codeOf)).toEqual([['stored'], ['stored']]);
    expect(world.stored(id).length).toBe(1 + 30 + 2);
  });

  test('goes to the other owner when one dies, in order and without an error', async () => {
    const { world, ids, owners, asker } = await calm();
    const sent: Sent[] = [];
    for (let clientSeq = 1; clientSeq <= 40; clientSeq++) {
      for (const id of ids) sent.push(world.submit(asker, numbered(id, clientSeq)));
      world.scheduler.pass(10);
      if (clientSeq === 10) world.crash(owners[0]!);
    }
    world.scheduler.pass(5_000);
    expect(new Set(sent.flatMap(codeOf))).toEqual(new Set(['stored']));
    expect(sent.every(({ outcomes }) => outcomes.length === 1)).toBe(true);
    for (const id of ids)
      expect(world.stored(id).flatMap(({ clientSeq }) => clientSeq ?? [])).toEqual(
        Array.from({ length: 40 }, (_, at) => at + 1),
      );
  });

  test('without a number it is not given again to another: its sender is told that nobody knows', async () => {
    const { world, ids, owners, asker } = await calm();
    Object.assign(world.network.weather, { typicalMs: 400 });
    const sent = ids.map((id) => world.submit(asker, draftOf(id, 'once')));
    while (ids.every((id) => world.stored(id).length === 1)) world.scheduler.pass(1);
    for (const owner of owners) world.crash(owner);
    world.owner();
    world.scheduler.pass(20_000);
    expect(sent.map(codeOf)).toEqual(ids.map(() => ['timeout']));
    expect(sent.map(({ outcomes: [it] }) => (it as AppError).outcome)).toEqual(ids.map(() => 'unknown'));
    for (const id of ids) expect(world.stored(id).length).toBeLessThanOrEqual(2);
  });

  test('is taken by the others when an owner leaves, with and without a number', async () => {
    const { world, ids, owners, asker } = await calm();
    const sent: Sent[] = [];
    for (let turn = 1; turn <= 60; turn++) {
      for (const id of ids)
        sent.push(world.submit(asker, numbered(id, turn)), world.submit(asker, draftOf(id, `free ${turn}`)));
      if (turn === 20) {
        const { commits } = owners[0]!;
        void commits?.leave().then(() => commits[Symbol.asyncDispose]());
      }
      world.scheduler.pass(7);
    }
    world.scheduler.pass(10_000);
    expect(new Set(sent.flatMap(codeOf))).toEqual(new Set(['stored']));
    for (const id of ids) expect(world.stored(id).length).toBe(1 + 60 * 2);
  });

  test('goes to an owner that has come after the only one left, while one without a number waits there', async () => {
    const { world, ids, owners, asker } = await calm(1);
    const [id = ''] = ids;
    const free = world.submit(asker, draftOf(id, 'a reply that waits', { quote: 'other:1' }));
    world.scheduler.pass(100);
    void owners[0]!.commits?.leave();
    world.scheduler.pass(100);
    world.owner();
    world.scheduler.pass(1_000);
    const next = world.submit(asker, numbered(id, 1));
    world.scheduler.pass(500);
    expect([free, next].map(codeOf)).toEqual([[], ['stored']]);
  });

  test('goes to others while an owner hears nothing, and to it again when it does', async () => {
    const { world, ids, owners, asker } = await calm();
    world.bus.deafen(owners[0]!.machine, 10_000);
    world.scheduler.pass(5_000);
    const before = sendsTo(world, owners[0]!);
    const meanwhile = ids.map((id) => world.submit(asker, numbered(id, 1)));
    world.scheduler.pass(500);
    expect(meanwhile.map(codeOf)).toEqual(ids.map(() => ['stored']));
    expect(sendsTo(world, owners[0]!)).toBe(before);
    world.scheduler.pass(10_000);
    for (const id of ids) world.submit(asker, numbered(id, 2));
    world.scheduler.pass(500);
    expect(sendsTo(world, owners[0]!)).toBeGreaterThan(before);
  });

  test('stays on its way while any of its conversation is under way, whoever comes', async () => {
    const { world, ids, owners, asker } = await calm(1);
    world.network.cut(owners[0]!.machine, world.database.machine);
    const first = ids.map((id) => world.submit(asker, numbered(id, 1)));
    world.scheduler.pass(500);
    const other = world.owner();
    world.scheduler.pass(1_500);
    const second = ids.map((id) => world.submit(asker, numbered(id, 2)));
    world.scheduler.pass(500);
    expect(sendsTo(world, other)).toBe(0);
    world.network.heal();
    world.scheduler.pass(5_000);
    expect([...first, ...second].map(codeOf)).toEqual([...ids, ...ids].map(() => ['stored']));
    for (const id of ids) world.submit(asker, numbered(id, 3));
    world.scheduler.pass(500);
    expect(sendsTo(world, other)).toBe(1);
  });

  test('is refused within seconds when nobody takes it, and taken when somebody comes in time', async () => {
    const world = new CommitsWorld(1);
    const [id = ''] = await world.conversations(1);
    const asker = world.asker({ homelessMs: 3_000 });
    world.scheduler.pass(1_000);
    const first = world.submit(asker, numbered(id, 1));
    world.scheduler.pass(2_500);
    expect(first.outcomes).toEqual([]);
    world.scheduler.pass(1_000);
    expect(first.outcomes).toMatchObject([
      { code: 'overloaded', retryAfterSeconds: 1, outcome: 'not-applied' },
    ]);
    const second = world.submit(asker, numbered(id, 1));
    world.owner();
    world.scheduler.pass(2_000);
    expect(codeOf(second)).toEqual(['stored']);
  });

  test('was refused for good only when it is not on its way once more, to be stored when its sender is back', async () => {
    const { world, ids, owners, asker } = await calm(1);
    const [id = ''] = ids;
    const { machine } = owners[0]!;
    // The owner may have missed something, it says: what is unanswered is sent once more.
    const deaf = encode({ from: machine.name, kind: 'deaf' });
    const { members } = world.memory.conversations.get(id)!;
    const [sender] = [...members.entries()].filter(([accountId]) => accountId === '1');
    members.delete('1');
    Object.assign(world.network.weather, { typicalMs: 3_000 });
    const sent = world.submit(asker, numbered(id, 1));
    const answers = `chat-answers:${asker.machine.name}`;
    // At first the owner says what it has missed: nothing.
    for (let ms = 0; world.published.get(answers) !== 2 && ms < 10_000; ms += 10) {
      if (ms % 500 === 0) void world.bus.busOf(machine).publish(OWNERS, deaf);
      world.scheduler.pass(10);
    }
    members.set(...sender!);
    world.scheduler.pass(30_000);
    expect(world.stored(id).map(({ body }) => body)).toContain(sent.draft.body);
    expect(codeOf(sent)).toEqual(['timeout']);
  });

  test('is bounded, and answered by its deadline', async () => {
    const { world, ids, owners } = await calm();
    const asker = world.asker({ maxUnderWay: 100, deadlineMs: 4_000 });
    world.scheduler.pass(1_000);
    for (const owner of owners) world.network.cut(owner.machine, world.bus.machine);
    const sent = Array.from({ length: 150 }, (_, at) =>
      world.submit(asker, numbered(ids[at % ids.length]!, Math.floor(at / ids.length) + 1)),
    );
    expect(asker.commits?.waiting).toBe(100);
    world.scheduler.pass(10);
    expect(sent.flatMap(codeOf)).toEqual(Array.from({ length: 50 }, () => 'overloaded'));
    world.scheduler.pass(8_000);
    expect(sent.every(({ outcomes }) => outcomes.length === 1)).toBe(true);
    expect(asker.commits?.waiting).toBe(0);
  });

  test('is sent once to an owner that is slow, and not again and again', async () => {
    const { world, ids, owners, asker } = await calm(1, 50);
    world.network.cut(owners[0]!.machine, world.database.machine);
    const before = world.publishedBytes;
    const sent = [1, 2, 3, 4].flatMap((clientSeq) =>
      ids.flatMap((id) => [
        world.submit(asker, numbered(id, clientSeq)),
        world.submit(asker, draftOf(id, `free ${clientSeq}`, { quote: 'c:4' })),
      ]),
    );
    world.scheduler.pass(100);
    const once = world.publishedBytes - before;
    world.scheduler.pass(4_000);
    expect(world.publishedBytes - before).toBeLessThan(once * 1.2);
    world.network.heal();
    world.scheduler.pass(5_000);
    expect(new Set(sent.filter(({ draft }) => draft.clientSeq).flatMap(codeOf))).toEqual(new Set(['stored']));
    for (const id of ids)
      expect(world.stored(id).flatMap(({ clientSeq }) => clientSeq ?? [])).toEqual([1, 2, 3, 4]);
  });

  test('is cut into messages that the bus takes', async () => {
    const { world, ids, asker } = await calm(1);
    const words = '"'.repeat(2_000);
    const sent = Array.from({ length: 400 }, (_, at) =>
      world.submit(asker, draftOf(ids[0]!, `${words}${at}`)),
    );
    world.scheduler.pass(2_000);
    expect(new Set(sent.flatMap(codeOf))).toEqual(new Set(['stored']));
    expect(
      world
        .stored(ids[0]!)
        .slice(1)
        .map(({ body }) => body),
    ).toEqual(sent.map(({ draft }) => draft.body));
  });
});

const weather = fc.record({
  typicalMs: fc.constantFrom(1, 20, 100),
  losesOncePer: fc.constantFrom(0, 3, 10, 50),
  repeatsOncePer: fc.constantFrom(0, 4, 20),
  breaksOncePer: fc.constant(0),
});
const action = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('say' as const),
      at: fc.nat(11),
      count: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 1_500 }) }),
  },
  // Nothing is said for long enough to be forgotten, and more is said then.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constant(75_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('deafen' as const), at: fc.nat(3), ms: fc.constant(6_000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('die' as const, 'leave' as const, 'come' as const),
      at: fc.nat(3),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('bus' as const, 'database' as const),
      ms: fc.integer({ min: 50, max: 3_000 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ...{ kind: fc.constant('hold' as const), at: fc.nat(2) },
      forMs: fc.integer({ min: 50, max: 3_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('cut' as const, 'heal' as const), at: fc.nat(3) }),
  },
);

/** Somebody who says things in one conversation: again from where it stopped, as clients do. */
interface Talker {
  readonly conversationId: string;
  readonly chain: string | undefined;
  readonly asker: Process;
  next: number;
  last: Sent[];
  /** What was said one after another, until something was refused. */
  readonly groups: Sent[][];
}

function say(world: CommitsWorld, talker: Talker, count: number): void {
  const { asker, chain, conversationId } = talker;
  if (chain === undefined) {
    for (let n = 0; n < count; n++)
      talker.last.push(world.submit(asker, draftOf(conversationId, `free ${talker.next++}`)));
    return;
  }
  const failed = talker.last.find(({ outcomes }) => outcomes[0] instanceof AppError);
  if (failed) {
    // It is said again, and what follows with it, when everything is answered.
    if (talker.last.some(({ outcomes }) => outcomes.length === 0)) return;
    talker.next = failed.draft.clientSeq ?? talker.next;
    talker.last = [];
    talker.groups.push(talker.last);
  }
  for (let n = 0; n < count; n++)
    talker.last.push(world.submit(asker, numbered(conversationId, talker.next++, chain)));
}

type Action = typeof action extends fc.Arbitrary<infer It> ? It : never;

function act(world: CommitsWorld, it: Action, owners: Process[], talkers: readonly Talker[]): void {
  if (it.kind === 'say') say(world, talkers[it.at]!, it.count);
  else if (it.kind === 'pass') world.scheduler.pass(it.ms);
  else if (it.kind === 'deafen') world.bus.deafen(owners[it.at % owners.length]!.machine, it.ms);
  else if ('ms' in it) world[it.kind].crash(it.ms);
  else if (it.kind === 'hold') world.database.hold(talkers[it.at]!.conversationId, it.forMs);
  else if (it.kind === 'heal') world.network.heal();
  else if (it.kind === 'come') owners.push(world.owner());
  else {
    const owner = owners[it.at % owners.length]!;
    if (it.kind === 'die') world.crash(owner);
    else if (it.kind === 'leave')
      void owner.commits?.leave().then(() => owner.commits?.[Symbol.asyncDispose]());
    else world.network.cut(owner.machine, [world.bus, world.database][it.at % 2]!.machine);
  }
}

test('whatever is lost, late or dies: one outcome for each, nothing acknowledged that is not stored, chains in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      weather,
      fc.array(action, { minLength: 5, maxLength: 60 }),
      async (seed, sky, actions) => {
        const world = new CommitsWorld(seed);
        const ids = await world.conversations(3);
        const owners = [world.owner(), world.owner()];
        const askers = [world.asker(), world.asker()];
        world.scheduler.pass(2_000);
        Object.assign(world.network.weather, sky);
        const talkers = Array.from({ length: 12 }, (_, at): Talker => {
          const last: Sent[] = [];
          const chain = at < 9 ? `t${at}` : undefined;
          return {
            ...{ conversationId: ids[at % 3]!, chain, asker: askers[at % 2]! },
            ...{ next: 1, last, groups: [last] },
          };
        });
        for (const it of actions) act(world, it, owners, talkers);
        world.scheduler.pass(25_000);
        check(world, askers, talkers);
      },
    ),
    { numRuns: 300 },
  );
}, 120_000);

function check(world: CommitsWorld, askers: readonly Process[], talkers: readonly Talker[]): void {
  // Nothing is overtaken: only what follows a refusal can be out of turn.
  for (const { groups } of talkers)
    for (const group of groups)
      expect(group.flatMap(codeOf).find((code) => code !== 'stored')).not.toBe('out-of-turn');
  expect(world.sent.filter(({ outcomes }) => outcomes.length !== 1)).toEqual([]);
  expect(askers.map(({ commits }) => commits?.waiting)).toEqual([0, 0]);
  for (const { draft, outcomes } of world.sent) {
    const [outcome] = outcomes as [Receipt | AppError];
    if (outcome instanceof AppError) {
      const unexpected =
        draft.clientSeq === undefined ? ['out-of-turn', 'chain-conflict'] : ['chain-conflict'];
      expect(unexpected).not.toContain(outcome.code);
      continue;
    }
    expect(world.stored(draft.conversationId)[outcome.seq - 1]).toMatchObject({
      body: draft.body,
      id: outcome.id,
    });
  }
  for (const [, { messages }] of world.memory.conversations) {
    const said = messages.map(({ body }) => body);
    expect(new Set(said).size).toBe(said.length);
    const last = new Map<string, number>();
    for (const { body, clientSeq } of messages) {
      if (clientSeq === null) continue;
      const chain = /t\d/.exec(body)?.[0] ?? '';
      expect(clientSeq).toBe((last.get(chain) ?? 0) + 1);
      last.set(chain, clientSeq);
    }
  }
}
