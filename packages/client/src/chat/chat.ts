import { type ChatMessage, type Conversation, conversations } from '@hvideo/protocol';
import { Appearance, noMarks } from './appearance.ts';
import { normalised } from './content.ts';
import { ConversationView } from './conversation.ts';
import { assertOpen, Core, type CoreHost } from './core.ts';
import { Directory } from './directory.ts';
import { Cell, Listeners, untilHolds } from './observable.ts';
import { type ChatOptions, defaultChatLimits } from './options.ts';
import type { OutgoingQuote } from './outbox.ts';
import type { Outgoing } from './outgoing.ts';
import { platformSurroundings } from './platform.ts';
import { ReadMarks } from './read-marks.ts';
import { Reads } from './reads.ts';
import type {
  Chat,
  ChatConversation,
  ChatNotice,
  ChatStatus,
  CloseOptions,
  CreateConversation,
  QuoteTarget,
  ViewMessage,
  WaitOptions,
} from './types.ts';

/** Keys of own messages that are remembered in each conversation. */
const maxKeys = 1_000;

/** Begins to connect at once. Close it when its user signs out. */
export function createChat(options: ChatOptions): Chat {
  const chat = new AccountChat(options);
  chat.start();
  return chat;
}

class AccountChat implements Chat {
  readonly accountId: string;
  readonly status: Cell<ChatStatus>;
  readonly conversations: Directory;

  readonly #options: ChatOptions;
  readonly #maxIdle: number;
  readonly #ending = new AbortController();
  readonly #listeners: Listeners<[ChatNotice]>;
  readonly #appearance: Appearance;
  readonly #core: Core;
  readonly #readMarks: ReadMarks;
  readonly #views = new Map<string, ConversationView>();
  /** Of own messages: seq to key, in each conversation. */
  readonly #keys = new Map<string, Map<number, string>>();
  readonly #makeView: (id: string) => ConversationView;

