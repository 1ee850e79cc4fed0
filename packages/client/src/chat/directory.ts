import type { ChatMessage, Conversation } from '@hvideo/protocol';
import { ApiError } from '../errors.ts';
import { failureOf } from './failures.ts';
import { Cell, type OnError } from './observable.ts';
import type { Reads } from './reads.ts';
import type {
  ChatFailure,
  ConversationList,
  ConversationSummary,
  ConversationsSnapshot,
  ViewMessage,
  WaitOptions,
} from './types.ts';

export interface DirectoryHost {
  readonly accountId: string;
  readonly reads: Reads;
  setTimer(ms: number, callback: () => void): () => void;
  backoffMs(failures: number): number;
  /** What of one's own is not in the conversation yet. */
  unsent(id: string): { newest: ViewMessage | null; pending: number; failed: number };
  view(message: ChatMessage): ViewMessage;
  onChange(id: string): void;
  /** The server has said how far a conversation goes. */
  onHead(id: string, headSeq: number): void;
  onError: OnError;
}

interface Entry {
  /** As it was read last. */
  base: Conversation;
  /** What came since, in order of seq, at most `maxRecent`. */
  recent: ChatMessage[];
  readSeq: number;
  /** What the server is known to know of it. */
  toldSeq: number;
  summary: ConversationSummary | undefined;
}

const pageSize = 50;
const maxRecent = 200;
/** Conversations are read anew together: several reasons within this time are one. */
const gatherMs = 150;

/** One's conversations: read in pages, kept up to date by what comes, read anew one by one where that is not enough. */
export class Directory implements ConversationList {
  readonly #host: DirectoryHost;
  readonly #entries = new Map<string, Entry>();
  readonly #cell: Cell<ConversationsSnapshot>;
  readonly #stale = new Set<string>();
  #isRefreshing = false;
  #failures = 0;
  #nextCursor: string | null = null;
  #isLoaded = false;
  #loading: Promise<void> | undefined;
  #failure: ChatFailure | null = null;

  constructor(host: DirectoryHost) {
    this.#host = host;
    this.#cell = new Cell(() => this.#snapshot(), host.onError);
  }

  readonly subscribe = (listener: () => void) => this.#cell.subscribe(listener);
  readonly snapshot = () => this.#cell.snapshot();

