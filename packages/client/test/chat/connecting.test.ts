import { afterEach, expect, test } from 'bun:test';
import { Place, type Tab, World } from './world.ts';

let world: World;
afterEach(() => world.end());

function begin(): void {
  world = new World(3);
  world.server.store.room('room', ['ann', 'bob']);
}

const login = () => ({ account: 'ann', session: 'a1', blocksSockets: false, blocksRequests: false });
const online = (tab: Tab) => world.timeline.until(() => tab.status.phase === 'online', 300_000);
const texts = () =>
  world.server.store.rooms
    .get('room')
    ?.messages.map(({ content }) => (content.type === 'text' ? content.text : ''));

test('when sockets do not get through, requests carry both ways, until a socket works again', async () => {
  begin();
  const tab = world.open({ ...login(), blocksSockets: true });
  await world.timeline.until(() => tab.status.phase === 'polling');
  tab.send('over requests');
  await world.timeline.until(() => tab.status.pending === 0);
  world.server.say('bob', 'room', 'heard');
  await world.timeline.until(() => tab.got.get('room')?.includes(2) === true, 2_000);
  tab.login.blocksSockets = false;
  await online(tab);
  tab.send('over the socket');
  await world.timeline.until(() => tab.status.pending === 0);
  expect(texts()).toEqual(['over requests', 'heard', 'over the socket']);
  const polls = () => world.server.requests.filter(({ path }) => path === '/chat/sync').length;
  const before = polls();
  await world.timeline.pass(120_000);
  expect(polls()).toBe(before);
});

test('waits between tries grow up to their bound, and a button tries at once', async () => {
  begin();
  const tab = world.open({ ...login(), blocksSockets: true, blocksRequests: true });
  const tries: number[] = [];
  tab.chat.on((event) => {
    if (event.type === 'status' && event.status.phase === 'connecting') tries.push(world.timeline.nowMs);
  });
  await world.timeline.pass(600_000);
  const waits = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
  expect(waits.length).toBeGreaterThan(20);
  expect(waits.length).toBeLessThan(120);
  expect(Math.max(...waits)).toBeLessThanOrEqual(31_000);
  expect(tab.status.phase === 'waiting' ? tab.status.retryAtMs : 0).not.toBeNull();
  tab.login.blocksSockets = false;
  tab.login.blocksRequests = false;
  tab.chat.reconnect();
  await world.timeline.until(() => tab.status.phase !== 'waiting', 500);
});

test('connections that break as soon as they are made are not begun again without end', async () => {
  begin();
  const tab = world.open(login());
  let connections = 0;
  tab.chat.on((event) => {
    if (event.type !== 'status' || event.status.phase !== 'online') return;
    connections += 1;
    world.timeline.setTimer(1, () => world.server.cut());
  });
  await world.timeline.pass(60_000);
  expect(connections).toBeGreaterThan(2);
  expect(connections).toBeLessThanOrEqual(21);
});

test('close codes: below 4500 is the end, above is not', async () => {
  begin();
  const tab = world.open(login());
  await online(tab);
  for (const socket of world.server.sockets) socket.break(4500, 'draining');
  await world.timeline.until(() => tab.status.phase !== 'online');
  await online(tab);
  for (const socket of world.server.sockets) socket.break(4004, 'taken over');
  await world.timeline.until(() => tab.status.phase === 'stopped');
  expect(tab.status.failure).toEqual({ code: 'displaced', detail: 'taken over' });
  await world.timeline.pass(300_000);
  expect(tab.status.phase).toBe('stopped');
});

test('a node that asks to move is left, within the time that it gives', async () => {
  begin();
  const tab = world.open(login());
  await online(tab);
  await world.timeline.pass(100);
  const [first] = world.server.sockets;
  first?.push('events', { kind: 'move', withinMs: 5_000 });
  await world.timeline.pass(6_000);
  await online(tab);
  const [second] = world.server.sockets;
  expect(second).not.toBe(first);
});

