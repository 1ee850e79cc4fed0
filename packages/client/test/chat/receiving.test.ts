import { afterEach, expect, test } from 'bun:test';
import type { ChatMessage } from '@hvideo/protocol';
import { Place, type Tab, World } from './world.ts';

let world: World;
afterEach(() => world.end());

function begin(): void {
  world = new World(5);
  world.server.store.room('room', ['ann', 'bob']);
}

async function ann(options: Parameters<World['open']>[2] = {}, place = new Place()): Promise<Tab> {
  const tab = world.open({ account: 'ann', session: 'a1' }, place, options);
  await world.timeline.until(() => tab.status.phase === 'online');
  await world.timeline.pass(100);
  return tab;
}

const say = (count: number) => {
  for (let i = 0; i < count; i += 1) world.server.say('bob', 'room', `m${i}`);
};
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

test('messages come in order, each once, whatever comes again after a break', async () => {
  begin();
  const tab = await ann();
  say(5);
  await world.timeline.pass(60);
  world.server.cut();
  say(5);
  await world.timeline.until(() => tab.got.get('room')?.length === 10);
  await world.timeline.pass(10_000);
  expect(tab.got.get('room')).toEqual(upTo(10));
  const [device] = [...world.server.store.devices.values()].filter(
    ({ account, id }) => account === 'ann' && id === tab.status.deviceId,
  );
  expect(device?.cursors.get('room')).toBe(10);
});

test('a hole is read from history before what follows is handed over', async () => {
  begin();
  const tab = await ann();
  say(1);
  await world.timeline.until(() => tab.got.get('room')?.length === 1);
  world.server.dropsDelivery = ({ seq }) => seq === 3 || seq === 4;
  say(4);
  await world.timeline.until(() => tab.got.get('room')?.length === 5);
  expect(tab.got.get('room')).toEqual(upTo(5));
});

test('own messages are no holes: their receipts tell', async () => {
  begin();
  const tab = await ann();
  say(1);
  await world.timeline.until(() => tab.got.has('room'));
  const reads = () => world.server.requests.filter(({ path }) => path.endsWith('/messages')).length;
  const before = reads();
  for (let i = 0; i < 20; i += 1) {
    tab.send(`own ${i}`);
    await world.timeline.pass(world.timeline.between(0, 30));
    say(1);
  }
  await world.timeline.until(() => tab.got.get('room')?.length === 21);
  expect(reads()).toBe(before);
});

test('a small declared gap is filled, a large one is told, and the newest follow', async () => {
  begin();
  const tab = await ann({ limits: { maxGapFill: 100 } });
  say(1);
  await world.timeline.until(() => tab.got.has('room'));
  await world.timeline.pass(1_000);
  const history = (count: number) => {
    world.server.dropsDelivery = () => true;
    say(count);
    world.server.dropsDelivery = () => false;
  };
  history(50);
  for (const socket of world.server.sockets) socket.gap('room', 2, 51);
  say(1);
  await world.timeline.until(() => tab.got.get('room')?.length === 52);
  expect(tab.got.get('room')).toEqual(upTo(52));
  history(300);
  for (const socket of world.server.sockets) socket.gap('room', 53, 352);
  say(1);
  await world.timeline.until(() => tab.got.get('room')?.includes(353) === true);
  expect(tab.gaps).toEqual(['53-352']);
  expect(tab.got.get('room')).toEqual([...upTo(52), 353]);
});

test('messages are acknowledged when the program is done with them, and come again until then', async () => {
  begin();
  const place = new Place();
  const handled: number[] = [];
  const never = await ann({ handle: () => new Promise<void>(() => undefined) }, place);
  say(3);
  await world.timeline.pass(60_000);
  expect(never.got.get('room')).toBeUndefined();
  never.crash(world);
  let failures = 2;
  const handle = async (messages: readonly ChatMessage[]) => {
    failures -= 1;
    if (failures >= 0) throw new Error('not now');
    handled.push(...messages.map(({ seq }) => seq));
  };
  const tab = await ann({ handle }, place);
  await world.timeline.until(() => handled.length === 3);
  expect(handled).toEqual([1, 2, 3]);
  expect(world.errors).toEqual([new Error('not now'), new Error('not now')]);
  expect(tab.got.get('room')).toEqual([1, 2, 3]);
});

test('what one wrote on another device comes as a message, and what was read there is read here', async () => {
  begin();
  const tab = await ann();
  const other = world.open({ account: 'ann', session: 'a2' });
  await world.timeline.until(() => other.status.phase === 'online');
  say(2);
  await world.timeline.until(() => tab.chat.conversations.snapshot().items[0]?.unread === 2);
  other.send('from elsewhere');
  await world.timeline.until(() => tab.got.get('room')?.includes(3) === true);
  other.chat.conversation('room').markRead(3);
  await world.timeline.until(() => tab.chat.conversations.snapshot().items[0]?.unread === 0);
  expect(tab.chat.conversations.snapshot().unreadConversations).toBe(0);
});

test('an event that was missed is asked for', async () => {
  begin();
  const tab = await ann();
  say(2);
  await world.timeline.until(() => tab.got.get('room')?.length === 2);
  for (const socket of world.server.sockets) socket.isMute = true;
  world.server.event('ann', { kind: 'read', conversationId: 'room', seq: 2 });
  for (const socket of world.server.sockets) socket.isMute = false;
  expect(tab.chat.conversations.snapshot().items[0]?.readSeq).toBe(0);
  world.server.store.room('hall', ['ann', 'bob']);
  world.server.event('ann', { kind: 'joined', conversationId: 'hall' });
  await world.timeline.until(() => tab.chat.conversations.snapshot().items.length === 2);
  await world.timeline.until(() =>
    tab.chat.conversations.snapshot().items.some(({ readSeq }) => readSeq === 2),
  );
});
