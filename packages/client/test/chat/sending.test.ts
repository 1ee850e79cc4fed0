import { afterEach, expect, test } from 'bun:test';
import { memoryChatStore } from '../../src/chat/store.ts';
import { Place, type Tab, text, World } from './world.ts';

let world: World;
afterEach(() => world.end());

const texts = (room = 'room') =>
  world.server.store.rooms
    .get(room)
    ?.messages.map(({ content }) => (content.type === 'text' ? content.text : ''));

/** Ann, whose chat is connected and looked at. */
async function ann(place = new Place()): Promise<Tab> {
  const tab = world.open({ account: 'ann', session: 'a1' }, place);
  tab.chat.conversation('room').subscribe(() => undefined);
  await world.timeline.until(() => tab.status.phase === 'online' && tab.room().isLoaded);
  return tab;
}

function begin(): void {
  world = new World();
  world.server.store.room('room', ['ann', 'bob']);
}

const quiet = (tab: Tab) => world.timeline.until(() => tab.status.pending === 0, 300_000);

test('a message goes from sending to sent, and arrives at the other one', async () => {
  begin();
  const tab = await ann();
  const bob = world.open({ account: 'bob', session: 'b1' });
  bob.chat.conversation('room').subscribe(() => undefined);
  await world.timeline.until(() => bob.status.phase === 'online');
  const sending = tab.send('hello');
  expect(sending.state).toBe('sending');
  expect(tab.shown()).toEqual(['hello (sending)']);
  await world.timeline.until(() => bob.got.get('room')?.length === 1);
  expect(tab.shown()).toEqual(['hello (sent)']);
  expect(tab.room().messages[0]?.key).toBe(sending.key);
  expect(bob.shown()).toEqual(['hello']);
  expect(world.errors).toEqual([]);
});

test('sends of one moment share one WebSocket message', async () => {
  begin();
  const tab = await ann();
  await world.timeline.pass(100);
  const [socket] = world.server.sockets;
  const before = socket?.received ?? 0;
  for (let i = 0; i < 20; i += 1) tab.send(`m${i}`);
  await quiet(tab);
  expect((socket?.received ?? 0) - before).toBe(1);
  expect(texts()).toHaveLength(20);
});

test('a message whose receipt was lost is sent again with its number, and stored once', async () => {
  begin();
  const tab = await ann();
  world.server.lostReceipts = 1;
  tab.send('once');
  await world.timeline.until(() => tab.status.phase !== 'online');
  expect(tab.shown()).toEqual(['once (sending)']);
  world.server.lostReceipts = 0;
  await quiet(tab);
  expect(texts()).toEqual(['once']);
  expect(tab.sent).toHaveLength(1);
  // The one after it goes on in the same chain.
  tab.send('twice');
  await quiet(tab);
  expect(world.server.store.chains.size).toBe(1);
});

test('when one of several is refused for now, all behind it go back, and the order is kept', async () => {
  begin();
  const tab = await ann();
  world.server.overloaded = 3;
  for (let i = 0; i < 40; i += 1) tab.send(`m${i}`);
  await quiet(tab);
  expect(texts()).toEqual(Array.from({ length: 40 }, (_, i) => `m${i}`));
  expect(world.server.store.chains.size).toBe(1);
});

test('what is refused for good fails alone, and can be sent again or given up', async () => {
  begin();
  const tab = await ann();
  world.server.store.refused.set('bad', 'blocked');
  for (const words of ['a', 'bad', 'b']) tab.send(words);
  await quiet(tab);
  expect(texts()).toEqual(['a', 'b']);
  expect(tab.failed).toEqual(['blocked']);
  expect(tab.shown()).toEqual(['a (sent)', 'bad (failed)', 'b (sent)']);
  expect(world.server.store.chains.size).toBe(1);
  const failed = tab.room().messages.find(({ state }) => state === 'failed');
  world.server.store.refused.clear();
  tab.chat.conversation('room').retry(failed?.key ?? '');
  await quiet(tab);
  expect(texts()).toEqual(['a', 'b', 'bad']);
  world.server.store.refused.set('worse', 'blocked');
  const worse = tab.send('worse');
  await quiet(tab);
  tab.chat.conversation('room').discard(worse.key);
  expect(tab.shown()).toEqual(['a (sent)', 'b (sent)', 'bad (sent)']);
});

