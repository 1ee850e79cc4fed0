import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { ChatWorld } from './chat-world.ts';
import { MessageModel } from './model.ts';
import type { Quote, Send } from './port.ts';

const step = fc.record({
  inGroup: fc.boolean(),
  /** Members of both, of the group only, of none. */
  who: fc.constantFrom(0, 0, 0, 1, 2),
  chain: fc.constantFrom(0, 0, 1, null),
  /** From what would be next. */
  offset: fc.constantFrom(0, 0, 0, 0, 0, -1, -2, 1),
  body: fc.constantFrom('a', 'a', 'a', 'b'),
  preId: fc.constantFrom('none', 'none', 'none', 'first', 'last', 'wrong'),
  quote: fc.oneof(
    { weight: 4, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.record({ seq: fc.integer({ min: 1, max: 6 }) }) },
    { weight: 2, arbitrary: fc.record({ chain: fc.nat(1), clientSeq: fc.integer({ min: 1, max: 4 }) }) },
  ),
  unfit: fc.constantFrom(undefined, undefined, undefined, undefined, undefined, 'message-invalid' as const),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const history = fc.record({
  batches: fc.array(fc.array(step, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8 }),
  /** Before which batch the direct chat ends by a block, and the second leaves the group. */
  blockAt: fc.integer({ min: 2, max: 20 }),
  leaveAt: fc.integer({ min: 2, max: 20 }),
  /** Which batches are sent again, as after a lost answer. */
  lost: fc.array(fc.nat(7), { maxLength: 3 }),
});

/** Any history of sends gets the verdicts of the model. */
export function messageModelContract(worldOf: () => ChatWorld, numRuns = 60): void {
  test('histories of duplicates, conflicts, turns, refusals, quotes and lost answers are judged as by the model', async () => {
    const world = worldOf();
    await fc.assert(
      fc.asyncProperty(history, async ({ batches, blockAt, leaveAt, lost }) => {
        const run = await begin(world);
        for (const [i, batch] of batches.entries()) {
          if (i === blockAt) await run.block();
          if (i === leaveAt) await run.leave();
          const sends = batch.map((each) => run.send(each));
          await run.commit(sends);
          if (lost.includes(i)) await run.commit(sends.map((send) => ({ ...send, id: world.id() })));
        }
        await run.compare();
      }),
      { numRuns },
    );
  }, 60_000);
}

async function begin(world: ChatWorld) {
  const people = await world.people(3);
  const [a = '', b = ''] = people;
  const [direct, group] = [await world.direct(a, await world.person()), await world.group(a, b)];
  const model = new MessageModel();
  model.said(group);
  model.join(direct, a, 0);
  model.join(group, a, 0);
  model.join(group, b, 0);
  const chains = people.map(() => [world.chain(), world.chain()]);
  const next = new Map<string, number>();
  const ids: string[] = [];
  const preIds = { none: () => undefined, first: () => '0', last: () => ids.at(-1) ?? '0', wrong: () => '5' };

  const numbered = (conversation: string, chain: string, { offset, preId }: Step) => {
    const key = `${conversation}/${chain}`;
    const expected = next.get(key) ?? 1;
    if (offset === 0) next.set(key, expected + 1);
    const clientSeq = Math.max(1, expected + offset);
    return { chain, clientSeq, preId: preIds[preId as keyof typeof preIds]() };
  };

  return {
    send(each: Step): Send {
      const conversation = each.inGroup ? group : direct;
      const own = chains[each.who] ?? [];
      const chain = each.chain === null ? undefined : own[each.chain];
      const quote: Quote | null =
        each.quote &&
        ('seq' in each.quote ? each.quote : { ...each.quote, chain: own[each.quote.chain] ?? '' });
      const send = world.send(conversation, people[each.who] ?? '', {
        body: each.body,
        turn: chain === undefined ? undefined : numbered(conversation, chain, each),
        quote: quote ?? undefined,
        unfit: each.unfit,
      });
      ids.push(send.id);
      return send;
    },
    async commit(sends: readonly Send[]): Promise<void> {
      expect(await world.stores.messages.commit(sends)).toEqual(model.commit(sends));
    },
    async block(): Promise<void> {
      const [other = ''] = [
        ...((await world.stores.conversations.memberIds([direct])).get(direct) ?? []),
      ].filter((id) => id !== a);
      await world.stores.block(other, a);
      model.block(direct);
    },
    async leave(): Promise<void> {
      await world.remove(group, b, b);
      model.leave(group, b);
      model.said(group);
    },
    async compare(): Promise<void> {
      for (const conversation of [direct, group]) {
        const stored = (await world.all(conversation)).filter(({ deviceId }) => deviceId !== null);
        expect(stored.map(({ id }) => id)).toEqual(model.stored(conversation).map(({ id }) => id));
      }
    },
  };
}
