import { deferred } from './deferred.ts';
import type { ChatLocks, ChatSurroundings, NetworkHints, WebSocketClass } from './surroundings.ts';

/** What browsers, Node and Bun offer, whichever of it is there. */
export function platformSurroundings(socketClass = platformSocket()): ChatSurroundings {
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    randomName,
    setTimer: (ms, callback) => {
      const timer = setTimeout(callback, Math.min(ms, longestTimerMs));
      return () => clearTimeout(timer);
    },
    openSocket: socketsOf(socketClass),
    locks: platformLocks(),
    network: platformNetwork(),
  };
}

/** A longer one would fire at once. */
const longestTimerMs = 2_147_483_647;

function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Node before 22 has none. */
function platformSocket(): WebSocketClass | undefined {
  return typeof WebSocket === 'undefined' ? undefined : WebSocket;
}

const open = 1;

function socketsOf(socketClass: WebSocketClass | undefined): ChatSurroundings['openSocket'] {
  return (url, protocols, events) => {
    if (socketClass === undefined) {
      // Then requests carry.
      queueMicrotask(() => events.onClose(1006, 'There are no WebSockets here'));
      return { send: () => undefined, close: () => undefined };
    }
    const socket = new socketClass(url, [...protocols]);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => events.onOpen();
    socket.onmessage = ({ data }: { readonly data: string | ArrayBuffer }) => {
      events.onMessage(typeof data === 'string' ? data : new Uint8Array(data));
    };
    socket.onclose = ({ code, reason }: { readonly code: number; readonly reason: string }) => {
      events.onClose(code, reason);
    };
    // A close follows each error. Without a listener, `ws` would end the program.
    socket.onerror = () => undefined;
    return {
      // One that is closing drops what it is given, as a broken connection does.
      send: (data) => socket.readyState === open && socket.send(data),
      close: (code, reason) => socket.close(code, reason),
    };
  };
}

interface WebLocks {
  request(
    name: string,
    options: { ifAvailable: true },
    work: (lock: object | null) => Promise<void> | undefined,
  ): Promise<void>;
}

interface Target {
  addEventListener(type: string, listener: () => void, options: { signal: AbortSignal }): void;
}

/** What a page has, named here because the SDK is built without the types of browsers. */
interface Page {
  readonly document?: Target & { readonly visibilityState: string };
  readonly navigator?: { readonly locks?: WebLocks; readonly onLine?: boolean };
}

const page: Page & Partial<Target> = globalThis;

/** Web Locks where they are (secure pages); in a page without them none; in a program those of the process. */
function platformLocks(): ChatLocks | undefined {
  if (page.document === undefined) return processLocks;
  const locks = page.navigator?.locks;
  return locks === undefined ? undefined : webLocks(locks);
}

function webLocks(locks: WebLocks): ChatLocks {
  return {
    tryLock: (name) =>
      new Promise((resolve, reject) => {
        const held = deferred<void>();
        locks
          .request(name, { ifAvailable: true }, (lock) => {
            resolve(lock === null ? null : () => held.resolve());
            return lock === null ? undefined : held.promise;
          })
          .catch(reject);
      }),
  };
}

const heldInProcess = new Set<string>();

/** A store that several processes share needs locks that they share too. */
const processLocks: ChatLocks = {
  tryLock: async (name) => {
    if (heldInProcess.has(name)) return null;
    heldInProcess.add(name);
    return () => heldInProcess.delete(name);
  },
};

function platformNetwork(): NetworkHints | undefined {
  const { document, navigator } = page;
  if (document === undefined) return undefined;
  return {
    isOnline: () => navigator?.onLine !== false,
    isVisible: () => document.visibilityState !== 'hidden',
    onChange: (callback) => {
      const ending = new AbortController();
      const options = { signal: ending.signal };
      page.addEventListener?.('online', callback, options);
      page.addEventListener?.('offline', callback, options);
      document.addEventListener('visibilitychange', callback, options);
      return () => ending.abort();
    },
  };
}
