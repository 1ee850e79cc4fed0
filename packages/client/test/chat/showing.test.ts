import { afterEach, expect, test } from 'bun:test';
import { Place, type Tab, type TabOptions, World } from './world.ts';

let world: World;
afterEach(() => world.end());
let stopLooking: () => void;

/** A room with history, which Ann looks at. */
async function looking(count: number, options: TabOptions = {}): Promise<Tab> {
  world = new World(7);
  world.server.store.room('room', ['ann', 'bob']);
  for (let i = 1; i <= count; i += 1) world.server.say('bob', 'room', `m${i}`);
  const limits = { pageSize: 10, maxWindow: 40, ...options.limits };
  const tab = world.open({ account: 'ann', session: 'a1' }, new Place(), { ...options, limits });
  stopLooking = tab.chat.conversation('room').subscribe(() => undefined);
  await world.timeline.until(() => tab.room().isLoaded && tab.status.phase === 'online');
  await world.timeline.pass(200);
  return tab;
}

const seqs = (tab: Tab) => tab.room().messages.map(({ seq }) => seq ?? 0);
const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

test('the window grows both ways, and drops what is far from where it grew', async () => {
  const tab = await looking(100);
  const room = tab.chat.conversation('room');
  const after = (work: Promise<void>) => Promise.all([work, world.timeline.pass(200)]);
  expect(seqs(tab)).toEqual(range(91, 100));
  for (let i = 0; i < 3; i += 1) await after(room.loadOlder());
  expect(seqs(tab)).toEqual(range(61, 100));
  expect(tab.room()).toMatchObject({ hasOlder: true, hasNewer: false });
  await after(room.loadOlder());
  expect(seqs(tab)).toEqual(range(51, 90));
  expect(tab.room().hasNewer).toBe(true);
  await after(room.loadNewer());
  expect(seqs(tab)).toEqual(range(61, 100));
  expect(tab.room()).toMatchObject({ hasOlder: true, hasNewer: false });
  await after(room.jumpTo(5));
  expect(seqs(tab)).toEqual(range(1, 10));
  expect(tab.room()).toMatchObject({ hasOlder: false, hasNewer: true });
  await after(room.jumpToNewest());
  expect(seqs(tab)).toEqual(range(91, 100));
});

test('the next page is there before it is asked for', async () => {
  const tab = await looking(100);
  const pages = () => world.server.requests.filter(({ path }) => path.endsWith('/messages')).length;
  expect(pages()).toBe(2);
  await Promise.all([tab.chat.conversation('room').loadOlder(), world.timeline.pass(0)]);
  expect(seqs(tab)).toEqual(range(81, 100));
});

test('what comes while the window is elsewhere does not move it, and is found when it comes back', async () => {
  const tab = await looking(100);
  const room = tab.chat.conversation('room');
  await Promise.all([room.jumpTo(20), world.timeline.pass(200)]);
  const before = tab.room().messages;
  world.server.say('bob', 'room', 'new');
  await world.timeline.until(() => tab.got.has('room'));
  expect(tab.room().messages).toEqual(before);
  expect(tab.room().conversation?.lastMessage?.content).toEqual({ type: 'text', text: 'new' });
  await Promise.all([room.jumpToNewest(), world.timeline.pass(200)]);
  expect(seqs(tab).at(-1)).toBe(101);
  world.server.say('bob', 'room', 'newer');
  await world.timeline.until(() => seqs(tab).at(-1) === 102);
});

/** A room that goes on by five messages, which are told and not delivered, while no request gets through. */
async function behind() {
  const tab = await looking(10);
  world.server.dropsDelivery = () => true;
  for (const seq of range(11, 15)) world.server.say('bob', 'room', `m${seq}`);
  const head = { kind: 'head', conversationId: 'room', seq: 15 };
  for (const socket of world.server.sockets) socket.push('events', head);
  await world.timeline.until(() => tab.room().hasNewer);
  tab.login.blocksRequests = true;
  await world.timeline.until(() => tab.room().failure !== null);
  return tab;
}

test('what the window was about to follow is followed when another wish fails meanwhile', async () => {
  const tab = await behind();
  tab.send('mine');
  await world.timeline.until(() => tab.status.pending === 0);
  tab.login.blocksRequests = false;
  await world.timeline.until(() => seqs(tab).at(-1) === 16);
  expect(seqs(tab)).toEqual(range(1, 16));
  expect(tab.room()).toMatchObject({ hasNewer: false, failure: null });
});

