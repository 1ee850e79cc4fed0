import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { Membership } from '../../../ports/conversation-store/port.ts';
import type { MessageStore, StoredMessage } from '../../../ports/message-store/port.ts';
import { Feed, type FeedReader } from './feed.ts';

export interface FeedsDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly messages: Pick<MessageStore, 'heads'>;
}

/** How long a message that came early waits for the one before it. */
const patienceMs = 40;
const headsAtOnce = 1_000;
const maxStrays = 50_000;

/** The conversations in which devices of this node read, and how far each has been heard of. */
export class Feeds {
  readonly #deps: FeedsDeps;
  readonly #ending: AbortSignal;
  readonly #feeds = new Map<string, Feed>();
  /** Something is missing in them. */
  readonly #missing = new Set<Feed>();
  #timer: Disposable | undefined;
  /** Memberships are being read: what is heard meanwhile of conversations that nobody reads yet. */
  #joining = 0;
  readonly #strays = new Map<string, number>();
  #hasLostStrays = false;
  #comparing: Promise<void> | undefined;
  #compareAgain = false;
  #sweep: Iterator<string> | undefined;
  /** Feeds in which something was found that had not been heard of, since the start. */
  repaired = 0;

  constructor(deps: FeedsDeps, ending: AbortSignal) {
    this.#deps = deps;
    this.#ending = ending;
  }

  get size(): number {
    return this.#feeds.size;
  }

  get(conversationId: string): Feed | undefined {
    return this.#feeds.get(conversationId);
  }

  /** Messages of any conversations, those of each in its order. */
  accept(messages: readonly StoredMessage[]): void {
    if (messages.length === 1) {
      this.#acceptOf(messages[0]!.conversationId, messages);
      return;
    }
    const byConversation = new Map<string, StoredMessage[]>();
    for (const message of messages) {
      const own = byConversation.get(message.conversationId);
      if (!own) byConversation.set(message.conversationId, [message]);
      else if (message.seq === own[own.length - 1]!.seq + 1) own.push(message);
      else {
        // Not one after another: what there is of it first.
        this.#acceptOf(message.conversationId, own);
        byConversation.set(message.conversationId, [message]);
      }
    }
    for (const [id, own] of byConversation) this.#acceptOf(id, own);
  }

  #acceptOf(conversationId: string, messages: readonly StoredMessage[]): void {
    const feed = this.#feeds.get(conversationId);
    if (!feed) {
      if (this.#joining > 0) this.#stray(conversationId, messages[messages.length - 1]!.seq);
      return;
    }
    feed.accept(messages);
    if (feed.isMissing) this.#wait(feed);
    else if (feed.missingSinceMs > 0) {
      feed.missingSinceMs = 0;
      this.#missing.delete(feed);
    }
  }

  /** Calls `read` for memberships, and with what it answers `join`, in the same turn: nothing heard in between is lost. */
  async joining<T>(read: () => Promise<T>, join: (memberships: T) => void): Promise<void> {
    this.#joining += 1;
    try {
      join(await read());
    } finally {
      this.#joining -= 1;
      if (this.#joining === 0) {
        this.#strays.clear();
        this.#hasLostStrays = false;
      }
    }
  }

  /** Within `join`. */
  add(reader: FeedReader, { conversationId, headSeq }: Membership): Feed {
    let feed = this.#feeds.get(conversationId);
    if (!feed) {
      feed = new Feed(conversationId, headSeq);
      this.#feeds.set(conversationId, feed);
      if (this.#hasLostStrays) this.compareAll();
    }
    feed.add(reader);
    this.expect(feed, Math.max(headSeq, this.#strays.get(conversationId) ?? 0));
    return feed;
  }

  /** When a reader has left it. */
  release(feed: Feed): void {
    if (feed.readers.length > 0) return;
    this.#feeds.delete(feed.conversationId);
    this.#missing.delete(feed);
  }

  /** The conversation has come to this seq at least. */
  expect(feed: Feed, seq: number): void {
    if (seq > feed.head) feed.head = seq;
    if (feed.isMissing) this.#wait(feed);
  }

  /** Compares every feed with its head in the store; again, when it is asked for while it goes on. */
  compareAll(): void {
    this.#compareAgain = true;
    this.#comparing ??= this.#compareUntilDone();
  }

  /** Compares the next so many feeds, round and round. */
  async sweep(count: number): Promise<void> {
    const ids: string[] = [];
    while (ids.length < Math.min(count, this.#feeds.size)) {
      this.#sweep ??= this.#feeds.keys();
      const next = this.#sweep.next();
      if (next.done) {
        this.#sweep = undefined;
        break;
      }
      ids.push(next.value);
    }
    await this.#compare(ids);
  }

  async compare(conversationIds: readonly string[]): Promise<void> {
    await this.#compare(conversationIds.filter((id) => this.#feeds.has(id)));
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  async #compareUntilDone(): Promise<void> {
    const { clock, log } = this.#deps;
    while (this.#compareAgain && !this.#ending.aborted) {
      this.#compareAgain = false;
      try {
        await this.#compare([...this.#feeds.keys()]);
      } catch (error) {
        if (this.#ending.aborted) break;
        log.warn({ err: error }, 'heads were not read, and are asked for again');
        this.#compareAgain = true;
        await clock.sleep(500, { signal: this.#ending }).catch(() => undefined);
      }
    }
    this.#comparing = undefined;
  }

  async #compare(ids: readonly string[]): Promise<void> {
    for (let from = 0; from < ids.length; from += headsAtOnce) {
      const some = ids.slice(from, from + headsAtOnce);
      const heads = await this.#deps.messages.heads(some, { signal: this.#ending });
      for (const [id, head] of heads) {
        const feed = this.#feeds.get(id);
        if (feed && head > feed.position) this.expect(feed, head);
      }
    }
  }

  #stray(conversationId: string, seq: number): void {
    if (this.#strays.size >= maxStrays) {
      this.#strays.clear();
      this.#hasLostStrays = true;
    }
    if ((this.#strays.get(conversationId) ?? 0) < seq) this.#strays.set(conversationId, seq);
  }

  #wait(feed: Feed): void {
    if (feed.missingSinceMs === 0) feed.missingSinceMs = Math.max(1, this.#deps.clock.monotonicMs());
    this.#missing.add(feed);
    this.#timer ??= this.#deps.clock.after(patienceMs, () => this.#giveUp());
  }

  /** What has been missing for long is read from the store. */
  #giveUp(): void {
    this.#timer = undefined;
    const beforeMs = this.#deps.clock.monotonicMs() - patienceMs + 1;
    for (const feed of this.#missing) {
      if (feed.missingSinceMs > beforeMs) continue;
      this.#missing.delete(feed);
      feed.missingSinceMs = 0;
      this.repaired += 1;
      feed.passBy(feed.head);
    }
    if (this.#missing.size > 0) this.#timer = this.#deps.clock.after(patienceMs, () => this.#giveUp());
  }
}
