import type { Device } from '../../../ports/device-store/port.ts';
import type { Cursor } from './cursor.ts';
import { Cursors } from './cursors.ts';
import type { Feed } from './feed.ts';
import type { Run } from './shared.ts';
import { type AckMode, type Checkpoints, type DownlinkListener, MAX_UNACKNOWLEDGED } from './types.ts';

export interface LedgerDeps {
  readonly checkpoints: Checkpoints;
  /** The messages of the conversation say that the account is no member any more. */
  readonly departed: (device: Device, conversationId: string) => void;
  readonly stats: { deliveries: number; gaps: number };
}

/**
 * What one device was given, and what of it is acknowledged. While nothing waits for it, it knows of no conversation how far it is:
 * it is as far as their feeds, and a cursor is kept only where that is not so.
 */
export abstract class Ledger {
  readonly device: Device;
  readonly listener: DownlinkListener;
  mode: AckMode = 'client';
  protected abstract readonly deps: LedgerDeps;
  /** Too much waits for its acknowledgement: nothing is given until half of it has come. */
  protected isFull = false;
  protected outstanding = 0;
  /** Undefined while there are none, as with most. */
  protected cursors: Cursors | undefined = undefined;
  #nextId = 1;

  constructor(device: Device, listener: DownlinkListener) {
    this.device = device;
    this.listener = listener;
  }

  /** Whether it may be given anything at all. */
  protected abstract readonly takesAny: boolean;
  /** Gives what is missing, as much of it as there is room for. */
  abstract pump(): void;

  get unacknowledged(): number {
    return this.outstanding;
  }

  /** Not given, because there is too much of it or the store has it no more: it counts as one delivery. */
  protected declareGap(cursor: Cursor, toSeq: number): void {
    const fromSeq = cursor.sent + 1;
    this.deps.stats.gaps += 1;
    cursor.push(fromSeq, toSeq - fromSeq + 1, this.#nextId, true);
    this.#nextId += 1;
    this.outstanding += 1;
    if (this.mode === 'auto') this.#settle(cursor);
    this.listener.gap(cursor.feed.conversationId, fromSeq, toSeq);
  }

  protected mayDeliver(count: number): boolean {
    if (!this.takesAny || this.isFull) return false;
    if (this.mode === 'auto' || this.outstanding + count <= MAX_UNACKNOWLEDGED) return true;
    this.isFull = true;
    return false;
  }

  protected give(feed: Feed, known: Cursor | undefined, run: Run): void {
    const { device, listener } = this;
    const departureSeq = run.departureOf(device.accountId);
    if (departureSeq !== undefined) {
      // Whatever was heard of it otherwise: the order of the messages is the same on every node.
      const before = run.between(run.firstSeq, departureSeq - 1);
      if (before) this.give(feed, known, before);
      this.deps.departed(device, feed.conversationId);
      return;
    }
    if (!run.isPartlyFrom(device.id)) {
      if (this.mode === 'auto') {
        this.#handOver(feed, known, run);
        return;
      }
      const cursor = known ?? this.add(feed, run.firstSeq - 1);
      this.#push(cursor, run);
      listener.messages(run);
      return;
    }
    // The device’s own messages have arrived by being sent.
    let cursor = known;
    for (const part of run.without(device.id)) {
      cursor ??= this.add(feed, run.firstSeq - 1);
      this.#push(cursor, part);
      listener.messages(part);
    }
    if (!cursor) {
      this.deps.checkpoints.note(device, feed.conversationId, run.lastSeq);
      return;
    }
    cursor.sent = run.lastSeq;
    if (this.mode === 'auto' || cursor.isEmpty) this.#settle(cursor);
  }

  #push(cursor: Cursor, run: Run): void {
    const count = run.messages.length;
    cursor.push(run.firstSeq, count, this.#nextId, false);
    this.#nextId += count;
    this.outstanding += count;
    this.deps.stats.deliveries += count;
  }

  /** Arrived by being handed to the socket. */
  #handOver(feed: Feed, cursor: Cursor | undefined, run: Run): void {
    if (cursor) cursor.sent = run.lastSeq;
    this.deps.stats.deliveries += run.messages.length;
    this.listener.messages(run);
    this.deps.checkpoints.note(this.device, feed.conversationId, run.lastSeq);
    if (cursor) this.drop(cursor);
  }

  /** Nothing that was delivered in it waits any more. */
  #settle(cursor: Cursor): void {
    this.outstanding -= cursor.acknowledgeUpTo(this.#nextId);
    this.deps.checkpoints.note(this.device, cursor.feed.conversationId, cursor.acknowledged);
    this.drop(cursor);
  }

  acknowledge(conversationId: string, seq: number): void {
    const named = this.cursorOf(conversationId);
    if (!named) return;
    if (this.mode === 'client-individual') {
      const before = named.acknowledged;
      this.outstanding -= named.acknowledgeOne(seq);
      if (named.acknowledged > before)
        this.deps.checkpoints.note(this.device, conversationId, named.acknowledged);
      this.drop(named);
    } else {
      const id = named.idOf(seq);
      if (id < 0) return;
      const cursors = this.cursors!.all;
      for (let at = cursors.length - 1; at >= 0; at -= 1) {
        const cursor = cursors[at]!;
        const count = cursor.acknowledgeUpTo(id);
        if (count === 0) continue;
        this.outstanding -= count;
        this.deps.checkpoints.note(this.device, cursor.feed.conversationId, cursor.acknowledged);
        this.drop(cursor);
      }
    }
    if (!this.isFull || this.outstanding > MAX_UNACKNOWLEDGED / 2) return;
    this.isFull = false;
    this.pump();
  }

  protected cursorOf(conversationId: string): Cursor | undefined {
    return this.cursors?.of(conversationId);
  }

  protected add(feed: Feed, sent: number): Cursor {
    this.cursors ??= new Cursors();
    return this.cursors.add(feed, sent);
  }

  /** A cursor that says what its feed says is not kept. */
  protected drop(cursor: Cursor): void {
    // One that is ahead is: what the feed comes to hear of late is from before the account came, or has arrived.
    const isAsFeed = cursor.sent === cursor.feed.position;
    if (cursor.isEmpty && isAsFeed && !cursor.isPulling) this.forget(cursor);
  }

  protected forget(cursor: Cursor): void {
    this.cursors?.remove(cursor);
    if (this.cursors?.all.length === 0) this.cursors = undefined;
  }

  /** Nothing of it is waited for any more. */
  protected release(cursor: Cursor): void {
    this.outstanding -= cursor.acknowledgeUpTo(this.#nextId);
    this.forget(cursor);
  }

  /** What is not acknowledged comes again. */
  protected forgetAll(): void {
    this.isFull = false;
    this.outstanding = 0;
    this.cursors = undefined;
  }
}
