import { afterEach, expect, test } from 'bun:test';
import { Place, type Tab, World } from './world.ts';

let world: World;
afterEach(() => world.end());

function begin(): Place {
  world = new World(5);
  world.server.store.room('room', ['ann', 'bob']);
  return new Place();
}

const offline = { blocksSockets: true, blocksRequests: true };
const kept = async (place: Place) => (await place.store.read('')).map(({ key }) => key);

/** A tab that has written something, and has no connection. */
async function written(place: Place, words: string, account = 'ann'): Promise<Tab> {
  const tab = world.open({ account, session: `${account}1`, ...offline }, place);
  tab.send(words);
  await world.timeline.pass(200);
  return tab;
}

test('who signs out leaves nothing behind: of this tab, of others, of lost ones, sent or failed', async () => {
  const place = begin();
  const lost = await written(place, 'lost');
  const other = await written(place, 'other');
  const bob = await written(place, 'of somebody else', 'bob');
  lost.crash(world);
  const tab = await written(place, 'mine');
  expect(await tab.chat.countUnsent()).toBe(3);
  expect(await other.chat.countUnsent()).toBe(3);
  await tab.chat.close({ erase: true });
  // What is done to it afterwards is not written any more.
  tab.chat.conversation('room').discard('own-1');
  await world.timeline.pass(200);
  const keys = await kept(place);
  expect(keys.length).toBeGreaterThan(0);
  expect(keys.filter((key) => !key.startsWith('chat/bob/'))).toEqual([]);
  expect(await bob.chat.countUnsent()).toBe(1);
});

test('without erasing, what is unsent stays', async () => {
  const place = begin();
  const tab = await written(place, 'mine');
  await tab.chat.close();
  expect((await kept(place)).filter((key) => key.includes('/m/'))).toHaveLength(1);
});

test('a storage that does not let it be erased is told, and let go of', async () => {
  const { store } = begin();
  let isBroken = false;
  const write: typeof store.write = (changes) =>
    isBroken ? Promise.reject(new Error('the disk is gone')) : store.write(changes);
  const place = new Place({ ...store, write });
  const tab = await written(place, 'mine');
  isBroken = true;
  await expect(tab.chat.close({ erase: true })).rejects.toThrow('the disk is gone');
  isBroken = false;
  // Whoever comes next finds what was left: nobody holds it.
  await written(place, 'next');
  expect(new Set((await kept(place)).map((key) => key.split('/')[2])).size).toBe(1);
});

test('flush waits until all is sent, or as long as the signal says', async () => {
  const place = begin();
  const tab = await written(place, 'mine');
  const ending = new AbortController();
  const inVain = tab.chat.flush({ signal: ending.signal });
  ending.abort(new Error('long enough'));
  await expect(inVain).rejects.toThrow('long enough');
  tab.login.blocksSockets = false;
  tab.login.blocksRequests = false;
  tab.chat.reconnect();
  const flushed = tab.chat.flush();
  await world.timeline.until(() => tab.status.pending === 0);
  await flushed;
  await tab.chat.flush();
  await tab.chat.close({ erase: true });
  expect(await kept(place)).toEqual([]);
  await expect(tab.chat.flush()).rejects.toThrow('closed');
});
