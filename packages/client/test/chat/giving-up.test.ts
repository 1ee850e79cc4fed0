import { afterEach, expect, test } from 'bun:test';
import { Place, type Tab, text, World } from './world.ts';

let world: World;
afterEach(() => world.end());

async function begin(place = new Place()): Promise<Tab> {
  world = new World(11);
  world.server.store.room('room', ['ann', 'bob']);
  return ann(place);
}

async function ann(place: Place, session = 'a1'): Promise<Tab> {
  const tab = world.open({ account: 'ann', session }, place);
  tab.chat.conversation('room').subscribe(() => undefined);
  await world.timeline.until(() => tab.status.phase === 'online' && tab.room().isLoaded);
  return tab;
}

const texts = () =>
  world.server.store.rooms
    .get('room')
    ?.messages.map(({ content }) => (content.type === 'text' ? content.text : ''));
const quiet = (tab: Tab) => world.timeline.until(() => tab.status.pending === 0, 1_200_000);
const failedOf = (tab: Tab) => tab.room().messages.find(({ state }) => state === 'failed');
const retry = (tab: Tab) => tab.chat.conversation('room').retry(failedOf(tab)?.key ?? '');

test('a message that is refused for now again and again has failed in the end, and those behind it get through', async () => {
  const tab = await begin();
  world.server.broken.set('bad', 'unstored');
  for (const words of ['a', 'bad', 'b', 'c']) tab.send(words);
  await quiet(tab);
  expect(tab.failed).toEqual(['internal']);
  expect(texts()).toEqual(['a', 'b', 'c']);
  expect(tab.shown()).toEqual(['a (sent)', 'bad (failed)', 'b (sent)', 'c (sent)']);
  world.server.broken.clear();
  retry(tab);
  expect(tab.shown().at(-1)).toBe('bad (sending)');
  await quiet(tab);
  tab.send('d');
  await quiet(tab);
  expect(texts()).toEqual(['a', 'b', 'c', 'bad', 'd']);
  expect(world.errors).toEqual([]);
});

test('the waits between its tries grow, and differ', async () => {
  const tab = await begin();
  world.server.broken.set('bad', 'unstored');
  const times: number[] = [];
  const take = world.server.take.bind(world.server);
  world.server.take = (send) => {
    times.push(world.timeline.nowMs);
    return take(send);
  };
  tab.send('bad');
  await quiet(tab);
  expect(times).toHaveLength(12);
  const waits = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  expect(new Set(waits).size).toBeGreaterThan(8);
  expect(Math.max(...waits)).toBeGreaterThan(4_000);
  expect(Math.max(...waits)).toBeLessThan(31_000);
});

test('what was given up and is stored all the same is not stored twice when it is sent again', async () => {
  const tab = await begin();
  world.server.broken.set('bad', 'stored');
  for (const words of ['a', 'bad', 'b']) tab.send(words);
  await quiet(tab);
  expect(tab.shown()).toContain('bad (failed)');
  world.server.broken.clear();
  tab.send('c');
  retry(tab);
  tab.send('d');
  await quiet(tab);
  expect(texts()).toEqual(['a', 'bad', 'b', 'c', 'd']);
  expect(tab.shown()).toEqual(['a (sent)', 'bad (sent)', 'b (sent)', 'c (sent)', 'd (sent)']);
});

test('nor when another run of the program sends it again, as the same or as another login', async () => {
  for (const session of ['a1', 'a2']) {
    const place = new Place();
    const before = await begin(place);
    world.server.broken.set('bad', 'stored');
    for (const words of ['a', 'bad']) before.send(words);
    await quiet(before);
    await before.chat.close();
    world.server.broken.clear();
    const tab = await ann(place, session);
    expect(tab.shown()).toContain('bad (failed)');
    retry(tab);
    tab.send('b');
    await quiet(tab);
    expect(texts()).toEqual(['a', 'bad', 'b']);
    await world.end();
  }
});

test('what was given up and is seen in the conversation was sent', async () => {
  const tab = await begin();
  world.server.say('bob', 'room', 'hello');
  await world.timeline.until(() => tab.got.has('room'));
  world.server.broken.set('bad', 'stored');
  tab.send('bad');
  await quiet(tab);
  expect(tab.shown()).toEqual(['hello', 'bad (failed)']);
  world.server.say('bob', 'room', 'I have read it');
  await world.timeline.until(() => tab.shown().length === 3);
  expect(tab.shown()).toEqual(['hello', 'bad (sent)', 'I have read it']);
});

test('a message that ends every connection is given up, and not those behind it', async () => {
  const tab = await begin();
  world.server.broken.set('bad', 'cut');
  for (const words of ['a', 'bad', 'b']) tab.send(words);
  await quiet(tab);
  await world.timeline.until(() => tab.status.phase === 'online', 120_000);
  expect(tab.failed).toEqual(['network']);
  expect(texts()).toEqual(['a', 'b']);
});

test('over requests likewise', async () => {
  world = new World(12);
  world.server.store.room('room', ['ann', 'bob']);
  const tab = world.open({ account: 'ann', session: 'a1' }, new Place(), { transport: 'polling' });
  world.server.broken.set('bad', 'cut').set('worse', 'stored');
  for (const words of ['a', 'bad', 'b', 'worse', 'c']) tab.send(words);
  await quiet(tab);
  expect(tab.failed).toEqual(['network', 'internal']);
  expect(texts()).toEqual(['a', 'b', 'worse', 'c']);
});

test('a chain that the server never agrees with is not begun anew without end', async () => {
  const tab = await begin();
  let sends = 0;
  world.server.take = (send) => {
    sends += 1;
    // It expects what nobody has.
    return world.server.store.send({ ...send, clientSeq: 7, preId: 'none' });
  };
  tab.send('a');
  await quiet(tab);
  expect(tab.failed).toEqual(['out-of-turn']);
  expect(sends).toBeLessThan(20);
});

test('when what may have been stored cannot be looked for, it has failed, and the rest goes on', async () => {
  const place = new Place();
  const before = await begin(place);
  world.server.lostReceipts = 1;
  before.send('doubtful');
  await world.timeline.until(() => before.status.phase !== 'online');
  before.login.blocksSockets = true;
  before.login.blocksRequests = true;
  before.crash(world);
  world.server.lostReceipts = 0;
  const room = world.server.store.rooms.get('room');
  const me = room?.members.get('ann');
  room?.members.delete('ann');
  const tab = world.open({ account: 'ann', session: 'a2' }, place);
  await world.timeline.until(() => tab.failed.length > 0);
  expect(tab.failed).toEqual(['not-found']);
  if (me !== undefined) room?.members.set('ann', me);
  tab.chat.conversation('room').send(text('later'));
  await quiet(tab);
  expect(texts()).toEqual(['doubtful', 'later']);
});