test('nor is it forgotten when nobody looked for a while', async () => {
  const tab = await behind();
  const room = tab.chat.conversation('room');
  stopLooking();
  await world.timeline.pass(120_000);
  tab.login.blocksRequests = false;
  await world.timeline.pass(1_000);
  expect(seqs(tab)).toEqual(range(1, 10));
  room.subscribe(() => undefined);
  await world.timeline.until(() => seqs(tab).at(-1) === 15);
});

test('a jump that is given up does not keep the newest page from loading', async () => {
  const tab = await looking(0);
  world.server.store.room('hall', ['ann', 'bob']);
  world.server.say('bob', 'hall', 'welcome');
  const hall = tab.chat.conversation('hall');
  hall.subscribe(() => undefined);
  const ending = new AbortController();
  const jumped = hall.jumpTo(1, { signal: ending.signal });
  ending.abort(new Error('given up'));
  await expect(jumped).rejects.toThrow('given up');
  await world.timeline.until(() => tab.room('hall').isLoaded);
  expect(tab.shown('hall')).toEqual(['welcome']);
});

test('what did not change is the same object, and one turn is told once', async () => {
  const tab = await looking(10);
  const first = tab.room();
  expect(tab.room()).toBe(first);
  let told = 0;
  tab.chat.conversation('room').subscribe(() => {
    told += 1;
  });
  tab.send('a');
  tab.send('b');
  await world.timeline.pass(0);
  const second = tab.room();
  expect(second).not.toBe(first);
  expect(second.messages.slice(0, 10).every((message, at) => message === first.messages[at])).toBe(true);
  expect(told).toBeLessThanOrEqual(2);
});

test('marks of the others make sent into delivered and read', async () => {
  const tab = await looking(0);
  tab.send('hello');
  await world.timeline.until(() => tab.status.pending === 0);
  const mark = (deliveredSeq: number, readSeq: number) => {
    const event = { kind: 'mark', conversationId: 'room', accountId: 'bob', deliveredSeq, readSeq };
    for (const socket of world.server.sockets) socket.push('events', event);
    return world.timeline.pass(100);
  };
  expect(tab.shown()).toEqual(['hello (sent)']);
  await mark(1, 0);
  expect(tab.shown()).toEqual(['hello (delivered)']);
  await mark(0, 1);
  expect(tab.shown()).toEqual(['hello (read)']);
  await mark(1, 0);
  expect(tab.shown()).toEqual(['hello (read)']);
});

test('the list has the newest first and counts what is unread, own unsent messages included', async () => {
  const tab = await looking(3);
  const list = () => tab.chat.conversations.snapshot();
  expect(list()).toMatchObject({ isLoaded: true, hasMore: false, unreadConversations: 1 });
  expect(list().items[0]).toMatchObject({ id: 'room', unread: 3, headSeq: 3 });
  tab.chat.conversation('room').markRead();
  expect(list().items[0]).toMatchObject({ unread: 0, readSeq: 3 });
  await world.timeline.pass(2_000);
  expect(world.server.store.rooms.get('room')?.members.get('ann')?.readSeq).toBe(3);
  world.server.store.room('hall', ['ann', 'bob']);
  world.server.event('ann', { kind: 'joined', conversationId: 'hall' });
  await world.timeline.until(() => list().items.length === 2);
  tab.login.blocksSockets = true;
  tab.login.blocksRequests = true;
  world.server.cut();
  tab.send('on its way', 'hall');
  expect(list().items[0]).toMatchObject({ id: 'hall', pending: 1, lastMessage: { state: 'sending' } });
  world.server.store.rooms.get('hall')?.members.delete('ann');
  tab.login.blocksSockets = false;
  tab.login.blocksRequests = false;
  await world.timeline.until(() => list().items[0]?.failed === 1 || tab.failed.length === 1);
  world.server.event('ann', { kind: 'left', conversationId: 'hall' });
  await world.timeline.until(() => list().items.length === 1);
});

test('a quoted message outside of the window is found', async () => {
  const tab = await looking(100);
  const found = tab.chat.conversation('room').find(3);
  await world.timeline.pass(100);
  expect((await found)?.content).toEqual({ type: 'text', text: 'm3' });
  const missing = tab.chat.conversation('room').find(300);
  await world.timeline.pass(100);
  expect(await missing).toBeNull();
});

test('conversations that nobody looks at are forgotten after a while', async () => {
  const tab = await looking(1, { limits: { maxIdleConversations: 2 } });
  const room = tab.chat.conversation('room');
  const idle = tab.chat.conversation('x1');
  for (const id of ['x2', 'x3']) tab.chat.conversation(id);
  expect(tab.chat.conversation('room')).toBe(room);
  expect(tab.chat.conversation('x1')).not.toBe(idle);
});
