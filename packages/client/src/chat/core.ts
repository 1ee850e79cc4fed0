import type { ChatEvent, ChatMark, ChatMessage } from '@hvideo/protocol';
import { backoffMs } from '../wait.ts';
import { isPassing } from './failures.ts';
import { Inbox } from './inbox.ts';
import { hasIndexedDb, indexedDbChatStore } from './indexed-db.ts';
import { claimInstance, countUnsent, eraseInstances, type Instance, noteUse } from './instance.ts';
import { Keeper } from './keeper.ts';
import { Link } from './link.ts';
import { News, type NewsHost } from './news.ts';
import { ChatError, type ChatLimits, type ChatOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import type { Outgoing, Receipt } from './outgoing.ts';
import type { Reads } from './reads.ts';
import { readKept } from './records.ts';
import { searchHistory } from './search.ts';
import { type ChatStore, memoryChatStore, withDeadline } from './store.ts';
import type { ChatSurroundings } from './surroundings.ts';
import { Timers } from './timers.ts';
import type { Transport } from './transport.ts';
import type { ChatStatus } from './types.ts';

/** What the core tells those who show it. */
export interface CoreHost {
  /** The newest message that is known of a conversation. */
  knownSeq(conversationId: string): number;
  onMessages(conversationId: string, messages: readonly ChatMessage[]): void;
  onGap(conversationId: string, fromSeq: number, toSeq: number): void;
  onStored(message: Outgoing, stored: ChatMessage): void;
  onFailed(message: Outgoing): void;
  /** Something of one's own came, went or failed. */
  onUnsent(conversationId: string): void;
  onEvent(event: ChatEvent): void;
  onMark(mark: ChatMark): void;
  /** There may be more in it than is known. */
  onNews(conversationId: string, headSeq: number): void;
  /** More may have happened than can be told. */
  onTooLong(): void;
  onUp(): void;
  onStatus(): void;
  onError(error: unknown): void;
}

export interface CoreOptions {
  readonly chat: ChatOptions;
  readonly limits: ChatLimits;
  readonly around: ChatSurroundings;
  readonly reads: Reads;
  readonly host: CoreHost;
}

/** This device: its place in the store, its way to the server, what it sends and what it gets. */
export class Core {
  readonly outbox: Outbox;
  readonly #options: CoreOptions;
  readonly #timers: Timers;
  readonly #inbox: Inbox;
  readonly #news: News;
  #store: ChatStore;
  #isStored = true;
  #instance: Instance | undefined;
  #keeper: Keeper | undefined;
  #link: Link | undefined;
  #deviceId: string | null = null;
  #isClosed = false;
  #starting: Promise<void> = Promise.resolve();

  constructor(options: CoreOptions) {
    this.#timers = new Timers(options.around.setTimer);
    this.#options = { ...options, around: { ...options.around, setTimer: this.#timers.set } };
    const { host, limits, around, reads, chat } = options;
    const store = chat.store ?? (hasIndexedDb() ? indexedDbChatStore() : memoryChatStore());
    this.#store = withDeadline(store, limits.storeMs, around.setTimer);
    const timing = {
      setTimer: (ms: number, callback: () => void) => this.setTimer(ms, callback),
      backoffMs: (failures: number) => this.backoffMs(failures),
      // What is tried again until it succeeds is nothing to report.
      onError: (error: unknown) => {
        if (!isPassing(error)) host.onError(error);
      },
    };
    this.outbox = new Outbox({
      ...timing,
      maxQueued: limits.maxQueued,
      maxSendTries: limits.maxSendTries,
      now: () => around.now(),
      randomName: () => around.randomName(),
      knownSeq: (id) => host.knownSeq(id),
      search: (messages, deviceId) => searchHistory(reads, messages, deviceId),
      onStored: (message, receipt) => this.#onStored(message, receipt),
      onFailed: (message) => host.onFailed(message),
      onChange: (id) => host.onUnsent(id),
    });
    this.#inbox = new Inbox({
      ...timing,
      reads,
      maxGapFill: limits.maxGapFill,
      handle: chat.handle,
      isSending: (id) => this.outbox.isSending(id),
      onMessages: (id, messages) => this.#onMessages(id, messages),
      onGap: (id, fromSeq, toSeq) => host.onGap(id, fromSeq, toSeq),
    });
    this.#news = new News(this.#newsHost(host, reads, timing));
  }

  /** What the store holds is known. */
  get isReady(): boolean {
    return this.#keeper !== undefined;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get status(): ChatStatus {
    const link = this.#link;
    return {
      phase: this.#isClosed ? 'closed' : (link?.phase ?? 'connecting'),
      retryAtMs: link?.retryAtMs ?? null,
      failure: link?.failure ?? null,
      pending: this.outbox.pending,
      deviceId: this.#deviceId,
      isStored: this.#isStored && this.#keeper?.isBroken !== true,
    };
  }

  start(): void {
    this.#starting = this.#start().catch((error: unknown) => this.#options.host.onError(error));
  }

  hurry(): void {
    this.#link?.hurry();
  }

  /** The store is asked for those of other tabs, and of tabs that were lost. */
  async countUnsent(): Promise<number> {
    await this.#starting;
    const others = await countUnsent(this.#store, this.#options.chat.accountId, this.#instance?.name);
    return others + this.outbox.size;
  }

  /** What is not sent stays in the store, for whoever takes the instance next, or is erased. */
  async close(erase: boolean): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#link?.close();
      this.#inbox.close();
      this.outbox.detach();
      this.#timers.stop();
    }
    await this.#starting;
    await this.#keeper?.end();
    try {
      if (erase) await eraseInstances(this.#store, this.#options.chat.accountId);
    } finally {
      this.#instance?.release();
      this.#instance = undefined;
    }
  }

  setTimer(ms: number, callback: () => void): () => void {
    return this.#timers.set(ms, callback);
  }

  backoffMs(failures: number): number {
    const { limits, around } = this.#options;
    return 1 + backoffMs(failures, limits.backoffBaseMs, limits.backoffMaxMs, around.random);
  }

  async #start(): Promise<void> {
    this.#instance = await this.#claim();
    if (this.#isClosed) return;
    const { host, chat, limits, around } = this.#options;
    const { name, prefix, values } = this.#instance;
    this.#keeper = new Keeper(this.#store, (error) => {
      host.onError(error);
      host.onStatus();
    });
    this.outbox.open(this.#keeper, prefix, readKept(prefix, values));
    this.#link = new Link({
      client: chat.client,
      url: chat.url ?? socketUrl(chat.client.baseUrl),
      instance: name,
      mode: chat.transport ?? 'auto',
      limits,
      around,
      pts: () => this.#news.pts,
      events: {
        onDelivery: (delivery) => this.#inbox.deliver(delivery),
        onEvent: (event) => this.#news.take(event),
        onSynced: (pts, tooLong) => this.#news.synced(pts, tooLong),
      },
      onUp: (transport, kind) => this.#onUp(transport, kind),
      onDown: () => this.outbox.detach(),
      onStatus: () => host.onStatus(),
    });
    this.#link.start();
  }

  async #claim(): Promise<Instance> {
    const { around, chat, host } = this.#options;
    const options = () => ({
      accountId: chat.accountId,
      store: this.#store,
      locks: around.locks,
      now: around.now(),
      randomName: () => around.randomName(),
    });
    try {
      const instance = await claimInstance(options());
      await noteUse(options(), instance);
      return instance;
    } catch (error) {
      // A browser may refuse its storage. A chat that forgets is better than none.
      host.onError(error);
      this.#isStored = false;
      this.#store = memoryChatStore();
      return claimInstance(options());
    }
  }

  #onUp(transport: Transport, kind: 'socket' | 'polling'): void {
    const isOther = this.#deviceId !== null && this.#deviceId !== transport.deviceId;
    this.#deviceId = transport.deviceId;
    this.#options.host.onStatus();
    this.outbox.attach(transport);
    // A new device begins at the heads: what was said before it is not delivered to it.
    if (isOther) this.#options.host.onTooLong();
    // A poll has the events in its answers.
    if (kind === 'socket') this.#news.ask();
    this.#options.host.onUp();
  }

  #newsHost(host: CoreHost, reads: Reads, timing: Pick<NewsHost, 'setTimer' | 'backoffMs'>): NewsHost {
    const isConnected = () => this.#link?.phase === 'online';
    return {
      ...timing,
      ask: (pts) => (this.#instance && !this.#isClosed ? reads.sync(this.#instance.name, pts) : undefined),
      get isConnected() {
        return isConnected();
      },
      onEvent: (event) => {
        if (event.kind === 'left') this.#inbox.leave(event.conversationId);
        host.onEvent(event);
      },
      onMark: (mark) => host.onMark(mark),
      onNews: (id, headSeq) => host.onNews(id, headSeq),
      onTooLong: () => host.onTooLong(),
      onMove: (withinMs, alternatives) => this.#link?.move(withinMs, alternatives),
    };
  }

  /** Of this device's own among them, the outbox may still wait for the receipt. */
  #onMessages(id: string, messages: readonly ChatMessage[]): void {
    for (const message of messages) this.outbox.observe(message);
    const others = messages.filter(
      ({ senderDevice }) => senderDevice === null || senderDevice !== this.#deviceId,
    );
    if (others.length > 0) this.#options.host.onMessages(id, others);
  }

  #onStored(message: Outgoing, receipt: Receipt): void {
    const stored: ChatMessage = {
      conversationId: message.conversationId,
      ...{ seq: receipt.seq, id: receipt.id, timestamp: receipt.timestamp },
      senderId: this.#options.chat.accountId,
      senderDevice: this.#deviceId,
      clientSeq: message.clientSeq,
      quote: message.quoteSeq,
      content: message.content,
    };
    this.#inbox.own(stored);
    this.#options.host.onStored(message, stored);
  }
}

function socketUrl(baseUrl: string): string {
  const page: object = globalThis;
  const origin = 'location' in page ? String(page.location) : 'http://localhost';
  const url = new URL('/ws', baseUrl === '' ? origin : baseUrl);
  url.protocol = url.protocol.replace('http', 'ws');
  return url.href;
}

export function assertOpen(core: Core): void {
  if (core.isClosed) throw new ChatError('closed', 'The chat is closed');
}