  constructor(options: ChatOptions) {
    this.#options = options;
    this.accountId = options.accountId;
    const limits = { ...defaultChatLimits, ...options.limits };
    const around = { ...platformSurroundings(options.WebSocket), ...options.surroundings };
    const { accountId } = options;
    const onError = this.#onError;
    this.#maxIdle = limits.maxIdleConversations;
    this.#listeners = new Listeners(onError);
    const reads = new Reads(options.client, limits, this.#ending.signal);
    const appearance = new Appearance(accountId);
    this.#appearance = appearance;
    const core = new Core({ chat: options, limits, around, reads, host: this.#coreHost() });
    this.#core = core;
    this.status = new Cell(() => core.status, onError);
    const timing = {
      setTimer: (ms: number, callback: () => void) => core.setTimer(ms, callback),
      backoffMs: (failures: number) => core.backoffMs(failures),
    };
    this.#readMarks = new ReadMarks({
      ...timing,
      tell: async (id, seq) => {
        await reads.markRead(id, seq);
        this.conversations.readTold(id, seq);
      },
    });
    this.conversations = new Directory({
      ...{ ...timing, accountId, reads, onError },
      unsent: (id) => this.#unsent(id),
      view: (message) =>
        appearance.ofStored(message, noMarks, this.#keyOf(message.conversationId, message.seq)),
      onChange: (id) => this.#views.get(id)?.changed(),
      onHead: (id, headSeq) => this.#views.get(id)?.reach(headSeq),
    });
    this.#makeView = (id) =>
      new ConversationView(id, {
        ...{ accountId, reads, appearance, onError, pageSize: limits.pageSize, maxWindow: limits.maxWindow },
        summary: (of) => this.conversations.summary(of),
        readSeq: (of) => this.conversations.readSeq(of),
        keyOf: (of, seq) => this.#keyOf(of, seq),
        unsent: (of) => core.outbox.messagesOf(of),
        send: (of, content, quote) => this.#send(of, content, quote),
        retry: (of, key) => this.#retry(of, key),
        discard: (of, key) => core.outbox.discard(of, key),
        markRead: (of, seq) => this.#markRead(of, seq),
        onWatched: () => this.#dropIdle(),
        later: (failures, callback) => core.setTimer(core.backoffMs(failures), callback),
      });
  }

  start(): void {
    this.#core.start();
    this.#loadList();
  }

  conversation(id: string): ChatConversation {
    const view = this.#views.get(id) ?? this.#makeView(id);
    // The one looked at last is at the end.
    this.#views.delete(id);
    this.#views.set(id, view);
    this.#dropIdle();
    return view;
  }

  async create(body: CreateConversation, { signal }: WaitOptions = {}): Promise<Conversation> {
    const options = { signal: this.#orEnd(signal) };
    const conversation = await this.#options.client.call(conversations.create, { body }, options);
    this.conversations.put(conversation);
    return conversation;
  }

  on(listener: (event: ChatNotice) => void): () => void {
    return this.#listeners.add(listener);
  }

  reconnect(): void {
    this.#core.hurry();
  }

  countUnsent(): Promise<number> {
    return this.#core.countUnsent();
  }

  flush({ signal }: WaitOptions = {}): Promise<void> {
    const core = this.#core;
    const isEmpty = () => core.isReady && core.outbox.pending === 0;
    return untilHolds(this.status, isEmpty, this.#orEnd(signal));
  }

  close({ erase = false }: CloseOptions = {}): Promise<void> {
    const closed = this.#core.close(erase);
    this.#ending.abort(new Error('The chat is closed'));
    return closed;
  }

  #orEnd(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal]);
  }

  #coreHost(): CoreHost {
    return {
      knownSeq: (id) => this.conversations.headSeq(id),
      onMessages: (conversationId, messages) => {
        for (const message of messages) this.#place(message, true);
        this.#listeners.tell({ type: 'messages', conversationId, messages });
      },
      onGap: (conversationId, fromSeq, toSeq) => {
        this.#views.get(conversationId)?.break();
        this.conversations.markStale(conversationId);
        this.#listeners.tell({ type: 'gap', conversationId, fromSeq, toSeq });
      },
      onStored: (message, stored) => this.#onStored(message, stored),
      onFailed: (message) =>
        this.#listeners.tell({ type: 'failed', message: this.#appearance.ofOutgoing(message) }),
      onUnsent: (id) => {
        this.conversations.touch(id);
        this.status.change();
      },
      onEvent: (event) => {
        const { conversationId } = event;
        if (event.kind === 'read') {
          this.conversations.read(conversationId, event.seq);
          this.conversations.readTold(conversationId, event.seq);
          this.#listeners.tell({ type: 'read', conversationId, seq: event.seq });
          return;
        }
        // Whether one is a member now is for the server to say: this may be old.
        this.conversations.markStale(conversationId);
        this.#listeners.tell({ type: event.kind, conversationId });
      },
      onMark: (mark) => {
        this.#views.get(mark.conversationId)?.mark(mark);
        const { conversationId, accountId, readSeq, deliveredSeq } = mark;
        this.#listeners.tell({ type: 'mark', conversationId, accountId, readSeq, deliveredSeq });
      },
      onNews: (id, headSeq) => {
        if (headSeq > this.conversations.headSeq(id)) this.conversations.markStale(id);
      },
      onTooLong: () => this.conversations.markAllStale(),
      onUp: () => {
        if (!this.conversations.snapshot().isLoaded) this.#loadList();
        for (const view of this.#views.values()) view.refresh();
      },
      onStatus: () => {
        this.status.change();
        this.#listeners.tell({ type: 'status', status: this.status.snapshot() });
      },
      onError: this.#onError,
    };
  }

  #onStored(message: Outgoing, stored: ChatMessage): void {
    const { conversationId, seq } = stored;
    const keys = this.#keys.get(conversationId) ?? new Map<number, string>();
    this.#keys.set(conversationId, keys.set(seq, message.key));
    const [oldest] = keys.keys();
    if (keys.size > maxKeys && oldest !== undefined) keys.delete(oldest);
    this.#place(stored, false);
    this.#listeners.tell({ type: 'sent', message: this.#appearance.ofStored(stored, noMarks, message.key) });
  }

  /** A message that is new in its conversation. */
  #place(message: ChatMessage, isInOrder: boolean): void {
    this.conversations.note(message);
    this.#views.get(message.conversationId)?.note(message, isInOrder);
  }

  #send(id: string, input: Parameters<typeof normalised>[0], target: QuoteTarget | undefined): ViewMessage {
    assertOpen(this.#core);
    const message = this.#core.outbox.add(id, normalised(input), quoteOf(target));
    return this.#appearance.ofOutgoing(message);
  }

  #retry(id: string, key: string): void {
    assertOpen(this.#core);
    this.#core.outbox.retry(id, key);
  }

  #markRead(id: string, seq: number): void {
    this.conversations.read(id, seq);
    this.#readMarks.add(id, seq);
    this.#views.get(id)?.changed();
  }

  #unsent(id: string): { newest: ViewMessage | null; pending: number; failed: number } {
    const { pending, failed } = this.#core.outbox.messagesOf(id);
    const newest = pending.at(-1);
    return {
      newest: newest === undefined ? null : this.#appearance.ofOutgoing(newest),
      pending: pending.length,
      failed: failed.length,
    };
  }

  #keyOf(id: string, seq: number): string | undefined {
    return this.#keys.get(id)?.get(seq);
  }

  #loadList(): void {
    this.conversations.loadMore().catch(() => {
      // The snapshot of the list says so, and the next connection reads it again.
    });
  }

  /** What nobody looks at is kept for a while, since people go back and forth; the ones looked at longest ago go first. */
  #dropIdle(): void {
    const idle = [...this.#views.values()].filter(({ isWatched }) => !isWatched);
    for (const { id } of idle.slice(0, Math.max(0, idle.length - this.#maxIdle))) this.#views.delete(id);
  }

  readonly #onError = (error: unknown): void => {
    if (this.#ending.signal.aborted) return;
    if (this.#options.onError !== undefined) this.#options.onError(error);
    else reportError(error);
  };
}

function quoteOf(target: QuoteTarget | undefined): OutgoingQuote | null {
  if (target === undefined) return null;
  return typeof target === 'number' ? { seq: target, key: null } : { seq: target.seq, key: target.key };
}
