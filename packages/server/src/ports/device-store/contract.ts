import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { AppError } from '../../kernel/errors.ts';
import { type ChatStores, ChatWorld } from '../message-store/chat-world.ts';
import { type Device, type DeviceStore, MAX_BOX, MAX_DEVICES } from './port.ts';

/** Every adapter of DeviceStore passes this. */
export function deviceStoreContract(name: string, open: () => Promise<ChatStores>): void {
  describe(`DeviceStore contract: ${name}`, () => {
    let stores: ChatStores;
    let world: ChatWorld;
    let store: DeviceStore;

    beforeAll(async () => {
      stores = await open();
      store = stores.devices;
      world = new ChatWorld(stores);
    });
    afterAll(() => stores.close());

    const register = (accountId: string, sessionId: string, instance = '', nowMs = world.nowMs) =>
      store.register({ id: world.id(), accountId, sessionId, instance, nowMs });

    const caughtUp = (deviceId: string, conversationIds: readonly string[], seq: number) =>
      store.checkpoint(
        conversationIds.map((conversationId) => ({ deviceId, conversationId, seq })),
        world.nowMs,
      );

    async function device(): Promise<Device & { sessionId: string }> {
      const accountId = await world.person();
      const sessionId = await world.session(accountId);
      return { ...(await register(accountId, sessionId)), sessionId };
    }

    const pendingOf = async (of: Device) =>
      ((await store.pending(of)) ?? []).map(({ conversationId, cursorSeq, headSeq }) => [
        ...[conversationId, cursorSeq, headSeq],
      ]);

    test('a device is found again by login and instance, and ends with the login', async () => {
      const first = await device();
      const { accountId, sessionId } = first;
      expect(first.isNew).toBe(true);
      expect(await register(accountId, sessionId)).toEqual({ id: first.id, accountId, isNew: false });
      const both = await Promise.all([
        register(accountId, sessionId, 'tablet'),
        stores.second.devices.register({
          ...{ id: world.id(), accountId, sessionId, instance: 'tablet', nowMs: world.nowMs },
        }),
      ]);
      expect(new Set(both.map(({ id }) => id)).size).toBe(1);
      expect(both.filter(({ isNew }) => isNew)).toHaveLength(1);
      expect(both[0]?.id).not.toBe(first.id);
      const code = async (promise: Promise<unknown>) =>
        promise.then(
          () => 'none',
          (error: unknown) => (error instanceof AppError ? error.code : error),
        );
      expect(await code(register(await world.person(), sessionId))).toBe('token-invalid');
      await stores.endSession(sessionId);
      expect(await code(register(accountId, sessionId))).toBe('token-invalid');
      await caughtUp(first.id, [world.id()], 1);
    });

    test('what was said before a device came is history, what comes after is pending', async () => {
      const [a = '', b = ''] = await world.people(2);
      const [direct, group] = [await world.direct(a, b), await world.group(b)];
      await world.say(direct, b, 4);
      const mine = await register(a, await world.session(a));
      expect(await pendingOf(mine)).toEqual([]);
      await world.say(direct, b, 2);
      await world.say(group, b, 3);
      await world.add(group, b, [a]);
      expect(await pendingOf(mine)).toEqual([
        [direct, 4, 6],
        [group, 4, 5],
      ]);
      await world.remove(group, a, a);
      expect(await pendingOf(mine)).toEqual([[direct, 4, 6]]);
    });

    test('cursors only rise, not above the head, each device for itself', async () => {
      const { accountId, sessionId, ...first } = await device();
      const second = await register(accountId, sessionId, 'second');
      const other = await world.person();
      const [one, two] = [await world.direct(accountId, other), await world.group(other, accountId)];
      await world.say(one, other, 5);
      const mine = { ...first, accountId };
      await caughtUp(mine.id, [one], 3);
      await store.checkpoint(
        [
          { deviceId: mine.id, conversationId: one, seq: 2 },
          { deviceId: mine.id, conversationId: two, seq: 99 },
          { deviceId: second.id, conversationId: one, seq: 1 },
          { deviceId: mine.id, conversationId: two, seq: 1 },
          { deviceId: mine.id, conversationId: world.id(), seq: 5 },
          { deviceId: world.id(), conversationId: two, seq: 1 },
        ],
        world.nowMs,
      );
      expect(await pendingOf(mine)).toEqual([[one, 3, 5]]);
      await world.say(two, other);
      expect(await pendingOf(mine)).toEqual([
        [one, 3, 5],
        [two, 1, 2],
      ]);
      expect(await pendingOf(second)).toEqual([
        [one, 1, 5],
        [two, 0, 2],
      ]);
      await store.checkpoint([], world.nowMs);
    });

    test('what is said, noted or not, while a device is being registered is found', async () => {
      const [a = '', b = ''] = await world.people(2);
      const conversation = await world.direct(a, b);
      const session = await world.session(a);
      for (let round = 0; round < 10; round++) {
        const noting = (async () => {
          await world.say(conversation, b);
          const news = { conversationId: conversation, accountIds: [a], presentDeviceIds: [] };
          await stores.second.devices.note([news], world.nowMs);
          return (await stores.messages.heads([conversation])).get(conversation) ?? 0;
        })();
        const coming = await register(a, session, `i${round}`);
        const headSeq = await noting;
        const [pending] = (await store.pending(coming)) ?? [];
        // History, or pending: nothing between.
        if (pending) expect(pending).toMatchObject({ headSeq });
        else {
          await world.say(conversation, b);
          expect(await pendingOf(coming)).toEqual([[conversation, headSeq, headSeq + 1]]);
        }
      }
    });

    test('with the box, without it and over its brim the same is pending', async () => {
      const { accountId, ...first } = await device();
      const mine = { ...first, accountId };
      const other = await world.person();
      const ids: string[] = [];
      for (let i = 0; i < 3; i++) ids.push(await world.group(other, accountId));
      const note = (conversationIds: readonly string[], presentDeviceIds: readonly string[] = []) =>
        store.note(
          conversationIds.map((conversationId) => ({
            ...{ conversationId, accountIds: [accountId, other], presentDeviceIds },
          })),
          world.nowMs,
        );
      const expected = ids.map((id) => [id, 0, 1]);
      expect(await pendingOf(mine)).toEqual(expected);
      await note(ids.slice(0, 2));
      await note([...ids.slice(0, 2), world.id()]);
      await note(ids.slice(2), [mine.id]);
      expect(await pendingOf(mine)).toEqual(expected);
      await caughtUp(mine.id, ids.slice(0, 2), 1);
      await world.say(ids[0] ?? '', other);
      await note(ids.slice(2));
      // What the box names comes first.
      expect(await pendingOf(mine)).toEqual([
        [ids[2] ?? '', 0, 1],
        [ids[0] ?? '', 1, 2],
      ]);
      await caughtUp(mine.id, ids, 2);
      expect(await pendingOf(mine)).toEqual([]);
      await store.note([], world.nowMs);
    });

    test('a box that overflows is emptied, and fills again when its device has caught up', async () => {
      const { accountId, ...first } = await device();
      const mine = { ...first, accountId };
      const other = await world.person();
      const ids: string[] = [];
      for (let i = 0; i <= MAX_BOX; i++) ids.push(await world.group(other, accountId));
      const note = (conversationIds: readonly string[]) =>
        store.note(
          conversationIds.map((conversationId) => ({
            ...{ conversationId, accountIds: [accountId], presentDeviceIds: [] },
          })),
          world.nowMs,
        );
      const [one = '', ...others] = ids;
      await note(others);
      expect(await stores.boxOf(mine.id)).toHaveLength(MAX_BOX);
      await note([one]);
      expect(await stores.boxOf(mine.id)).toBe('overflowed');
      await note([one]);
      expect(await stores.boxOf(mine.id)).toBe('overflowed');
      expect(await store.pending(mine)).toHaveLength(MAX_BOX + 1);
      await caughtUp(mine.id, others, 1);
      expect(await stores.boxOf(mine.id)).toBe('overflowed');
      await caughtUp(mine.id, [one], 1);
      expect(await stores.boxOf(mine.id)).toEqual([]);
      await world.say(one, other);
      await note([one]);
      expect(await stores.boxOf(mine.id)).toEqual([one]);
      await caughtUp(mine.id, [one], 2);
      expect(await stores.boxOf(mine.id)).toEqual([]);
    }, 30_000);

    test('an account has so many devices; the one seen longest ago gives way', async () => {
      const accountId = await world.person();
      const session = await world.session(accountId);
      const made: Device[] = [];
      for (let i = 0; i < MAX_DEVICES; i++)
        made.push(await register(accountId, session, `i${i}`, world.nowMs + i));
      await register(accountId, session, 'i0', world.nowMs + 1_000);
      expect(await register(accountId, session, 'one more', world.nowMs + 1_001)).toMatchObject({
        isNew: true,
      });
      expect(await register(accountId, session, 'i0', world.nowMs + 1_002)).toMatchObject({
        id: made[0]?.id ?? '',
      });
      expect(await register(accountId, session, 'i2', world.nowMs + 1_003)).toMatchObject({ isNew: false });
      expect(await store.pending(made[1]!)).toBeNull();
      expect(await store.pending(made[2]!)).toEqual([]);
      expect(await register(accountId, session, 'i1', world.nowMs + 1_004)).toMatchObject({ isNew: true });
    });

    test('a device unseen for long is forgotten, and new when it comes back', async () => {
      const accountId = await world.person();
      const session = await world.session(accountId);
      const conversation = await world.direct(accountId, await world.person());
      const longAgoMs = 1_000_000_000_000;
      const old = await register(accountId, session, 'old', longAgoMs);
      const older = await register(accountId, session, 'older', longAgoMs - 1);
      const seen = await register(accountId, session, 'seen', longAgoMs - 2);
      await caughtUp(seen.id, [conversation], 0);
      await store.note(
        [{ conversationId: conversation, accountIds: [accountId], presentDeviceIds: [] }],
        world.nowMs,
      );
      expect(await stores.boxOf(older.id)).toEqual([conversation]);
      expect(await store.forget(longAgoMs + 1, 1)).toBe(1);
      expect(await register(accountId, session, 'old', longAgoMs)).toMatchObject({
        id: old.id,
        isNew: false,
      });
      expect(await store.forget(longAgoMs + 1, 10)).toBe(1);
      expect(await store.forget(longAgoMs + 1, 10)).toBe(0);
      const back = await register(accountId, session, 'older', world.nowMs);
      expect([back.isNew, back.id === older.id]).toEqual([true, false]);
      // Its box went with it.
      expect([await stores.boxOf(older.id), await stores.boxOf(back.id)]).toEqual([[], []]);
      expect(await register(accountId, session, 'seen')).toMatchObject({ id: seen.id, isNew: false });
    });
  });
}
