import type { ChatStore, Json, StoredValue } from './store.ts';

interface Request<T> {
  readonly result: T;
  readonly error: Error | null;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}

interface Database {
  createObjectStore(name: string): unknown;
  transaction(
    name: string,
    mode: 'readonly' | 'readwrite',
    options: { durability: 'strict' } | undefined,
  ): Transaction;
  close(): void;
  onversionchange: (() => void) | null;
}

interface Transaction {
  objectStore(name: string): ObjectStore;
  abort(): void;
  readonly error: Error | null;
  oncomplete: (() => void) | null;
  onerror: (() => void) | null;
  onabort: (() => void) | null;
}

interface ObjectStore {
  put(value: Json, key: string): unknown;
  delete(key: string): unknown;
  getAll(range: object): Request<Json[]>;
  getAllKeys(range: object): Request<string[]>;
}

/** The parts of IndexedDB that are used, named here because the SDK is built without the types of browsers. */
interface Factory {
  open(
    name: string,
    version: number,
  ): Request<Database> & { onupgradeneeded: (() => void) | null; onblocked: unknown };
}
interface Ranges {
  bound(lower: string, upper: string): object;
}

const globals: object = globalThis;

function isFactory(value: unknown): value is Factory {
  return typeof value === 'object' && value !== null && 'open' in value;
}

function isRanges(value: unknown): value is Ranges {
  return typeof value === 'function' && 'bound' in value;
}

const storeName = 'values';

/** Keeps values in the browser. A private window may refuse it: then opening fails, and the chat goes on from memory. */
export function indexedDbChatStore(name = 'hvideo.chat'): ChatStore {
  const factory = 'indexedDB' in globals ? globals.indexedDB : undefined;
  const ranges = 'IDBKeyRange' in globals ? globals.IDBKeyRange : undefined;
  if (!isFactory(factory) || !isRanges(ranges)) throw new TypeError('There is no IndexedDB here');
  let opened: Promise<Database> | undefined;
  const forget = () => {
    opened = undefined;
  };
  const database = () => {
    opened ??= open(factory, name, forget).catch((error: unknown) => {
      // The next one may be let in.
      forget();
      throw error;
    });
    return opened;
  };
  const begin = async (mode: 'readonly' | 'readwrite'): Promise<Transaction> => {
    const options = mode === 'readwrite' ? ({ durability: 'strict' } as const) : undefined;
    const known = await database();
    try {
      return known.transaction(storeName, mode, options);
    } catch {
      // Browsers close a connection by themselves, such as that of a page which was long in the background.
      forget();
      return (await database()).transaction(storeName, mode, options);
    }
  };
  return {
    read: async (prefix) => {
      const transaction = await begin('readonly');
      const store = transaction.objectStore(storeName);
      const range = ranges.bound(prefix, `${prefix}\uffff`);
      const keys = store.getAllKeys(range);
      const values = store.getAll(range);
      await completed(transaction);
      return keys.result.map((key, at): StoredValue => ({ key, value: values.result[at] ?? null }));
    },
    write: async (changes) => {
      const transaction = await begin('readwrite');
      const store = transaction.objectStore(storeName);
      try {
        for (const { key, value } of changes) {
          if (value === undefined) store.delete(key);
          else store.put(value, key);
        }
      } catch (error) {
        // What was put before it would be stored alone.
        transaction.abort();
        throw error;
      }
      await completed(transaction);
    },
  };
}

/** Where there is IndexedDB. */
export function hasIndexedDb(): boolean {
  return 'indexedDB' in globals && isFactory(globals.indexedDB);
}

function open(factory: Factory, name: string, onGone: () => void): Promise<Database> {
  return new Promise((resolve, reject) => {
    const request = factory.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(storeName);
    request.onsuccess = () => {
      const database = request.result;
      // Another tab wants a newer version, or to delete it: it must not wait for us.
      database.onversionchange = () => {
        database.close();
        onGone();
      };
      resolve(database);
    };
    request.onerror = () => reject(request.error ?? new Error('IndexedDB cannot be opened'));
  });
}

function completed(transaction: Transaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error ?? new Error('IndexedDB failed'));
    transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB gave up'));
  });
}
