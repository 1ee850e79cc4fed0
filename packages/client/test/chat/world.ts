import type { MessageContent } from '@hvideo/protocol';
import { createChat } from '../../src/chat/chat.ts';
import type { ChatOptions } from '../../src/chat/options.ts';
import { type ChatStore, memoryChatStore } from '../../src/chat/store.ts';
import type { ChatLocks, NetworkHints } from '../../src/chat/surroundings.ts';
import type { Chat, ConversationSnapshot } from '../../src/chat/types.ts';
import { FakeServer, type Login } from './fake-server.ts';
import { Timeline } from './timeline.ts';

export const text = (words: string): MessageContent => ({ type: 'text', text: words });

/** A browser or a program: its storage, its locks, and the chats that run in it. */
export class World {
  readonly timeline: Timeline;
  readonly server: FakeServer;
  readonly errors: unknown[] = [];
  readonly chats = new Set<Chat>();

  constructor(seed = 1) {
    this.timeline = new Timeline(seed);
    this.server = new FakeServer(this.timeline);
  }

  /** A tab: what is open in it. `place` is the browser, with its storage and locks. */
  open(login: Login, place: Place = new Place(), options: TabOptions = {}): Tab {
    const tab = new Tab(this, login, place, options);
    this.chats.add(tab.chat);
    return tab;
  }

  async end(): Promise<void> {
    for (const chat of this.chats) await chat.close();
  }
}

export interface TabOptions extends Partial<ChatOptions> {
  readonly hasLocks?: boolean;
  readonly network?: NetworkHints;
}

export class Place {
  readonly store: ChatStore;
  readonly #held = new Set<string>();

  constructor(store: ChatStore = memoryChatStore()) {
    this.store = store;
  }

  locksOf(tab: { isGone: boolean; readonly held: (() => void)[] }): ChatLocks {
    return {
      tryLock: async (name) => {
        if (this.#held.has(name) || tab.isGone) return null;
        this.#held.add(name);
        const release = () => {
          this.#held.delete(name);
        };
        tab.held.push(release);
        return release;
      },
    };
  }
}

export class Tab {
  readonly chat: Chat;
  readonly login: Login;
  /** What was handed over, by conversation: seqs in the order in which they came. */
  readonly got = new Map<string, number[]>();
  readonly sent: { readonly room: string; readonly seq: number; readonly text: string }[] = [];
  readonly failed: string[] = [];
  readonly gaps: string[] = [];
  /** Of the sockets that were opened. */
  readonly urls: string[] = [];
  readonly held: (() => void)[] = [];
  isGone = false;

  constructor(world: World, login: Login, place: Place, options: TabOptions) {
    const { hasLocks = true, network, ...rest } = options;
    const { timeline, server } = world;
    this.login = login;
    this.chat = createChat({
      client: this.#clientOf(server.client(login)),
      accountId: login.account,
      store: this.#storeOf(place),
      surroundings: {
        now: () => timeline.nowMs,
        random: timeline.random,
        randomName: timeline.randomName,
        setTimer: (ms, callback) => timeline.setTimer(ms, () => this.isGone || callback()),
        openSocket: (url, _protocols, events) => {
          this.urls.push(url);
          return server.openSocket(login, url, {
            onOpen: () => this.isGone || events.onOpen(),
            onMessage: (data) => this.isGone || events.onMessage(data),
            onClose: (code, reason) => this.isGone || events.onClose(code, reason),
          });
        },
        locks: hasLocks ? place.locksOf(this) : undefined,
        network,
      },
      onError: (error) => world.errors.push(error),
      ...rest,
    });
    this.chat.on((event) => {
      if (this.isGone) return;
      if (event.type === 'messages') {
        const seqs = this.got.get(event.conversationId) ?? [];
        this.got.set(event.conversationId, [...seqs, ...event.messages.map(({ seq }) => seq)]);
      } else if (event.type === 'sent') {
        const { conversationId, seq, content } = event.message;
        this.sent.push({
          room: conversationId,
          seq: seq ?? 0,
          text: content.type === 'text' ? content.text : '',
        });
      } else if (event.type === 'failed') this.failed.push(event.message.failure?.code ?? '');
      else if (event.type === 'gap') this.gaps.push(`${event.fromSeq}-${event.toSeq}`);
    });
  }

  get status() {
    return this.chat.status.snapshot();
  }

  room(id = 'room'): ConversationSnapshot {
    return this.chat.conversation(id).snapshot();
  }

  /** Texts of the window, with the state of own ones. */
  shown(id = 'room'): string[] {
    return this.room(id).messages.map(({ content, state }) => {
      const words = content.type === 'text' ? content.text : content.type;
      return state === null ? words : `${words} (${state})`;
    });
  }

  send(words: string, id = 'room') {
    return this.chat.conversation(id).send(text(words));
  }

  /** Texts that wait, or were given up. */
  unsent(id: string): string[] {
    return this.room(id).messages.flatMap(({ content, state }) =>
      (state === 'sending' || state === 'failed') && content.type === 'text' ? [content.text] : [],
    );
  }

  /** Sends again what has failed; answers how many. */
  retryAll(id = 'room'): number {
    const failed = this.room(id).messages.filter(({ state }) => state === 'failed');
    for (const { key } of failed) this.chat.conversation(id).retry(key);
    return failed.length;
  }

  /** The tab is gone in the middle of everything: nothing of it runs on, and its locks are free. */
  crash(world: World): void {
    this.isGone = true;
    world.chats.delete(this.chat);
    world.server.cut((socket) => socket.login === this.login);
    for (const release of this.held) release();
  }

  /** Nor does it hear an answer. */
  #clientOf(client: ChatOptions['client']): ChatOptions['client'] {
    return {
      ...client,
      call: async (...call) => {
        const answer = this.isGone ? undefined : await client.call(...call);
        return this.isGone ? new Promise<never>(() => undefined) : (answer ?? JSON.parse('null'));
      },
    };
  }

  /** A write of a tab that is gone does not happen. */
  #storeOf(place: Place): ChatStore {
    return {
      read: (prefix) => place.store.read(prefix),
      write: (changes) => (this.isGone ? new Promise<never>(() => undefined) : place.store.write(changes)),
    };
  }
}
