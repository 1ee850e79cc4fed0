import type { Device } from '../../../ports/device-store/port.ts';
import type { StoredMessage } from '../../../ports/message-store/port.ts';
import { Run } from './shared.ts';

/** A device that reads a feed. */
export interface FeedReader {
  readonly device: Device;
  /** What follows the feed's position of before. */
  deliver(feed: Feed, run: Run): void;
  /** Messages after `seq` passed by; they are read from the store. */
  passedBy(feed: Feed, seq: number): void;
}

/** Messages that came before their predecessors. Beyond that, they are read from the store. */
const maxHeld = 100;

/**
 * One conversation, as this node hears of it for the devices that it holds. Everything up to `position` has been given to
 * them, or they have been told that it passed by. What comes early waits a moment for what is missing, since nodes commit side by
 * side and are heard in any order.
 */
export class Feed {
  readonly conversationId: string;
  readonly readers: FeedReader[] = [];
  position: number;
  /** Known to be there, perhaps not heard of. */
  head: number;
  /** Since when something is missing; 0: nothing. */
  missingSinceMs = 0;
  #held: Map<number, StoredMessage> | undefined = undefined;

  constructor(conversationId: string, position: number) {
    this.conversationId = conversationId;
    this.position = position;
    this.head = position;
  }

  get isMissing(): boolean {
    return this.position < this.head;
  }

  /** One message after another, in their order. */
  accept(messages: readonly StoredMessage[]): void {
    const first = messages[0]!.seq;
    const last = messages[messages.length - 1]!.seq;
    if (last <= this.position) return;
    if (last > this.head) this.head = last;
    if (first === this.position + 1) this.#release(messages);
    else if (first > this.position) this.#hold(messages);
    else this.#release(messages.slice(this.position + 1 - first));
    if (this.#held) this.#releaseHeld();
  }

  /** Gives up waiting for what is missing. */
  passBy(head: number): void {
    const before = this.position;
    this.#held = undefined;
    if (head > this.head) this.head = head;
    if (this.head === before) return;
    this.position = this.head;
    for (const reader of this.readers) reader.passedBy(this, before);
  }

  add(reader: FeedReader): void {
    this.readers.push(reader);
  }

  remove(reader: FeedReader): void {
    const at = this.readers.indexOf(reader);
    const last = this.readers.pop();
    if (at < 0 && last) this.readers.push(last);
    else if (last && at < this.readers.length) this.readers[at] = last;
  }

  #release(messages: readonly StoredMessage[]): void {
    const run = new Run(messages);
    this.position = run.lastSeq;
    // Whoever is told may leave: from the end, so that each is told once.
    for (let at = this.readers.length - 1; at >= 0; at -= 1) this.readers[at]?.deliver(this, run);
  }

  #hold(messages: readonly StoredMessage[]): void {
    this.#held ??= new Map();
    for (const message of messages) if (this.#held.size < maxHeld) this.#held.set(message.seq, message);
  }

  #releaseHeld(): void {
    const held = this.#held!;
    const messages: StoredMessage[] = [];
    for (let next = this.position + 1; ; next += 1) {
      const message = held.get(next);
      if (!message) break;
      messages.push(message);
    }
    if (messages.length > 0) this.#release(messages);
    for (const seq of held.keys()) if (seq <= this.position) held.delete(seq);
    if (held.size === 0) this.#held = undefined;
  }
}
