import type { ChatSurroundings } from './surroundings.ts';

/**
 * Keeps what must survive the program: the queue of unsent messages with the numbers of their chains, and the name under
 * which the server knows this device.
 *
 * Values are plain JSON. Keys are ASCII text without spaces. A store is shared by the tabs of one browser.
 */
export interface ChatStore {
  /** Everything whose key begins with `prefix`, in the order of the keys. */
  read(prefix: string): Promise<readonly StoredValue[]>;
  /** All of it or nothing, durable when it resolves. `undefined` removes. */
  write(changes: readonly StoreChange[]): Promise<void>;
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export interface StoredValue {
  readonly key: string;
  readonly value: Json;
}

export interface StoreChange {
  readonly key: string;
  readonly value: Json | undefined;
}

/** Ends with the program. Two chats may share it, as two tabs share a browser's storage. */
export function memoryChatStore(): ChatStore {
  const values = new Map<string, string>();
  return {
    read: async (prefix) =>
      [...values]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, text]) => ({ key, value: JSON.parse(text) })),
    write: async (changes) => {
      const texts = changes.map(({ key, value }) => ({
        key,
        text: value === undefined ? undefined : JSON.stringify(value),
      }));
      for (const { key, text } of texts) {
        if (text === undefined) values.delete(key);
        else values.set(key, text);
      }
    },
  };
}

/** The same store, which fails when it does not answer: a database that another tab holds up would stop everything. */
export function withDeadline(
  store: ChatStore,
  ms: number,
  setTimer: ChatSurroundings['setTimer'],
): ChatStore {
  const within = <T>(work: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const cancel = setTimer(ms, () => reject(new Error('The storage did not answer in time')));
      work.then(resolve, reject).finally(cancel);
    });
  return {
    read: (prefix) => within(store.read(prefix)),
    write: (changes) => within(store.write(changes)),
  };
}
