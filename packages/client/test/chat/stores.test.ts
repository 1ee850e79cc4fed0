import { afterEach, describe, expect, test } from 'bun:test';
import { IDBFactory, IDBKeyRange, IDBObjectStore } from 'fake-indexeddb';
import { indexedDbChatStore } from '../../src/chat/indexed-db.ts';
import { type ChatStore, memoryChatStore } from '../../src/chat/store.ts';
import { storeContract } from './store-contract.ts';
import { Place, World } from './world.ts';

type Factory = InstanceType<typeof IDBFactory>;

const browser: Factory = new IDBFactory();
const globals: Record<string, unknown> = Object.assign(globalThis);

/** As in a page, as long as the store is made: this process is none, and other tests must see none. */
function inBrowser(name: string, factory: Factory = browser): ChatStore {
  Object.assign(globals, { indexedDB: factory, IDBKeyRange });
  try {
    return indexedDbChatStore(name);
  } finally {
    delete globals['indexedDB'];
    delete globals['IDBKeyRange'];
  }
}

const memories = new Map<string, ChatStore>();
storeContract('memory', (name) => {
  const known = memories.get(name) ?? memoryChatStore();
  memories.set(name, known);
  return known;
});
storeContract('IndexedDB', (name) => inBrowser(name));

describe('IndexedDB', () => {
  const { put } = IDBObjectStore.prototype;
  let world: World | undefined;
  afterEach(async () => {
    IDBObjectStore.prototype.put = put;
    await world?.end();
  });

  /** The disk is full, as browsers tell it: when the transaction is to be committed. */
  const fill = () => {
    const aborted = new WeakSet<object>();
    IDBObjectStore.prototype.put = function (value: unknown, key: string) {
      const { transaction } = this;
      const request = put.call(this, value, key);
      if (!aborted.has(transaction)) queueMicrotask(() => transaction.abort());
      aborted.add(transaction);
      return request;
    };
  };

  async function writing(store: ChatStore, before = () => {}) {
    world = new World(9);
    world.server.store.room('room', ['ann', 'bob']);
    const { timeline } = world;
    const tab = world.open({ account: 'ann', session: 'a1' }, new Place(store));
    // Its database answers in real time.
    const settle = async (holds: () => boolean) => {
      for (let turns = 0; !holds(); turns += 1) {
        if (turns > 2_000) throw new Error(`not after ${turns} turns: ${holds}`);
        await timeline.pass(20);
      }
    };
    await settle(() => tab.status.phase === 'online');
    before();
    tab.send('a');
    await settle(() => tab.status.pending === 0);
    return tab;
  }

  test('a full disk refuses the whole write, and the chat goes on from memory', async () => {
    const store = inBrowser('full');
    const tab = await writing(store, fill);
    expect(tab.sent.map(({ text }) => text)).toEqual(['a']);
    expect(tab.status.isStored).toBe(false);
    expect(world?.errors).toHaveLength(1);
    expect((await store.read('chat/ann/')).filter(({ key }) => key.includes('/m/'))).toEqual([]);
    await expect(store.write([{ key: 'x', value: 1 }])).rejects.toThrow();
    IDBObjectStore.prototype.put = put;
    await store.write([{ key: 'x', value: 1 }]);
    expect(await store.read('x')).toHaveLength(1);
  });

  test('what is kept in a browser is there for the next tab', async () => {
    const store = inBrowser('kept');
    await writing(store);
    const keys = (await store.read('chat/ann/')).map(({ key }) => key.split('/').slice(3).join('/'));
    expect(keys).toEqual(['c/room', 'used']);
  });

  test('a newer program is not held up, and what is older fails from then on', async () => {
    const store = inBrowser('newer');
    await store.write([{ key: 'a', value: 1 }]);
    const blocked: string[] = [];
    const newer = await new Promise<{ close(): void }>((resolve, reject) => {
      const request = browser.open('newer', 2);
      request.onblocked = () => blocked.push('blocked');
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    expect(blocked).toEqual([]);
    await expect(store.read('')).rejects.toThrow();
    newer.close();
    const tab = await writing(store);
    expect(tab.status.isStored).toBe(false);
  });

  test('one that is deleted in another tab begins anew', async () => {
    const store = inBrowser('deleted');
    await store.write([{ key: 'a', value: 1 }]);
    await new Promise<void>((resolve, reject) => {
      const request = browser.deleteDatabase('deleted');
      request.onsuccess = () => resolve();
      request.onblocked = () => reject(new Error('blocked'));
    });
    expect(await store.read('')).toEqual([]);
    await store.write([{ key: 'b', value: 1 }]);
    expect(await store.read('')).toHaveLength(1);
  });

  test('a connection that the browser has closed by itself is opened again', async () => {
    const closing: Factory = new IDBFactory();
    const { open } = IDBFactory.prototype;
    const opened: { readonly result: { close(): void } }[] = [];
    closing.open = (...args: unknown[]) => {
      const request = open.apply(closing, args);
      opened.push(request);
      return request;
    };
    const store = inBrowser('closing', closing);
    await store.write([{ key: 'a', value: 1 }]);
    opened[0]?.result.close();
    await store.write([{ key: 'b', value: 2 }]);
    opened[1]?.result.close();
    expect(await store.read('')).toHaveLength(2);
    expect(opened).toHaveLength(3);
  });

  test('one that another program blocks is waited for with a deadline', async () => {
    // It holds the database, hears nobody, and somebody wants it deleted: who opens it waits for both.
    const held = await new Promise<{ close(): void }>((resolve, reject) => {
      const request = browser.open('blocked', 1);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    browser.deleteDatabase('blocked');
    const tab = await writing(inBrowser('blocked'));
    expect(tab.sent).toHaveLength(1);
    expect(tab.status.isStored).toBe(false);
    expect(String(world?.errors[0])).toContain('in time');
    held.close();
  });

  test('a browser that refuses to open it is not asked in vain for ever', async () => {
    const refusing: Factory = new IDBFactory();
    const { open } = IDBFactory.prototype;
    let isPrivate = true;
    refusing.open = (...args: unknown[]) => {
      if (isPrivate) throw new DOMException('No storage in private windows', 'SecurityError');
      return open.apply(refusing, args);
    };
    const store = inBrowser('private', refusing);
    const tab = await writing(store);
    expect(tab.status.isStored).toBe(false);
    isPrivate = false;
    expect(await store.read('')).toEqual([]);
  });
});
