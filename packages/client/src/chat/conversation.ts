import type { ChatMark, ChatMessage, MessageContent } from '@hvideo/protocol';
import type { Appearance } from './appearance.ts';
import { arrange } from './arrange.ts';
import { failureOf, isRefusal } from './failures.ts';
import { Members } from './members.ts';
import { Cell, type OnError } from './observable.ts';
import type { Outgoing } from './outgoing.ts';
import { Pages } from './pages.ts';
import type { Reads } from './reads.ts';
import type {
  ChatConversation,
  ChatFailure,
  ConversationSnapshot,
  ConversationSummary,
  QuoteTarget,
  SendOptions,
  ViewMessage,
  WaitOptions,
} from './types.ts';
import { type End, MessageWindow } from './window.ts';

export interface ConversationHost {
  readonly reads: Reads;
  readonly pageSize: number;
  readonly maxWindow: number;
  readonly accountId: string;
  readonly appearance: Appearance;
  summary(id: string): ConversationSummary | null;
  readSeq(id: string): number;
  /** The key of a message of ours, while it is remembered. */
  keyOf(id: string, seq: number): string | undefined;
  unsent(id: string): { readonly pending: readonly Outgoing[]; readonly failed: readonly Outgoing[] };
  send(id: string, content: MessageContent, quote: QuoteTarget | undefined): ViewMessage;
  retry(id: string, key: string): void;
  discard(id: string, key: string): void;
  markRead(id: string, seq: number): void;
  onWatched(id: string, isWatched: boolean): void;
  /** After a wait that grows with the failures. */
  later(failures: number, callback: () => void): void;
  onError: OnError;
}

/** Further than that it is for who looks at it to go on. */
const maxPagesBehind = 4;

export class ConversationView implements ChatConversation {
  readonly id: string;
  readonly #host: ConversationHost;
  readonly #cell: Cell<ConversationSnapshot>;
  readonly #window: MessageWindow;
  readonly #pages: Pages;
  readonly #members: Members;
  readonly #loading = new Map<End | 'around', Promise<void>>();
  #isLoaded = false;
  #failure: ChatFailure | null = null;
  #failures = 0;
  #isWaiting = false;
  /** It follows the conversation by itself, by so many pages at most. */
  #pagesBehind = 0;
  /** Grows when the window is put elsewhere: what was asked for before is not wanted any more. */
  #generation = 0;

