import type { Feed } from './feed.ts';

/** Numbers of one segment: first seq, seqs, id of its first delivery, and 1 when all of it is one delivery (a gap). */
const STRIDE = 4;

/**
 * How far one device is in one conversation, while there is anything to be known of it: something that is not acknowledged,
 * or not delivered. Deliveries with numbers that follow each other are kept as one segment.
 *
 * An id is the place of a delivery among all of its device: a cumulative acknowledgement covers every smaller one.
 */
export class Cursor {
  readonly feed: Feed;
  /** Up to here everything was delivered, or is the device’s own. */
  sent: number;
  /** The head that the device was told of while it was behind. */
  toldHead = 0;
  isPulling = false;
  #segments: number[] | undefined = undefined;
  /** Where the first segment that is not acknowledged begins. */
  #at = 0;
  /** Acknowledged one by one, behind something that is not. */
  #ahead: Set<number> | undefined = undefined;

  constructor(feed: Feed, sent: number) {
    this.feed = feed;
    this.sent = sent;
  }

  get isBehind(): boolean {
    return this.sent < this.feed.position;
  }

  get isEmpty(): boolean {
    return this.#segments === undefined;
  }

  /** Everything up to here has arrived. */
  get acknowledged(): number {
    return this.#segments === undefined ? this.sent : this.#segments[this.#at]! - 1;
  }

  /** `count` messages from `seq` on were delivered as `id` and those that follow it. */
  push(seq: number, count: number, id: number, isGap: boolean): void {
    const segments = this.#segments ?? [];
    this.#segments = segments;
    this.sent = seq + count - 1;
    const last = segments.length - STRIDE;
    if (last >= this.#at && !isGap && segments[last + 3] === 0) {
      const follows = segments[last]! + segments[last + 1]! === seq;
      if (follows && segments[last + 2]! + segments[last + 1]! === id) {
        segments[last + 1]! += count;
        return;
      }
    }
    segments.push(seq, count, id, isGap ? 1 : 0);
  }

  /** The id of the delivery that ends with this message; -1 when it waits for no acknowledgement. */
  idOf(seq: number): number {
    const segments = this.#segments;
    if (segments === undefined) return -1;
    for (let at = this.#at; at < segments.length; at += STRIDE) {
      const offset = seq - segments[at]!;
      const count = segments[at + 1]!;
      if (offset < 0 || offset >= count) continue;
      if (segments[at + 3] === 1) return offset === count - 1 ? segments[at + 2]! : -1;
      return segments[at + 2]! + offset;
    }
    return -1;
  }

  /** Everything delivered up to this id has arrived; answers how many deliveries that were. */
  acknowledgeUpTo(id: number): number {
    const segments = this.#segments;
    if (segments === undefined) return 0;
    let acknowledged = 0;
    while (this.#at < segments.length && segments[this.#at + 2]! <= id) {
      const at = this.#at;
      const isGap = segments[at + 3] === 1;
      const count = isGap ? segments[at + 1]! : Math.min(segments[at + 1]!, id - segments[at + 2]! + 1);
      acknowledged += isGap
        ? this.#without(segments[at]! + count - 1, 1)
        : this.#without(segments[at]!, count);
      if (count < segments[at + 1]!) {
        segments[at]! += count;
        segments[at + 1]! -= count;
        segments[at + 2]! += count;
        break;
      }
      this.#at += STRIDE;
    }
    this.#shrink();
    return acknowledged;
  }

  /** This one delivery has arrived; answers 1, or 0 when it is not known or was acknowledged before. */
  acknowledgeOne(seq: number): number {
    if (this.idOf(seq) < 0 || this.#ahead?.has(seq)) return 0;
    this.#ahead ??= new Set();
    this.#ahead.add(seq);
    this.#advance();
    return 1;
  }

  /** Takes from the front what was acknowledged one by one. */
  #advance(): void {
    const segments = this.#segments!;
    const ahead = this.#ahead!;
    while (this.#at < segments.length) {
      const at = this.#at;
      const isGap = segments[at + 3] === 1;
      const seq = isGap ? segments[at]! + segments[at + 1]! - 1 : segments[at]!;
      if (!ahead.delete(seq)) break;
      if (isGap || segments[at + 1] === 1) this.#at += STRIDE;
      else {
        segments[at]! += 1;
        segments[at + 1]! -= 1;
        segments[at + 2]! += 1;
      }
    }
    if (ahead.size === 0) this.#ahead = undefined;
    this.#shrink();
  }

  /** How many of these messages were not acknowledged one by one before. */
  #without(seq: number, count: number): number {
    if (this.#ahead === undefined) return count;
    let left = count;
    for (let at = seq; at < seq + count; at += 1) if (this.#ahead.delete(at)) left -= 1;
    return left;
  }

  #shrink(): void {
    const segments = this.#segments!;
    if (this.#at === segments.length) {
      this.#segments = undefined;
      this.#at = 0;
    } else if (this.#at >= 64 * STRIDE) {
      segments.splice(0, this.#at);
      this.#at = 0;
    }
  }
}
