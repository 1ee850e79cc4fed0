import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type ChatStores, ChatWorld } from './chat-world.ts';
import { messageModelContract } from './model-contract.ts';
import { MAX_READ, MAX_SENDS, type Verdict } from './port.ts';

const kinds = (verdicts: readonly Verdict[]) =>
  verdicts.map((it) => (it.kind === 'refused' ? it.code : it.kind === 'stored' ? it.seq : it.kind));

/** Every adapter of MessageStore passes this. */
export function messageStoreContract(name: string, open: () => Promise<ChatStores>): void {
  describe(`MessageStore contract: ${name}`, () => {
    let stores: ChatStores;
    let world: ChatWorld;

    beforeAll(async () => {
      stores = await open();
      world = new ChatWorld(stores);
    });
    afterAll(() => stores.close());

    test('numbers the messages of each conversation, and reads what was said', async () => {
      const [a = '', b = '', c = ''] = await world.people(3);
      const [first, second] = [await world.direct(a, b), await world.direct(a, c)];
      const chain = world.chain();
      const sends = [
        world.send(first, a, { body: '{"type":"text","text":"\u{1f600} \\" {,} \\\\ \u4f60\u597d\\n"}' }),
        world.send(second, c, { turn: { chain, clientSeq: 1 } }),
        world.send(first, b, { quote: { seq: 1 } }),
      ];
      const verdicts = await stores.messages.commit(sends);
      expect(kinds(verdicts)).toEqual([1, 1, 2]);
      const [one, two, three] = sends;
      expect(verdicts[2]).toEqual({
        ...{ kind: 'stored', seq: 2, id: three?.id, timestampMs: three?.timestampMs, quoteSeq: 1 },
        isDuplicate: false,
      } as Verdict);
      expect(await world.all(first)).toEqual([
        {
          ...{ conversationId: first, seq: 1, id: one?.id, senderId: a, deviceId: a, clientSeq: null },
          ...{ quoteSeq: null, timestampMs: one?.timestampMs, body: one?.body },
        },
        {
          ...{ conversationId: first, seq: 2, id: three?.id, senderId: b, deviceId: b, clientSeq: null },
          ...{ quoteSeq: 1, timestampMs: three?.timestampMs, body: three?.body },
        },
      ] as never);
      expect((await world.all(second)).map(({ id, clientSeq }) => [id, clientSeq])).toEqual([
        [two?.id ?? '', 1],
      ]);
      expect(await stores.messages.heads([first, second, world.id()])).toEqual(
        new Map([
          [first, 2],
          [second, 1],
        ]),
      );
      expect(await stores.messages.commit([])).toEqual([]);
      expect(await stores.messages.read([])).toEqual([]);
      expect(await stores.messages.heads([])).toEqual(new Map());
    });

    test('reads either end of a range, between its bounds, and no more than it may', async () => {
      const [a = '', b = ''] = await world.people(2);
      const [long, short] = [await world.direct(a, b), await world.direct(a, await world.person())];
      await world.say(long, a, 1_100);
      await world.say(short, a, 3);
      const read = async (
        afterSeq: number,
        beforeSeq: number | undefined,
        limit: number,
        newest: boolean,
      ) => {
        const keep = newest ? ('newest' as const) : ('oldest' as const);
        const [found = []] = await stores.messages.read([
          { conversationId: long, afterSeq, beforeSeq, limit, keep },
        ]);
        return found.map(({ seq }) => seq);
      };
      expect(await read(10, 20, 3, false)).toEqual([11, 12, 13]);
      expect(await read(10, 20, 3, true)).toEqual([17, 18, 19]);
      expect(await read(1_098, undefined, 50, false)).toEqual([1_099, 1_100]);
      expect(await read(0, undefined, 2, true)).toEqual([1_099, 1_100]);
      expect(await read(5, 6, 10, false)).toEqual([]);
      expect(await read(5, 0, 10, true)).toEqual([]);
      expect(await read(0, undefined, 5_000, false)).toHaveLength(MAX_READ);
      const both = await stores.messages.read([
        { conversationId: short, afterSeq: 1, limit: 10, keep: 'oldest' },
        { conversationId: world.id(), afterSeq: 0, limit: 10, keep: 'newest' },
        { conversationId: long, afterSeq: 0, limit: 5_000, keep: 'newest' },
      ]);
      expect(both.map((messages) => messages.map(({ seq }) => seq).slice(0, 3))).toEqual([
        [2, 3],
        [],
        [103, 104, 105],
      ]);
      const gone = AbortSignal.abort(new Error('gone'));
      const range = { conversationId: long, afterSeq: 0, limit: 1, keep: 'oldest' } as const;
      expect(stores.messages.read([range], { signal: gone })).rejects.toThrow('gone');
    });

    test('a number has its verdict for good: the same message gets it again, another is a conflict', async () => {
      const [a = '', b = ''] = await world.people(2);
      const conversation = await world.group(a, b);
      const chain = world.chain();
      const first = world.send(conversation, a, { turn: { chain, clientSeq: 1 }, quote: { seq: 1 } });
      const verdict = await world.commitOne(first);
      expect(verdict).toMatchObject({
        kind: 'stored',
        seq: 2,
        id: first.id,
        quoteSeq: 1,
        isDuplicate: false,
      });
      // The retry has an id and a time of its own, which are not taken.
      const again = { ...first, id: world.id(), timestampMs: world.nowMs + 1_000 };
      expect(await stores.second.messages.commit([again, again])).toEqual([
        { ...verdict, isDuplicate: true } as Verdict,
        { ...verdict, isDuplicate: true } as Verdict,
      ]);
      const other = world.send(conversation, a, { turn: { chain, clientSeq: 1 } });
      expect(kinds([await world.commitOne(other)])).toEqual(['conflict']);
      // Of another device, of another conversation: another chain.
      const elsewhere = world.send(conversation, a, { turn: { chain: world.chain(), clientSeq: 1 } });
      expect(kinds([await world.commitOne(elsewhere)])).toEqual([3]);
      const direct = world.send(await world.direct(a, b), a, { turn: { chain, clientSeq: 1 } });
      expect(kinds([await world.commitOne(direct)])).toEqual([1]);
      await world.remove(conversation, a, a);
      expect(await stores.messages.commit([again])).toEqual([{ ...verdict, isDuplicate: true } as Verdict]);
    });

    test('out of turn is told what is missing; a refusal takes its number, also in the same batch', async () => {
      const [a = '', b = ''] = await world.people(2);
      const conversation = await world.direct(a, b);
      const chain = world.chain();
      const at = (clientSeq: number, more: { unfit?: 'message-invalid'; preId?: string } = {}) =>
        world.send(conversation, a, {
          turn: { chain, clientSeq, preId: more.preId },
          unfit: more.unfit,
        });
      expect(await stores.messages.commit([at(2), at(1, { preId: '77' })])).toEqual([
        { kind: 'out-of-turn', expectedClientSeq: 1, expectedPreId: null },
        { kind: 'out-of-turn', expectedClientSeq: 1, expectedPreId: null },
      ]);
      const first = at(1, { preId: '0' });
      const batch = [
        at(2, { preId: '0' }),
        first,
        at(3),
        at(2, { unfit: 'message-invalid' }),
        at(3, { preId: '0' }),
      ];
      const verdicts = await stores.messages.commit(batch);
      expect(kinds(verdicts)).toEqual(['out-of-turn', 1, 'out-of-turn', 'message-invalid', 2]);
      expect(verdicts[2]).toEqual({ kind: 'out-of-turn', expectedClientSeq: 2, expectedPreId: first.id });
      expect(await world.commitOne(at(4, { preId: first.id }))).toEqual({
        ...{ kind: 'out-of-turn', expectedClientSeq: 4, expectedPreId: batch[4]?.id ?? '' },
      });
      const refused = batch[3];
      expect(refused && (await world.commitOne(refused))).toEqual({
        ...{ kind: 'refused', code: 'message-invalid', isDuplicate: true },
      });
      expect(kinds([await world.commitOne(at(2))])).toEqual(['conflict']);
      const last = at(4, { unfit: 'message-invalid' });
      expect(kinds(await stores.messages.commit([last, at(6), at(5)]))).toEqual([
        'message-invalid',
        'out-of-turn',
        3,
      ]);
    });

    test('quotes a message that is there and seen, waits for one that is on its way', async () => {
      const [a = '', b = '', late = ''] = await world.people(3);
      const conversation = await world.group(a, b);
      const [mine, others] = [world.chain(), world.chain()];
      const quoting = (clientSeq: number, quote: { chain: string; clientSeq: number } | { seq: number }) =>
        world.send(conversation, a, { turn: { chain: mine, clientSeq }, quote });
      const waiting = quoting(1, { chain: others, clientSeq: 2 });
      expect(kinds([await world.commitOne(waiting)])).toEqual(['quote-awaited']);
      const said = (clientSeq: number) => world.send(conversation, a, { turn: { chain: others, clientSeq } });
      expect(kinds(await stores.messages.commit([said(1), waiting]))).toEqual([2, 'quote-awaited']);
      const [, verdict] = await stores.messages.commit([said(2), waiting]);
      expect(verdict).toMatchObject({ kind: 'stored', seq: 4, quoteSeq: 3 });
      const unknown = [
        quoting(2, { seq: 5 }),
        quoting(3, { chain: mine, clientSeq: 3 }),
        quoting(4, { seq: 4 }),
      ];
      expect(kinds(await stores.messages.commit(unknown))).toEqual(['quote-unknown', 'quote-unknown', 5]);
      const refused = world.send(conversation, a, {
        ...{ turn: { chain: others, clientSeq: 3 }, unfit: 'quote-unknown' },
      });
      await stores.messages.commit([refused]);
      expect(kinds([await world.commitOne(quoting(5, { chain: others, clientSeq: 3 }))])).toEqual([
        'quote-unknown',
      ]);
      await world.add(conversation, a, [late]);
      const early = [5, 6].map((seq) => world.send(conversation, late, { quote: { seq } }));
      expect(kinds(await stores.messages.commit(early))).toEqual(['quote-unknown', 7]);
    });

    test('only members are heard, and in a direct chat nobody who is blocked', async () => {
      const [a = '', b = '', stranger = ''] = await world.people(3);
      const [direct, group] = [await world.direct(a, b), await world.group(a, b)];
      const chain = world.chain();
      const outside = [
        world.send(direct, stranger, { turn: { chain, clientSeq: 1 } }),
        world.send(world.id(), a),
      ];
      expect(kinds(await stores.messages.commit(outside))).toEqual(['not-found', 'not-found']);
      await stores.block(b, a);
      const numbered = (clientSeq: number) => world.send(direct, a, { turn: { chain, clientSeq } });
      const batch = [numbered(1), world.send(direct, b), world.send(group, a), numbered(2)];
      expect(kinds(await stores.messages.commit(batch))).toEqual(['blocked', 'blocked', 2, 'blocked']);
      expect(await stores.messages.heads([direct])).toEqual(new Map([[direct, 0]]));
      await world.remove(group, a, b);
      expect(kinds(await stores.second.messages.commit([world.send(group, b)]))).toEqual(['not-found']);
    });

    test('what cannot be stored takes no other down, and its number', async () => {
      const [a = '', b = ''] = await world.people(2);
      const conversation = await world.direct(a, b);
      const chain = world.chain();
      const bodies = [
        'fine',
        'a \0 in it',
        'fine too',
        'half \ud83d',
        '\udc00 half',
        '"{},\\ \'$1',
        '',
        'a \u001f in it',
      ];
      const sends = bodies.map((body, i) =>
        world.send(conversation, a, { body, turn: { chain, clientSeq: i + 1 } }),
      );
      const bad = 'message-invalid';
      expect(kinds(await stores.messages.commit(sends))).toEqual([1, bad, 2, bad, bad, 3, 4, 5]);
      expect((await world.all(conversation)).map(({ body }) => body)).toEqual([
        'fine',
        'fine too',
        '"{},\\ \'$1',
        '',
        'a \u001f in it',
      ]);
    });

    test('takes a full batch with the longest bodies, and no more', async () => {
      const [a = '', b = ''] = await world.people(2);
      const conversation = await world.direct(a, b);
      const sends = Array.from({ length: MAX_SENDS }, () =>
        world.send(conversation, a, { body: 'x'.repeat(16_384) }),
      );
      const verdicts = await stores.messages.commit(sends);
      expect(verdicts.at(-1)).toMatchObject({ kind: 'stored', seq: MAX_SENDS });
      expect(stores.messages.commit([...sends, ...sends])).rejects.toBeInstanceOf(RangeError);
    });

    test('many commit to the same conversations, in any order: no hole, no double, each chain in order', async () => {
      const people = await world.people(4);
      const [owner = '', ...others] = people;
      const groups: string[] = [];
      for (let i = 0; i < 6; i++) groups.push(await world.group(owner, ...others));
      const tasks = Array.from({ length: 12 }, (_, writer) => ({
        ...{ chain: world.chain(), senderId: people[writer % 4] ?? '', next: groups.map(() => 1) },
        store: writer % 2 === 0 ? stores.messages : stores.second.messages,
      }));
      await Promise.all(
        tasks.map(async ({ chain, senderId, next, store }, writer) => {
          for (let round = 0; round < 8; round++) {
            const order = groups.map((_, i) => (i * (writer % 2 ? 5 : 1) + writer) % groups.length);
            const sends = [...order, ...order].map((i) => {
              const clientSeq = next[i] ?? 0;
              next[i] = clientSeq + 1;
              return world.send(groups[i] ?? '', senderId, { turn: { chain, clientSeq } });
            });
            const verdicts = await store.commit(sends);
            for (const verdict of verdicts) expect(verdict.kind).toBe('stored');
          }
        }),
      );
      for (const group of groups) {
        const messages = await world.all(group);
        expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 1 + 12 * 16 }, (_, i) => i + 1));
        for (const senderId of people) {
          const own = messages.filter((it) => it.senderId === senderId && it.clientSeq !== null);
          expect(own).toHaveLength(48);
        }
      }
    });

    test('a chain that comes over two nodes at once is stored once, refusals too', async () => {
      const [a = '', b = ''] = await world.people(2);
      const conversation = await world.direct(a, b);
      const chain = world.chain();
      const sends = Array.from({ length: 60 }, (_, i) =>
        world.send(conversation, a, {
          turn: { chain, clientSeq: i + 1 },
          unfit: i % 3 === 0 ? 'message-invalid' : undefined,
        }),
      );
      const first = new Map<number, number>();
      const comeOver = async (store: typeof stores.messages, size: number) => {
        for (let at = 0; at < sends.length; ) {
          const batch = sends.slice(at, at + size).map((send) => ({ ...send, id: world.id() }));
          const verdicts = await store.commit(batch);
          for (const [i, verdict] of verdicts.entries()) {
            const wasRefused = (at + i) % 3 === 0;
            expect(verdict.kind).toBe(wasRefused ? 'refused' : 'stored');
            if ((verdict.kind === 'stored' || verdict.kind === 'refused') && !verdict.isDuplicate)
              first.set(at + i, (first.get(at + i) ?? 0) + 1);
          }
          at += size;
        }
      };
      await Promise.all([
        comeOver(stores.messages, 1),
        comeOver(stores.second.messages, 2),
        comeOver(stores.messages, 3),
        comeOver(stores.second.messages, 1),
      ]);
      expect([...first.values()]).toEqual(sends.map(() => 1));
      expect((await world.all(conversation)).map(({ body }) => body)).toEqual(
        sends.filter(({ unfit }) => unfit === undefined).map(({ body }) => body),
      );
    });

    test('after a removal was answered nothing of the removed is stored', async () => {
      const [a = '', b = ''] = await world.people(2);
      for (let round = 0; round < 10; round++) {
        const group = await world.group(a, b);
        let removed = false;
        const talking = (async () => {
          while (true) {
            const wasRemoved = removed;
            const [verdict] = await stores.second.messages.commit([world.send(group, b)]);
            if (verdict?.kind !== 'stored') return;
            expect(wasRemoved).toBe(false);
          }
        })();
        await world.say(group, a);
        const { message } = await world.remove(group, a, b);
        removed = true;
        await talking;
        const messages = await world.all(group);
        const after = messages.filter(({ seq, senderId }) => seq > (message?.seq ?? 0) && senderId === b);
        expect(after).toEqual([]);
        expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, i) => i + 1));
      }
    });

    messageModelContract(() => world);
  });
}
