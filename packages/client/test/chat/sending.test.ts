import { afterEach, expect, test } from 'bun:test';
import { World } from './world.ts';

let world: World;
afterEach(() => world.end());

test('a message goes from sending to sent, and arrives at the other one', async () => {
  world = new World();
  world.server.store.room('room', ['ann', 'bob']);
  const ann = world.open({ account: 'ann', session: 'a1' });
  const bob = world.open({ account: 'bob', session: 'b1' });
  ann.chat.conversation('room').subscribe(() => undefined);
  bob.chat.conversation('room').subscribe(() => undefined);
  await world.timeline.until(() => ann.status.phase === 'online' && bob.status.phase === 'online');
  const sending = ann.send('hello');
  expect(sending.state).toBe('sending');
  expect(ann.shown()).toEqual(['hello (sending)']);
  await world.timeline.until(() => bob.got.get('room')?.length === 1);
  expect(ann.shown()).toEqual(['hello (sent)']);
  expect(ann.room().messages[0]?.key).toBe(sending.key);
  expect(bob.shown()).toEqual(['hello']);
  expect(world.errors).toEqual([]);
});
