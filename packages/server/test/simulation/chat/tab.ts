import {
  ApiError,
  type Chat,
  type ChatLocks,
  type ChatSocket,
  type ChatStore,
  type ChatSurroundings,
  createChat,
  memoryChatStore,
  NetworkError,
  type SocketEvents,
} from '@hvideo/client';
import { type AnyEndpoint, api, type InputOf, type Problem, type ResponseOf } from '@hvideo/protocol';
import type { RunRecord } from '../../support/chat-device-record.ts';
import type { ChatHistory } from '../../support/chat-history.ts';
import type { Network } from './network.ts';
import { type Chance, Machine, type Scheduler } from './scheduler.ts';

/** Longer than any poll waits. */
const requestMs = 60_000;

/** What is around browsers and tabs. */
export interface TabWorld {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly history: ChatHistory;
  readonly bugs: string[];
  conversationsOf(accountId: string): readonly string[];
  recordOf(tab: Tab): RunRecord;
  nameFor(tab: Tab, chance: Chance): string;
  openSocket(tab: Tab, url: string, events: SocketEvents): ChatSocket;
  /** Some node that is there. */
  pickNode(): ServerEnd | undefined;
  isMember(conversationId: string, accountId: string): boolean;
  memberChanges(conversationId: string): void;
}

export interface ServerEnd {
  readonly machine: Machine;
  /** Rejects with the problem document. */
  answer(endpoint: AnyEndpoint, sent: Parts, viewer: Viewer): Promise<unknown>;
}

interface Viewer {
  readonly accountId: string;
  readonly sessionId: string;
  readonly role: 'user';
}

/** A login of one person, with the storage that its tabs share. */
export class Browser {
  readonly world: TabWorld;
  readonly accountId: string;
  readonly sessionId: string;
  readonly name: string;
  store: ChatStore = memoryChatStore();
  readonly locks = new Map<string, Machine>();
  readonly tabs: Tab[] = [];
  tabsMade = 0;
  /** Since the storage was cleared. */
  namesMade = 0;

  constructor(world: TabWorld, accountId: string, sessionId: string, name: string) {
    this.world = world;
    this.accountId = accountId;
    this.sessionId = sessionId;
    this.name = name;
  }

  open(): Tab {
    const tab = new Tab(this, `${this.name}${++this.tabsMade}`);
    this.tabs.push(tab);
    return tab;
  }

  /** Everything that the site has stored is gone, and its tabs with it. */
  clear(): void {
    for (const tab of [...this.tabs]) tab.crash();
    this.store = memoryChatStore();
    this.locks.clear();
    this.namesMade = 0;
  }
}

/** The SDK itself, on a simulated network and clock. */
export class Tab {
  readonly browser: Browser;
  readonly machine: Machine;
  readonly chat: Chat;
  readonly record: RunRecord;
  /** The conversation that is on the screen. */
  readonly watched: string;
  readonly #chance: Chance;
  #said = 0;