test('who is taken out of a conversation is refused there, and writes again when back', async () => {
  begin();
  const tab = await ann();
  tab.send('a');
  await quiet(tab);
  const room = world.server.store.rooms.get('room');
  const me = room?.members.get('ann');
  room?.members.delete('ann');
  tab.send('b');
  tab.send('c');
  await quiet(tab);
  expect(tab.failed).toEqual(['not-found', 'not-found']);
  if (me !== undefined) room?.members.set('ann', me);
  tab.send('d');
  await quiet(tab);
  expect(texts()).toEqual(['a', 'd']);
});

test('a storage that was put back uses numbers again: a conflict, and a new chain for what was not stored', async () => {
  begin();
  const place = new Place();
  const first = await ann(place);
  first.send('a');
  await quiet(first);
  const copy = await place.store.read('');
  first.send('b');
  first.send('c');
  await quiet(first);
  first.crash(world);
  const old = new Place(memoryChatStore());
  await old.store.write(copy);
  const tab = await ann(old);
  tab.send('d');
  tab.send('e');
  tab.send('f');
  await quiet(tab);
  expect([...(texts() ?? [])].sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  expect(world.server.store.chains.size).toBe(2);
});

test('what is written without connection is kept over restarts, and sent by the next tab', async () => {
  begin();
  const place = new Place();
  const offline = world.open(
    { account: 'ann', session: 'a1', blocksSockets: true, blocksRequests: true },
    place,
  );
  offline.send('a');
  offline.send('b');
  await world.timeline.pass(1_000);
  offline.crash(world);
  const tab = await ann(place);
  await quiet(tab);
  expect(texts()).toEqual(['a', 'b']);
  expect(
    await place.store.read('').then((values) => values.filter(({ key }) => key.includes('/m/'))),
  ).toEqual([]);
});

test('another login is another device: what it may have sent before is looked for, and not sent twice', async () => {
  begin();
  const place = new Place();
  const before = await ann(place);
  world.server.lostReceipts = 1;
  before.send('stored');
  await world.timeline.until(() => texts()?.length === 1);
  before.login.blocksSockets = true;
  before.login.blocksRequests = true;
  before.send('not stored');
  await world.timeline.pass(100);
  before.crash(world);
  world.server.lostReceipts = 0;
  const tab = world.open({ account: 'ann', session: 'a2' }, place);
  await world.timeline.until(() => tab.status.phase === 'online');
  await quiet(tab);
  expect(texts()).toEqual(['stored', 'not stored']);
  expect(tab.sent.map(({ seq }) => seq)).toEqual([1, 2]);
});

test('quotes name a seq, or chain and number while there is none, and follow into a new chain', async () => {
  begin();
  const tab = await ann();
  const first = tab.send('question');
  tab.chat.conversation('room').send(text('answer'), { quote: first });
  await quiet(tab);
  expect(world.server.store.rooms.get('room')?.messages.map(({ quote }) => quote)).toEqual([null, 1]);
  const again = tab.chat.conversation('room').send(text('late answer'), { quote: first });
  expect(again.quote?.seq).toBe(1);
  await quiet(tab);
  expect(world.server.store.rooms.get('room')?.messages.at(-1)?.quote).toBe(1);
});

test('what can never be sent is refused at once', async () => {
  begin();
  const tab = world.open({ account: 'ann', session: 'a1' }, new Place(), { limits: { maxQueued: 2 } });
  expect(() => tab.send('  ')).toThrow(expect.objectContaining({ code: 'message-invalid' }));
  expect(() => tab.send('a\u0000')).toThrow(expect.objectContaining({ code: 'message-invalid' }));
  tab.send('a');
  tab.send('b');
  expect(() => tab.send('c')).toThrow(expect.objectContaining({ code: 'queue-full' }));
  await quiet(tab);
  await tab.chat.close();
  expect(() => tab.send('d')).toThrow(expect.objectContaining({ code: 'closed' }));
});

test('when the store fails, the chat goes on from memory and says so', async () => {
  begin();
  const store = memoryChatStore();
  let isBroken = false;
  const write: typeof store.write = (changes) =>
    isBroken ? Promise.reject(new Error('quota exceeded')) : store.write(changes);
  const tab = await ann(new Place({ ...store, write }));
  isBroken = true;
  tab.send('a');
  await quiet(tab);
  expect(texts()).toEqual(['a']);
  expect(tab.status.isStored).toBe(false);
  expect(world.errors).toEqual([new Error('quota exceeded')]);
});
