import { afterEach, beforeEach, expect, test } from 'bun:test';
import { Devices } from '../../src/features/chat/sync/devices.ts';
import { Sync, type SyncDeps } from '../../src/features/chat/sync/sync.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import type { ChatStores } from '../../src/ports/message-store/chat-world.ts';
import { memoryChatStores } from '../support/chat-stores.ts';
import { testLog } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { Snowflakes } from '../support/snowflakes.ts';

const ids = new Snowflakes();
const lin = ids.next();
const wei = ids.next();
const login = { accountId: wei, sessionId: ids.next() };
let stores: ChatStores;

beforeEach(async () => {
  stores = memoryChatStores();
  for (const id of [lin, wei]) await stores.account(id);
  await stores.session(login.sessionId, wei);
});
afterEach(() => stores.close());

/** Hints come as the test says: never, if it says nothing. */
function syncWith(waitForNews: SyncDeps['news']['waitForNews'] = untilAborted): Sync {
  return new Sync({
    ...{ ...stores, deviceStore: stores.devices, clock: systemClock, log: testLog },
    devices: new Devices({ store: stores.devices, clock: systemClock, ids, hasLimits: false }),
    told: { mark: () => {} },
    news: { waitForNews },
  });
}

const untilAborted = (_accountId: string, signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

async function begin(): Promise<string> {
  const draft = { actorId: lin, type: 'group' as const, memberIds: [wei], title: null };
  const about = { id: ids.next(), messageId: ids.next(), nowMs: Date.now() };
  return (await stores.conversations.create({ ...draft, ...about })).conversationId;
}

const waitMs = 30_000;
const poll = (sync: Sync, pts: number, signal?: AbortSignal) =>
  sync.sync(login, { pts, acknowledged: [], waitMs }, signal);
const ptsOf = async (sync: Sync) => (await sync.sync(login, { acknowledged: [], waitMs: 0 })).pts;

test('what no hint told of is found by looking again', async () => {
  const sync = syncWith();
  const waiting = poll(sync, await ptsOf(sync));
  await eventually(async () => sync.waiting === 1);
  const id = await begin();
  expect(await waiting).toMatchObject({ events: [{ kind: 'joined', conversationId: id }], pts: 1 });
});

test('hints that fail, or come for nothing, do no harm', async () => {
  let hints = 0;
  const sync = syncWith((accountId, signal) => {
    hints += 1;
    if (hints === 1) return Promise.reject(new Error('the table of routes is away'));
    return hints < 5 ? Promise.resolve() : untilAborted(accountId, signal);
  });
  const waiting = poll(sync, await ptsOf(sync));
  await eventually(async () => hints >= 5);
  await begin();
  expect((await waiting).events).toMatchObject([{ kind: 'joined' }]);
  expect(sync.waiting).toBe(0);
});

test('a node that drains answers everybody who waits, and nobody waits from then on', async () => {
  const sync = syncWith();
  const pts = await ptsOf(sync);
  const waiting = [poll(sync, pts), poll(sync, pts)];
  await eventually(async () => sync.waiting === 2);
  sync.drain();
  const nothing = { events: [], conversations: [], more: false, tooLong: false };
  expect(await Promise.all(waiting)).toMatchObject([nothing, nothing]);
  expect(await poll(sync, pts)).toMatchObject(nothing);
});

test('an abort ends a wait with its reason; a store that fails ends it with the error', async () => {
  const sync = syncWith();
  const pts = await ptsOf(sync);
  const client = new AbortController();
  const outcome = poll(sync, pts, client.signal).then(
    () => 'answered',
    (error: unknown) => error,
  );
  await eventually(async () => sync.waiting === 1);
  const gone = new Error('gone');
  client.abort(gone);
  expect(await outcome).toBe(gone);
  expect(sync.waiting).toBe(0);
  await stores.endSession(login.sessionId);
  const other = { accountId: wei, sessionId: login.sessionId };
  const request = { instance: 'new', pts, acknowledged: [], waitMs };
  expect(await sync.sync(other, request).catch((error: { code: string }) => error.code)).toBe(
    'token-invalid',
  );
});
