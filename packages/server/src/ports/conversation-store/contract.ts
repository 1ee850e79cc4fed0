import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { AppError } from '../../kernel/errors.ts';
import { compareIds } from '../../kernel/ids.ts';
import { type ChatStores, ChatWorld, LIMITED } from '../message-store/chat-world.ts';
import type { ConversationStore } from './port.ts';
import { MAX_MEMBERS } from './rules.ts';

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'none',
    (error: unknown) => {
      if (error instanceof AppError) return error.code;
      throw error;
    },
  );

/** Every adapter of ConversationStore passes this. */
export function conversationStoreContract(name: string, open: () => Promise<ChatStores>): void {
  describe(`ConversationStore contract: ${name}`, () => {
    let stores: ChatStores;
    let world: ChatWorld;
    let store: ConversationStore;

    beforeAll(async () => {
      stores = await open();
      store = stores.conversations;
      world = new ChatWorld(stores);
    });
    afterAll(() => stores.close());

    const bodies = async (conversation: string) =>
      (await world.all(conversation)).map(({ body }) => JSON.parse(body) as unknown);

    test('a direct conversation of two is there once, whoever begins it and when', async () => {
      for (let round = 0; round < 5; round++) {
        const [a = '', b = ''] = await world.people(2);
        const changes = await Promise.all([
          world.begin('direct', a, [b]),
          world.begin('direct', b, [a], stores.second.conversations),
          world.begin('direct', a, [b], stores.second.conversations),
        ]);
        expect(new Set(changes.map(({ conversationId }) => conversationId)).size).toBe(1);
        const made = changes.filter(({ changed }) => changed);
        expect(made).toHaveLength(1);
        const conversationId = made[0]?.conversationId ?? '';
        expect(made[0]).toMatchObject({ message: null });
        expect(made[0]?.events).toEqual(
          [a, b]
            .sort(compareIds)
            .map((accountId) => ({ accountId, pts: 1, kind: 'joined', conversationId, seq: null })),
        );
        await stores.block(a, b);
        expect(await world.begin('direct', b, [a])).toMatchObject({ conversationId, changed: false });
      }
    });

    test('begins a group with what is said about it; not with strangers and the blocked', async () => {
      const [a = '', b = '', c = ''] = await world.people(3);
      const change = await world.begin('group', a, [b, c]);
      const { conversationId } = change;
      expect(change.message).toMatchObject({ conversationId, seq: 1, senderId: a, deviceId: null });
      expect(change.events.map(({ accountId, kind }) => [accountId, kind])).toEqual(
        [a, b, c].map((id) => [id, 'joined']),
      );
      expect(await bodies(conversationId)).toEqual([
        { type: 'system', event: 'created', actorId: a, accountIds: [b, c], title: 'A group' },
      ]);
      expect(await world.all(conversationId)).toEqual([change.message] as never);
      expect(await codeOf(world.begin('group', a, [b, world.id()]))).toBe('not-found');
      expect(await codeOf(world.begin('direct', a, [world.id()]))).toBe('not-found');
      await stores.block(c, a);
      expect(await codeOf(world.begin('group', a, [b, c]))).toBe('blocked');
      expect(await codeOf(world.begin('direct', a, [c]))).toBe('blocked');
      expect(await store.list(a, { limit: 10 })).toHaveLength(1);
    });

    test('the same request begins one group and gets the same answer', async () => {
      const [a = '', b = ''] = await world.people(2);
      const idempotency = { accountId: a, key: 'k', requestHash: 'h' };
      const begin = () => {
        const draft = { id: world.id(), messageId: world.id(), nowMs: world.nowMs, actorId: a };
        return { ...draft, type: 'group' as const, memberIds: [b], title: null, idempotency };
      };
      const first = await store.create(begin());
      expect(await store.create(begin())).toEqual(first);
      const other = { ...begin(), idempotency: { ...idempotency, requestHash: 'other' } };
      expect(await codeOf(store.create(other))).toBe('idempotency-conflict');
      expect(await store.list(a, { limit: 10 })).toHaveLength(1);
    });

    test('members come, go and are taken out; each change is a message and events', async () => {
      const [a = '', b = '', c = '', d = ''] = await world.people(4);
      const id = await world.group(a, b);
      const added = await world.add(id, b, [c, b, d]);
      expect(added).toMatchObject({
        changed: true,
        message: { seq: 2, senderId: b, id: expect.any(String) },
      });
      expect(added.events).toEqual(
        [c, d].map((accountId) => ({ accountId, pts: 1, kind: 'joined', conversationId: id, seq: null })),
      );
      expect(await world.add(id, a, [c])).toMatchObject({ changed: false, message: null, events: [] });
      expect(await codeOf(world.remove(id, b, c))).toBe('forbidden');
      const removed = await world.remove(id, a, c);
      expect(removed.events).toEqual([{ accountId: c, pts: 2, kind: 'left', conversationId: id, seq: null }]);
      expect(await world.remove(id, a, c)).toMatchObject({ changed: false });
      expect(await codeOf(world.add(id, c, [a]))).toBe('not-found');
      expect(await codeOf(world.remove(id, c, c))).toBe('not-found');
      const renamed = { conversationId: id, messageId: world.id(), nowMs: world.nowMs, actorId: b };
      expect(await store.change({ ...renamed, title: 'Other' })).toMatchObject({ changed: true, events: [] });
      expect(await store.change({ ...renamed, title: 'Other' })).toMatchObject({ changed: false });
      await world.remove(id, a, a);
      const members = await store.members(b, id, { limit: 10 });
      expect(members?.map(({ accountId, role }) => [accountId, role])).toEqual([
        [b, 'owner'],
        [d, 'member'],
      ]);
      expect((await bodies(id)).slice(1)).toEqual([
        { type: 'system', event: 'joined', actorId: b, accountIds: [c, d] },
        { type: 'system', event: 'removed', actorId: a, accountIds: [c] },
        { type: 'system', event: 'renamed', actorId: b, title: 'Other' },
        { type: 'system', event: 'left', actorId: a, accountIds: [a] },
      ]);
      const direct = await world.direct(a, b);
      expect(await codeOf(world.add(direct, a, [c]))).toBe('forbidden');
      expect(await codeOf(world.remove(direct, a, a))).toBe('forbidden');
      expect(await codeOf(world.add(world.id(), a, [c]))).toBe('not-found');
      await stores.block(b, c);
      expect(await codeOf(world.add(id, b, [c]))).toBe('blocked');
      expect(await codeOf(world.add(id, b, [world.id()]))).toBe('not-found');
    });

    test('a group that its last member leaves goes as a whole', async () => {
      const [a = '', b = ''] = await world.people(2);
      const id = await world.group(a, b);
      await world.say(id, b, 3);
      await world.remove(id, b, b);
      expect(await world.remove(id, a, a)).toEqual({
        ...{ conversationId: id, changed: true, message: null },
        events: [{ accountId: a, pts: 2, kind: 'left', conversationId: id, seq: null }],
      });
      expect([await store.list(a, { limit: 5 }), await store.memberships(a, 'all')]).toEqual([[], []]);
      expect(await store.members(a, id, { limit: 5 })).toBeNull();
      expect(await stores.messages.heads([id])).toEqual(new Map());
      expect(await world.all(id)).toEqual([]);
      expect(await codeOf(world.add(id, a, [b]))).toBe('not-found');
      expect(await codeOf(world.remove(id, b, b))).toBe('not-found');
      expect(await world.commitOne(world.send(id, a))).toMatchObject({ kind: 'refused', code: 'not-found' });
    });

    test('who comes later sees what is said from then on, that they came included', async () => {
      const [a = '', b = '', late = ''] = await world.people(3);
      const id = await world.group(a, b);
      await world.say(id, b, 3);
      await world.add(id, a, [late]);
      await world.say(id, b);
      const [view] = await store.get(late, [id]);
      expect(view).toMatchObject({
        joinedSeq: 4,
        readSeq: 4,
        unread: 2,
        headSeq: 6,
        memberCount: 3,
        role: 'member',
      });
      expect(await store.memberships(late, 'all')).toEqual([
        { conversationId: id, joinedSeq: 4, headSeq: 6 },
      ]);
      await world.remove(id, late, late);
      await world.say(id, b);
      await world.add(id, a, [late]);
      expect(await store.memberships(late, 'all')).toEqual([
        { conversationId: id, joinedSeq: 8, headSeq: 9 },
      ]);
    });

    test('a group is full, and so is an account', async () => {
      const people = await world.people(MAX_MEMBERS + 1);
      const [owner = '', ...others] = people;
      const id = await world.group(owner, ...others.slice(0, MAX_MEMBERS - 2));
      const last = others.slice(MAX_MEMBERS - 2);
      expect(await codeOf(world.add(id, owner, last))).toBe('group-full');
      const adding = last.map((account, i) =>
        codeOf(world.add(id, owner, [account], i ? store : stores.second.conversations)),
      );
      expect((await Promise.all(adding)).sort()).toEqual(['group-full', 'none']);
      const [busy = '', other = ''] = await world.people(2);
      const beginning = Array.from({ length: LIMITED.maxConversations + 2 }, () =>
        codeOf(world.begin('group', other, [busy], stores.limited)),
      );
      expect((await Promise.all(beginning)).filter((code) => code === 'too-many-conversations')).toHaveLength(
        2,
      );
      const [third = '', fourth = ''] = await world.people(2);
      const free = await world.begin('group', third, [fourth], stores.limited);
      expect(await codeOf(world.add(free.conversationId, third, [busy], stores.limited))).toBe(
        'too-many-conversations',
      );
      expect(await world.all(free.conversationId)).toHaveLength(1);
    }, 20_000);

    test('lists by the newest message, page by page, with what a member sees', async () => {
      const [a = '', b = '', ...rest] = await world.people(8);
      const group = await world.group(a, b, ...rest);
      const empty = await world.direct(a, b);
      const other = await world.direct(a, rest[0] ?? '');
      await world.say(group, b, 2);
      const ids = (views: readonly { id: string }[]) => views.map(({ id }) => id);
      const [first] = await store.list(a, { limit: 1 });
      expect(first).toMatchObject({
        ...{ id: group, type: 'group', title: 'A group', memberCount: 8, role: 'owner', headSeq: 3 },
        ...{ otherIds: [b, ...rest.slice(0, 4)], unread: 2, joinedSeq: 0, readSeq: 0 },
      });
      expect(first?.lastMessage).toMatchObject({ seq: 3, senderId: b });
      expect(first?.headMessageId).toBe(first?.lastMessage?.id ?? '');
      const before = first && { headMessageId: first.headMessageId, id: first.id };
      const second = await store.list(a, { before, limit: 10 });
      expect(ids(second)).toEqual([other, empty]);
      expect(second[1]).toMatchObject({
        type: 'direct',
        title: null,
        headMessageId: empty,
        lastMessage: null,
      });
      expect(ids(await store.get(a, [empty, group, world.id()]))).toEqual([group, empty]);
      expect(await store.get(rest[3] ?? '', [empty])).toEqual([]);
      expect(await store.memberIds([empty, group, world.id()])).toEqual(
        new Map([
          [empty, [a, b]],
          [group, [a, b, ...rest]],
        ]),
      );
      const memberships = async (which: readonly string[] | 'all') =>
        (await store.memberships(a, which)).map(({ conversationId }) => conversationId);
      expect(await memberships('all')).toEqual([group, empty, other].sort(compareIds));
      expect(await memberships([other, world.id(), group])).toEqual([group, other].sort(compareIds));
    });

    test('pages of members are by id, and for members', async () => {
      const [a = '', b = '', c = '', stranger = ''] = await world.people(4);
      const id = await world.group(b, a, c);
      const page = async (afterId: string | undefined, limit: number) =>
        (await store.members(a, id, { afterId, limit }))?.map(({ accountId }) => accountId);
      expect(await page(undefined, 2)).toEqual([a, b]);
      expect(await page(b, 2)).toEqual([c]);
      expect(await page(c, 2)).toEqual([]);
      expect(await store.members(stranger, id, { limit: 2 })).toBeNull();
      expect(await store.members(a, world.id(), { limit: 2 })).toBeNull();
      const [owner] = (await store.members(a, id, { afterId: a, limit: 1 })) ?? [];
      expect(owner).toEqual({
        accountId: b,
        role: 'owner',
        joinedAtMs: world.nowMs,
        readSeq: 0,
        deliveredSeq: 0,
      });
    });

    test('marks only rise, not above the head; unread is counted from the messages', async () => {
      const [a = '', b = ''] = await world.people(2);
      const id = await world.direct(a, b);
      await world.say(id, a, 3);
      await world.say(id, b, 2);
      const unread = async (account: string) => (await store.get(account, [id]))[0]?.unread;
      expect([await unread(a), await unread(b), await store.countUnread(b)]).toEqual([2, 3, 1]);
      expect(await store.markDelivered([{ accountId: b, conversationId: id, seq: 2 }])).toHaveLength(1);
      expect(await store.markRead(b, id, 2)).toEqual({
        event: { accountId: b, pts: 2, kind: 'read', conversationId: id, seq: 2 },
        isShown: true,
      });
      expect(await store.markRead(b, id, 1)).toBeNull();
      expect(await unread(b)).toBe(1);
      expect(await store.markRead(b, id, 99)).toMatchObject({ event: { pts: 3, seq: 5 } });
      expect([await unread(b), await store.countUnread(b)]).toEqual([0, 0]);
      expect(await codeOf(store.markRead(world.id(), id, 1))).toBe('not-found');
      const marks = [
        { accountId: a, conversationId: id, seq: 4 },
        { accountId: a, conversationId: id, seq: 99 },
        { accountId: b, conversationId: id, seq: 5 },
        { accountId: world.id(), conversationId: id, seq: 5 },
      ];
      const risen = await store.markDelivered(marks);
      expect(risen.map(({ accountId, seq }) => [accountId, seq])).toEqual([[a, 5]]);
      const members = await store.members(a, id, { limit: 5 });
      expect(members?.map(({ readSeq, deliveredSeq }) => [readSeq, deliveredSeq])).toEqual([
        [0, 5],
        [5, 5],
      ]);
      expect(await store.markDelivered([])).toEqual([]);
    });

    test('what one of a direct chat reads and gets after a block is not shown to the other', async () => {
      const [a = '', b = '', c = ''] = await world.people(3);
      const [id, group] = [await world.direct(a, b), await world.group(a, b, c)];
      for (const each of [id, group]) await world.say(each, a, 4);
      await store.markRead(b, id, 1);
      await store.markDelivered([{ accountId: b, conversationId: id, seq: 2 }]);
      await stores.block(a, b);
      const marksFor = async (asking: string) =>
        (await store.members(asking, id, { limit: 5 }))
          ?.filter(({ accountId }) => accountId === b)
          .map(({ readSeq, deliveredSeq }) => [readSeq, deliveredSeq])[0];
      const delivered = [id, group].map((conversationId) => ({ accountId: b, conversationId, seq: 4 }));
      expect((await store.markDelivered(delivered)).map(({ conversationId }) => conversationId)).toEqual([
        group,
      ]);
      expect(await store.markRead(b, id, 3)).toMatchObject({ event: { seq: 3 }, isShown: false });
      expect(await store.markRead(b, group, 3)).toMatchObject({ isShown: true });
      expect([await marksFor(a), await marksFor(b)]).toEqual([
        [1, 2],
        [3, 4],
      ]);
      expect((await store.get(b, [id]))[0]?.readSeq).toBe(3);
      await stores.unblock(a, b);
      expect(await marksFor(a)).toEqual([1, 2]);
      expect(await store.markRead(b, id, 4)).toMatchObject({ isShown: true });
      expect(await marksFor(a)).toEqual([4, 4]);
    });

    test('events are numbered without holes, the newest are kept, and who missed some is told', async () => {
      const [a = '', b = ''] = await world.people(2);
      const { conversationId: id } = await world.begin('group', a, [b], stores.limited);
      const read = await stores.limited.events(b, 0, 10);
      expect(read).toMatchObject({ pts: 1, tooLong: false, events: [{ kind: 'joined', pts: 1 }] });
      for (let n = 2; n <= 9; n++) {
        await world.say(id, a);
        await stores.limited.markRead(b, id, n);
      }
      expect(await store.events(b, 3, 10)).toEqual({ events: [], pts: 9, tooLong: true });
      const kept = await store.events(b, 4, 3);
      expect([kept.pts, kept.tooLong, ...kept.events.map(({ pts, seq }) => [pts, seq])]).toEqual([
        ...[9, false],
        ...[
          [5, 5],
          [6, 6],
          [7, 7],
        ],
      ] as never);
      expect(await store.events(b, 9, 10)).toEqual({ events: [], pts: 9, tooLong: false });
      expect(await store.events(b, 10, 10)).toMatchObject({ tooLong: true });
      expect(await store.events(world.id(), 0, 10)).toEqual({ events: [], pts: 0, tooLong: false });
    });

    test('members change and mark while messages are committed: one order, events without holes', async () => {
      const [owner = '', ...others] = await world.people(5);
      const groups: string[] = [];
      for (let i = 0; i < 3; i++) groups.push(await world.group(owner));
      const busy = others.map(async (account, i) => {
        const mine = i % 2 ? store : stores.second.conversations;
        for (let round = 0; round < 6; round++) {
          const id = groups[(round + i) % 3] ?? '';
          await world.add(id, owner, [account], mine);
          await world.say(id, account);
          await Promise.all([
            mine.markRead(account, id, 1_000),
            mine.markDelivered(
              groups.map((conversationId) => ({ accountId: account, conversationId, seq: 1_000 })),
            ),
          ]);
          await world.remove(id, owner, account, mine);
        }
      });
      await Promise.all(busy);
      for (const id of groups) {
        const messages = await world.all(id);
        expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, i) => i + 1));
      }
      for (const account of others) {
        const { events, pts } = await store.events(account, 0, 1_000);
        expect(events.map((event) => event.pts)).toEqual(Array.from({ length: pts }, (_, i) => i + 1));
        expect(events.filter(({ kind }) => kind === 'joined')).toHaveLength(6);
        expect(events.filter(({ kind }) => kind === 'left')).toHaveLength(6);
      }
    }, 20_000);
  });
}