test('it moves to any of the alternatives that it is given, and from one that is not there to the address of before', async () => {
  const nodes = ['ws://one.test/ws', 'ws://two.test/ws', 'ws://three.test/ws'];
  const places = new Set<string>();
  for (let seed = 1; seed <= 12; seed += 1) {
    world = new World(seed);
    world.server.store.room('room', ['ann', 'bob']);
    const tab = world.open(login());
    const move = async (alternatives: readonly string[]) => {
      await online(tab);
      await world.timeline.pass(100);
      for (const socket of world.server.sockets)
        socket.push('events', { kind: 'move', withinMs: 1_000, alternatives });
      await world.timeline.pass(1_200);
      await online(tab);
      return tab.urls.at(-1) ?? '';
    };
    const place = await move(nodes);
    places.add(place);
    expect(nodes).toContain(place);
    for (const node of nodes) world.server.closed.set(node, 1006);
    expect(await move(nodes)).toBe('ws://server.test/ws');
    tab.send('arrived');
    await world.timeline.until(() => tab.status.pending === 0);
    await world.end();
  }
  expect(places.size).toBe(3);
});

test('a node elsewhere that lets nobody in is not the end of the login', async () => {
  begin();
  world.server.alternatives = ['ws://other.test/ws'];
  world.server.closed.set('ws://other.test/ws', 4001);
  const tab = world.open(login());
  await online(tab);
  world.server.closed.set('ws://server.test/ws', 1006);
  world.server.cut();
  await world.timeline.until(() => tab.urls.includes('ws://other.test/ws'));
  await world.timeline.pass(1_000);
  expect(tab.status.phase).not.toBe('stopped');
  world.server.closed.delete('ws://server.test/ws');
  await online(tab);
});

test('a silent server is left after two heart-beats', async () => {
  begin();
  const tab = world.open(login());
  await online(tab);
  await world.timeline.pass(100);
  for (const socket of world.server.sockets) socket.isMute = true;
  await world.timeline.until(() => tab.status.phase !== 'online', 70_000);
  await online(tab);
});

test('after the network was away, the socket of before is left at once', async () => {
  begin();
  let isOnline = true;
  let tell = () => {};
  const network = {
    isOnline: () => isOnline,
    isVisible: () => true,
    onChange: (callback: () => void) => {
      tell = callback;
      return () => {};
    },
  };
  const tab = world.open(login(), new Place(), { network });
  await online(tab);
  for (const socket of world.server.sockets) socket.isMute = true;
  isOnline = false;
  tell();
  await world.timeline.pass(1_000);
  isOnline = true;
  tell();
  tab.send('back again');
  await world.timeline.until(() => tab.status.pending === 0, 5_000);
  expect(texts()).toEqual(['back again']);
});

test('each tab is a device of its own, and a tab that comes later takes up what a lost one has left', async () => {
  begin();
  const place = new Place();
  const one = world.open(login(), place);
  const two = world.open(login(), place);
  await online(one);
  await online(two);
  expect(one.status.deviceId).not.toBe(two.status.deviceId);
  one.send('from one');
  two.send('from two');
  await world.timeline.until(() => one.status.pending + two.status.pending === 0);
  // Each got what the other one wrote.
  await world.timeline.until(() => one.got.has('room') && two.got.has('room'));
  const device = one.status.deviceId;
  one.login.blocksSockets = true;
  one.login.blocksRequests = true;
  world.server.cut((socket) => socket.login === one.login);
  one.send('left behind');
  await world.timeline.pass(500);
  one.crash(world);
  const three = world.open(login(), place);
  await online(three);
  await world.timeline.until(() => three.status.pending === 0);
  expect(three.status.deviceId).toBe(device);
  expect(texts()?.toSorted()).toEqual(['from one', 'from two', 'left behind']);
});

test('without locks every chat is a device of its own; a cleared store too', async () => {
  begin();
  const place = new Place();
  const withoutLocks = () => world.open(login(), place, { hasLocks: false });
  const [one, two] = [withoutLocks(), withoutLocks()];
  await online(one);
  await online(two);
  expect(one.status.deviceId).not.toBe(two.status.deviceId);
  const three = world.open(login(), new Place());
  await online(three);
  expect([one.status.deviceId, two.status.deviceId]).not.toContain(three.status.deviceId);
});

test('closing gives the instance back, and keeps what was not sent', async () => {
  begin();
  const place = new Place();
  const one = world.open({ ...login(), blocksSockets: true, blocksRequests: true }, place);
  one.send('kept');
  await world.timeline.pass(100);
  await one.chat.close();
  expect(one.status.phase).toBe('closed');
  const two = world.open(login(), place);
  await online(two);
  await world.timeline.until(() => two.status.pending === 0);
  expect(texts()).toEqual(['kept']);
});
