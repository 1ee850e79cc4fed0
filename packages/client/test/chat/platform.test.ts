import { afterEach, expect, test } from 'bun:test';
import { platformSurroundings } from '../../src/chat/platform.ts';

const changed = new Map<string, PropertyDescriptor | undefined>();
function pretend(name: string, value: unknown): void {
  if (!changed.has(name)) changed.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
afterEach(() => {
  for (const [name, descriptor] of changed) {
    if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
    else Object.defineProperty(globalThis, name, descriptor);
  }
  changed.clear();
});

/** As browsers hold locks: by name, for as long as the work lasts, for all tabs of an origin. */
class TabLocks {
  readonly held = new Set<string>();

  async request(
    name: string,
    { ifAvailable }: { readonly ifAvailable: boolean },
    work: (lock: object | null) => Promise<void> | undefined,
  ): Promise<void> {
    if (!ifAvailable) throw new TypeError('It would wait');
    if (name.startsWith('-')) throw new DOMException('Not a name', 'NotSupportedError');
    await Promise.resolve();
    if (this.held.has(name)) return work(null);
    this.held.add(name);
    try {
      await work({ name });
    } finally {
      this.held.delete(name);
    }
  }
}

test('in a page, Web Locks say which instance is in use, in any tab', async () => {
  const tabs = new TabLocks();
  pretend('document', { visibilityState: 'visible', addEventListener: () => {} });
  pretend('navigator', { locks: tabs, onLine: true });
  const [one, two] = [platformSurroundings().locks, platformSurroundings().locks];
  const release = await one?.tryLock('a');
  expect(release).toBeFunction();
  expect(await two?.tryLock('a')).toBeNull();
  expect(await two?.tryLock('b')).toBeFunction();
  release?.();
  await Promise.resolve();
  expect([...tabs.held]).toEqual(['b']);
  expect(await two?.tryLock('a')).toBeFunction();
  await expect(one?.tryLock('-')).rejects.toThrow('Not a name');
});

test('a page without Web Locks has none: who is alive is not known there', () => {
  pretend('document', { visibilityState: 'visible', addEventListener: () => {} });
  pretend('navigator', { onLine: true });
  expect(platformSurroundings().locks).toBeUndefined();
});

test('a program has locks of its own process, and no hints of its network', async () => {
  const [one, two] = [platformSurroundings(), platformSurroundings()];
  const release = await one.locks?.tryLock('a');
  expect(await two.locks?.tryLock('a')).toBeNull();
  release?.();
  const again = await two.locks?.tryLock('a');
  expect(again).toBeFunction();
  again?.();
  expect(one.network).toBeUndefined();
});

test('without WebSockets a socket is told as closed, later', async () => {
  pretend('WebSocket', undefined);
  const closed = Promise.withResolvers<number>();
  const events = { onOpen: () => {}, onMessage: () => {}, onClose: closed.resolve };
  const socket = platformSurroundings().openSocket('ws://127.0.0.1:1/ws', ['v12.stomp'], events);
  socket.send('nothing happens');
  expect(await closed.promise).toBe(1006);
});