  constructor(browser: Browser, name: string) {
    const { world, accountId } = browser;
    this.browser = browser;
    this.machine = new Machine(name);
    this.#chance = world.scheduler.random.fork();
    this.record = world.recordOf(this);
    this.chat = createChat({
      client: {
        baseUrl: 'http://sim',
        call: this.#call,
        authHeaders: async () => ({ Authorization: `Bearer ${tokenOf(browser)}` }),
      },
      ...{ accountId, store: this.#store(), surroundings: this.#surroundings() },
      onError: (error) => {
        if (!(error instanceof ApiError) && !(error instanceof NetworkError)) world.bugs.push(String(error));
      },
    });
    this.record.watch(this.chat);
    this.watched = this.#chance.pick(world.conversationsOf(accountId));
    this.chat.conversation(this.watched).subscribe(() => {});
  }

  /** Says something new somewhere; now and then as an answer. */
  say(): void {
    const { world, accountId } = this.browser;
    const conversationId = this.#chance.pick(world.conversationsOf(accountId));
    const conversation = this.chat.conversation(conversationId);
    const text = `${this.machine.name}:${++this.#said}`;
    const targets = conversation
      .snapshot()
      .messages.filter(({ content, state }) => content.type === 'text' && state !== 'failed');
    const target = targets.length > 0 && this.#chance.once(3) ? this.#chance.pick(targets) : undefined;
    const answers = target?.content.type === 'text' ? target.content.text : undefined;
    world.history.send({ conversationId, senderId: accountId, text, tab: this.machine.name, answers });
    conversation.send({ type: 'text', text }, target && { quote: target });
  }

  read(): void {
    const { items } = this.chat.conversations.snapshot();
    const unread = items.filter(({ unread }) => unread > 0);
    if (unread.length > 0) this.chat.conversation(this.#chance.pick(unread).id).markRead();
  }

  /** Takes somebody out of a group, or brings them in. */
  changeMember(id: string, userId: string): void {
    const { world } = this.browser;
    world.memberChanges(id);
    const isIn = world.isMember(id, userId);
    const change = isIn
      ? this.#call(api.conversations.remove, { params: { id, userId } })
      : this.#call(api.conversations.add, { params: { id }, body: { memberIds: [userId] } });
    // Refused or lost: then it stays as it is.
    change.catch(() => {});
  }

  /** Without a word: the tab is closed, or its machine loses power. */
  crash(): void {
    this.machine.isAlive = false;
    this.browser.world.network.crashed(this.machine);
    const { locks, tabs } = this.browser;
    for (const [name, holder] of locks) if (holder === this.machine) locks.delete(name);
    tabs.splice(tabs.indexOf(this), 1);
  }

  /** Disk of the browser: what was written before a crash stays, what was under way may. */
  #store(): ChatStore {
    const { scheduler } = this.browser.world;
    const later = () =>
      new Promise<void>((resolve) => scheduler.at(this.#chance.delayMs(1), this.machine, resolve));
    const { store } = this.browser;
    return {
      read: async (prefix) => {
        await later();
        return store.read(prefix);
      },
      write: async (changes) => {
        await later();
        await store.write(changes);
        await later();
      },
    };
  }

  #surroundings(): ChatSurroundings {
    const { world, locks } = this.browser;
    const clock = world.scheduler.clockOf(this.machine);
    return {
      now: () => clock.nowMs(),
      random: () => this.#chance.next(),
      randomName: () => world.nameFor(this, this.#chance),
      setTimer: (ms, callback) => {
        const timer = clock.after(ms, callback);
        return () => timer[Symbol.dispose]();
      },
      openSocket: (url, _protocols, events) => world.openSocket(this, url, events),
      locks: locksOf(this.machine, locks, () => clock.sleep(this.#chance.delayMs(1))),
    };
  }

  readonly #call = <E extends AnyEndpoint>(
    endpoint: E,
    input?: InputOf<E>,
    options: { signal?: AbortSignal } = {},
  ): Promise<ResponseOf<E>> =>
    new Promise((resolve, reject) => {
      const { world, accountId, sessionId } = this.browser;
      const node = world.pickNode();
      const fail = () => reject(new NetworkError('no answer', { timedOut: true }));
      const timer = world.scheduler.at(requestMs, this.machine, fail);
      options.signal?.addEventListener('abort', () => reject(options.signal?.reason));
      if (!node || world.network.isLost()) return;
      const back = (answer: () => void) =>
        world.network.isLost() ||
        world.network.deliver(node.machine, this.machine, () => {
          timer[Symbol.dispose]();
          answer();
        });
      // As over a wire: what is sent is not what is kept.
      const sent = structuredClone(input ?? {}) as Parts;
      world.network.deliver(this.machine, node.machine, () => {
        node.answer(endpoint, sent, { accountId, sessionId, role: 'user' }).then(
          (result) => back(() => resolve(structuredClone(result) as ResponseOf<E>)),
          (problem: Problem) => back(() => reject(new ApiError(problem, undefined))),
        );
      });
    });
}

export interface Parts {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
}

function locksOf(machine: Machine, locks: Map<string, Machine>, later: () => Promise<void>): ChatLocks {
  return {
    tryLock: async (name) => {
      await later();
      if (locks.has(name)) return null;
      locks.set(name, machine);
      return () => {
        if (locks.get(name) === machine) locks.delete(name);
      };
    },
  };
}

/** As an access token is made, but for the signature. */
function tokenOf({ sessionId }: Browser): string {
  return `head.${Buffer.from(JSON.stringify({ sessionId })).toString('base64url')}.tail`;
}