  constructor(id: string, host: ConversationHost) {
    this.id = id;
    this.#host = host;
    this.#window = new MessageWindow(host.maxWindow);
    this.#pages = new Pages(id, host.reads, host.pageSize);
    this.#members = new Members(id, host.accountId, host.reads, () => this.changed());
    this.#cell = new Cell(
      () => this.#snapshot(),
      host.onError,
      (isWatched) => this.#onWatched(isWatched),
    );
  }

  readonly subscribe = (listener: () => void) => this.#cell.subscribe(listener);
  readonly snapshot = () => this.#cell.snapshot();

  get isWatched(): boolean {
    return this.#cell.isWatched;
  }

  loadOlder({ signal }: WaitOptions = {}): Promise<void> {
    return this.#extend('older', signal);
  }

  loadNewer({ signal }: WaitOptions = {}): Promise<void> {
    return this.#extend('newer', signal);
  }

  jumpTo(seq: number, { signal }: WaitOptions = {}): Promise<void> {
    if (this.#window.has(seq)) return Promise.resolve();
    const { pageSize } = this.#host;
    return this.#place(
      { afterSeq: Math.max(0, seq - 1 - Math.floor(pageSize / 2)), limit: pageSize },
      signal,
    );
  }

  jumpToNewest({ signal }: WaitOptions = {}): Promise<void> {
    if (this.#isLoaded && !this.#window.hasNewer) return Promise.resolve();
    return this.#place({ limit: this.#host.pageSize }, signal);
  }

  async find(seq: number, { signal }: WaitOptions = {}): Promise<ViewMessage | null> {
    const known = this.#window.find(seq);
    if (known !== undefined) return this.#view(known);
    const { items } = await this.#host.reads.messages(this.id, { afterSeq: seq - 1, limit: 1 }, signal);
    const [message] = items;
    return message?.seq === seq ? this.#view(message) : null;
  }

  send(content: MessageContent, { quote }: SendOptions = {}): ViewMessage {
    const message = this.#host.send(this.id, content, quote);
    // Who writes wants to see it, whatever was looked at before.
    if (this.#window.hasNewer) this.#settle(this.jumpToNewest());
    return message;
  }

  retry(key: string): void {
    this.#host.retry(this.id, key);
  }

  discard(key: string): void {
    this.#host.discard(this.id, key);
  }

  markRead(seq: number = this.#window.lastSeq): void {
    if (seq > this.#host.readSeq(this.id)) this.#host.markRead(this.id, seq);
  }

  /** A message has its place: handed over in order, or one's own with its receipt. */
  note(message: ChatMessage, isInOrder: boolean): void {
    const isNextToRun = this.#window.append(message);
    if (message.content.type === 'system' && this.#members.all.length > 0) this.#members.load();
    // All before it was handed over, and the window has it not: it was read before that was stored.
    if (!isNextToRun && isInOrder && this.#isLoaded) this.#catchUp();
    this.changed();
  }

  /** The server says that the conversation goes on to here. */
  reach(headSeq: number): void {
    if (this.#isLoaded && !this.#window.hasNewer && headSeq > this.#window.lastSeq) this.#catchUp();
  }

  /** Something was skipped: the window does not go on by itself. */
  break(): void {
    if (this.#isLoaded) this.#window.break();
    this.#pagesBehind = 0;
    this.changed();
  }

  mark(mark: ChatMark): void {
    this.#members.mark(mark);
  }

  /** What is in memory may have missed something: after a time without connection. */
  refresh(): void {
    if (!this.isWatched) return;
    if (this.#isLoaded) this.#members.load();
    this.#follow();
  }

  changed(): void {
    this.#cell.change();
  }

  #onWatched(isWatched: boolean): void {
    this.#host.onWatched(this.id, isWatched);
    if (isWatched) this.#follow();
  }

  /** What is to be there without being asked for: the newest page at first, and then what follows. */
  #follow(): void {
    if (this.#isLoaded) this.#goOn();
    else if (!this.#loading.has('around')) {
      this.#members.load();
      this.#settle(this.jumpToNewest());
    }
  }

  /** Whoever asked for what failed: it may have been in the way of what is to be there. */
  #followLater(): void {
    this.#failures += 1;
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#host.later(this.#failures, () => {
      this.#isWaiting = false;
      if (this.isWatched) this.#follow();
    });
  }

  #place(query: { readonly afterSeq?: number; readonly limit: number }, signal?: AbortSignal): Promise<void> {
    this.#generation += 1;
    this.#loading.clear();
    const isNewest = query.afterSeq === undefined;
    return this.#load('around', async (isCurrent) => {
      const page = await this.#host.reads.messages(this.id, query, signal);
      if (!isCurrent()) return;
      // Not before: until then the window is where it was, and follows as it did.
      this.#pagesBehind = 0;
      const first = page.items[0]?.seq ?? 0;
      const last = page.items.at(-1)?.seq ?? 0;
      const hasOlder = isNewest
        ? page.items.length >= query.limit && this.#isAboveStart(first)
        : this.#isAboveStart(first);
      this.#window.replace(page.items, hasOlder, !isNewest && last < page.headSeq);
      this.#isLoaded = true;
      if (isNewest) this.reach(this.#host.summary(this.id)?.headSeq ?? 0);
      if (this.#window.ahead.length > 0) this.#catchUp();
      this.#fetchAhead('older');
    });
  }

  #extend(end: End, signal: AbortSignal | undefined): Promise<void> {
    const { items, hasOlder, hasNewer } = this.#window;
    const running = this.#loading.get(end);
    if (running !== undefined) return running;
    if (!this.#isLoaded || items.length === 0 || !(end === 'older' ? hasOlder : hasNewer))
      return Promise.resolve();
    return this.#load(end, async (isCurrent) => {
      const page = await this.#pages.beyond(end, this.#edge(end), signal);
      if (!isCurrent()) return;
      const isFull = page.items.length >= this.#host.pageSize;
      if (end === 'older')
        this.#window.extend(end, page.items, isFull && this.#isAboveStart(page.items[0]?.seq ?? 0));
      else {
        this.#window.extend(end, page.items, (page.items.at(-1)?.seq ?? 0) < page.headSeq && isFull);
        this.#pagesBehind = Math.max(0, this.#pagesBehind - 1);
      }
      this.#fetchAhead(end);
    });
  }

  #load(what: End | 'around', work: (isCurrent: () => boolean) => Promise<void>): Promise<void> {
    const generation = this.#generation;
    const isCurrent = () => generation === this.#generation;
    const run = async () => {
      try {
        await work(isCurrent);
        this.#failure = null;
        this.#failures = 0;
        if (isCurrent()) this.#loading.delete(what);
        this.#goOn();
      } catch (error) {
        if (isCurrent()) {
          this.#failure = failureOf(error);
          this.#loading.delete(what);
        }
        // What was refused would be refused again.
        if (!isRefusal(error)) this.#followLater();
        throw error;
      } finally {
        this.changed();
      }
    };
    const promise = run();
    this.#loading.set(what, promise);
    this.changed();
    return promise;
  }

  #fetchAhead(end: End): void {
    if (!this.isWatched || !(end === 'older' ? this.#window.hasOlder : this.#window.hasNewer)) return;
    this.#pages.fetchAhead(end, this.#edge(end));
  }

  #edge(end: End): number {
    return end === 'older' ? (this.#window.firstSeq ?? 0) : this.#window.lastSeq;
  }

  /** The window was at the newest end, and is to stay there. */
  #catchUp(): void {
    this.#window.hasNewer = true;
    this.#pagesBehind = maxPagesBehind;
    this.#goOn();
  }

  #goOn(): void {
    if (!this.#window.hasNewer) this.#pagesBehind = 0;
    // What is loading now calls here when it has ended.
    if (this.#pagesBehind === 0 || this.#loading.size > 0) return;
    const isEmpty = this.#window.items.length === 0;
    this.#settle(isEmpty ? this.#place({ limit: this.#host.pageSize }) : this.#extend('newer', undefined));
  }

  #isAboveStart(seq: number): boolean {
    return seq > (this.#host.summary(this.id)?.joinedSeq ?? 0) + 1;
  }

  /** Begun by ourselves: a failure is in the snapshot, and it is tried again later. */
  #settle(work: Promise<void>): void {
    work.catch((error: unknown) => error);
  }

  #view(message: ChatMessage): ViewMessage {
    return this.#host.appearance.ofStored(
      message,
      this.#members.marks,
      this.#host.keyOf(this.id, message.seq),
    );
  }

  #snapshot(): ConversationSnapshot {
    const { hasOlder, hasNewer } = this.#window;
    const { appearance, accountId } = this.#host;
    const messages = arrange(this.#window, this.#host.unsent(this.id), accountId, {
      ofStored: (message) => this.#view(message),
      ofOutgoing: (message) => appearance.ofOutgoing(message),
    });
    return {
      conversation: this.#host.summary(this.id),
      messages,
      isLoaded: this.#isLoaded,
      hasOlder,
      hasNewer,
      isLoadingOlder: this.#loading.has('older'),
      isLoadingNewer: this.#loading.has('newer') || this.#loading.has('around'),
      members: this.#members.all,
      readSeq: this.#host.readSeq(this.id),
      failure: this.#failure,
    };
  }
}