  async loadMore({ signal }: WaitOptions = {}): Promise<void> {
    if (this.#isLoaded && this.#nextCursor === null) return;
    await this.#load(this.#isLoaded ? this.#nextCursor : null, signal);
  }

  async refresh({ signal }: WaitOptions = {}): Promise<void> {
    await this.#loading?.catch((error: unknown) => error);
    await this.#load(null, signal);
  }

  summary(id: string): ConversationSummary | null {
    const entry = this.#entries.get(id);
    if (entry === undefined) return null;
    entry.summary ??= this.#summarise(entry);
    return entry.summary;
  }

  readSeq(id: string): number {
    return this.#entries.get(id)?.readSeq ?? 0;
  }

  headSeq(id: string): number {
    const entry = this.#entries.get(id);
    return entry === undefined ? 0 : headOf(entry);
  }

  put(conversation: Conversation): void {
    const known = this.#entries.get(conversation.id);
    // An answer that was overtaken by another on its way.
    if (known && conversation.headSeq < known.base.headSeq) return;
    const recent = known?.recent.filter(({ seq }) => seq > conversation.headSeq) ?? [];
    const readSeq = Math.max(conversation.readSeq, known?.readSeq ?? 0);
    const toldSeq = known?.toldSeq ?? 0;
    this.#entries.set(conversation.id, { base: conversation, recent, readSeq, toldSeq, summary: undefined });
    // Counted before the mark had come.
    this.readTold(conversation.id, toldSeq);
    this.touch(conversation.id);
    this.#host.onHead(conversation.id, conversation.headSeq);
  }

  remove(id: string): void {
    this.#stale.delete(id);
    if (this.#entries.delete(id)) this.touch(id);
  }

  /** New in its conversation, in order of seq. */
  note(message: ChatMessage): void {
    const entry = this.#entries.get(message.conversationId);
    if (entry === undefined) {
      this.markStale(message.conversationId);
      return;
    }
    const head = headOf(entry);
    if (message.seq <= head) return;
    entry.recent.push(message);
    // Something between was not handed over, or is not remembered: only the server can count now.
    if (message.seq > head + 1 || entry.recent.length > maxRecent) {
      entry.recent = entry.recent.slice(-1);
      this.markStale(message.conversationId);
    }
    // Its title, or who is in it, is another now.
    if (message.content.type === 'system') this.markStale(message.conversationId);
    this.touch(message.conversationId);
  }

  read(id: string, seq: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || seq <= entry.readSeq) return;
    entry.readSeq = seq;
    this.touch(id);
  }

  /** The server knows now what was read: it counts exactly what is left. */
  readTold(id: string, seq: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.toldSeq = Math.max(entry.toldSeq, seq);
    const { base, toldSeq } = entry;
    if (base.readSeq < toldSeq && toldSeq < base.headSeq) this.markStale(id);
  }

  /** It is read anew soon. */
  markStale(id: string): void {
    this.#stale.add(id);
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    this.#host.setTimer(gatherMs, () => {
      this.#refreshStale().catch((error: unknown) => this.#host.onError(error));
    });
  }

  /** Everything is read anew; what is no longer on the first page one by one. */
  markAllStale(): void {
    for (const id of this.#entries.keys()) this.markStale(id);
    this.refresh().catch(() => {
      // The snapshot says so, and each conversation is read by itself.
    });
  }

  /** What is shown of it has changed. */
  touch(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.summary = undefined;
    this.#cell.change();
    this.#host.onChange(id);
  }

  async #refreshStale(): Promise<void> {
    for (const id of this.#stale) {
      this.#stale.delete(id);
      try {
        this.put(await this.#host.reads.conversation(id));
        this.#failures = 0;
      } catch (error) {
        if (error instanceof ApiError && error.code === 'not-found') this.remove(id);
        else {
          this.#stale.add(id);
          this.#failures += 1;
          break;
        }
      }
    }
    this.#isRefreshing = false;
    const [left] = this.#stale;
    if (left === undefined) return;
    this.#isRefreshing = true;
    this.#host.setTimer(this.#host.backoffMs(this.#failures), () => {
      this.#refreshStale().catch((error: unknown) => this.#host.onError(error));
    });
  }

  #load(cursor: string | null, signal: AbortSignal | undefined): Promise<void> {
    this.#loading ??= this.#loadPage(cursor, signal).finally(() => {
      this.#loading = undefined;
      this.#cell.change();
    });
    this.#cell.change();
    return this.#loading;
  }

  async #loadPage(cursor: string | null, signal: AbortSignal | undefined): Promise<void> {
    try {
      const page = await this.#host.reads.list(cursor, pageSize, signal);
      for (const conversation of page.items) this.put(conversation);
      if (cursor !== null || !this.#isLoaded) this.#nextCursor = page.nextCursor;
      this.#isLoaded = true;
      this.#failure = null;
    } catch (error) {
      this.#failure = failureOf(error);
      throw error;
    }
  }

  #snapshot(): ConversationsSnapshot {
    const items: ConversationSummary[] = [];
    for (const id of this.#entries.keys()) {
      const summary = this.summary(id);
      if (summary !== null) items.push(summary);
    }
    return {
      items: items.sort(byNewest),
      isLoaded: this.#isLoaded,
      isLoading: this.#loading !== undefined,
      hasMore: !this.#isLoaded || this.#nextCursor !== null,
      unreadConversations: items.filter(({ unread }) => unread > 0).length,
      failure: this.#failure,
    };
  }

  #summarise(entry: Entry): ConversationSummary {
    const { base, recent, readSeq } = entry;
    const { newest, pending, failed } = this.#host.unsent(base.id);
    const last = recent.at(-1) ?? base.lastMessage;
    const isOther = ({ senderId, seq }: ChatMessage) => senderId !== this.#host.accountId && seq > readSeq;
    // Between two reads it is estimated; the server's count follows.
    const before =
      readSeq >= base.headSeq ? 0 : Math.max(0, base.unread - Math.max(0, readSeq - base.readSeq));
    return {
      ...base,
      headSeq: headOf(entry),
      readSeq,
      unread: before + recent.filter(isOther).length,
      lastMessage: newest ?? (last === null ? null : this.#host.view(last)),
      pending,
      failed,
    };
  }
}

function headOf(entry: Entry): number {
  return Math.max(entry.base.headSeq, entry.recent.at(-1)?.seq ?? 0);
}

function byNewest(a: ConversationSummary, b: ConversationSummary): number {
  const timeOfA = a.lastMessage?.timestamp ?? a.createdAt;
  const timeOfB = b.lastMessage?.timestamp ?? b.createdAt;
  if (timeOfA !== timeOfB) return timeOfA < timeOfB ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}
