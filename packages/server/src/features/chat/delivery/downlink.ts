import type { Device } from '../../../ports/device-store/port.ts';
import { Cursor } from './cursor.ts';
import type { Feed, FeedReader } from './feed.ts';
import type { Puller } from './puller.ts';
import { Notice, type Run } from './shared.ts';
import {
  type AckMode,
  AFTER_GAP,
  type Checkpoints,
  type DownlinkListener,
  GAP_ABOVE,
  MAX_UNACKNOWLEDGED,
} from './types.ts';

export interface DownlinkDeps {
  readonly checkpoints: Checkpoints;
  readonly puller: Puller;
  /** It has something to be told of or pulled later: called again and again. */
  readonly behind: Set<Downlink>;
  /** The messages of the conversation say that the account is no member any more. */
  readonly departed: (downlink: Downlink, conversationId: string) => void;
  readonly stats: { deliveries: number; gaps: number };
}

const pullsAtOnce = 8;
const headsAtOnce = 100;
/** With so many a cursor is looked up, and not looked for. */
const manyCursors = 16;
const noFeeds: Feed[] = [];

/**
 * What one device is being given. While nothing waits for it, it knows of no conversation how far it is: it is as far as their
 * feeds, and a cursor is kept only where that is not so.
 */
export class Downlink implements FeedReader {
  readonly device: Device;
  readonly listener: DownlinkListener;
  readonly #deps: DownlinkDeps;
  mode: AckMode = 'client';
  feeds: Feed[] = noFeeds;
  /** Nothing is delivered until it is open: what passes by meanwhile is pulled. */
  isOpen = false;
  isDetached = false;
  #isPaused = false;
  #isFull = false;
  #nextId = 1;
  #outstanding = 0;
  #pulls = 0;
  #cursors: Cursor[] | undefined = undefined;
  #byConversation: Map<string, Cursor> | undefined = undefined;

  constructor(device: Device, listener: DownlinkListener, deps: DownlinkDeps) {
    this.device = device;
    this.listener = listener;
    this.#deps = deps;
  }

  get unacknowledged(): number {
    return this.#outstanding;
  }

  get isBehind(): boolean {
    return this.#cursors?.some((cursor) => cursor.isBehind) ?? false;
  }

  deliver(feed: Feed, run: Run): void {
    const cursor = this.#cursorOf(feed.conversationId);
    const { firstSeq, lastSeq } = run;
    if (cursor && cursor.sent >= lastSeq) return;
    const isInTurn = cursor === undefined || cursor.sent >= firstSeq - 1;
    if (!isInTurn || !this.#mayDeliver(run.messages.length)) {
      // What it has no room for, or is pulling already, is pulled.
      if (!cursor) this.#add(feed, firstSeq - 1);
      this.#deps.behind.add(this);
      return;
    }
    const part = cursor ? run.between(cursor.sent + 1, lastSeq) : run;
    if (part) this.#give(feed, cursor, part);
  }

  passedBy(feed: Feed, seq: number): void {
    if (!this.#cursorOf(feed.conversationId)) this.#add(feed, seq);
    this.pump();
  }

  /** Everything after `cursorSeq` is to come, and nothing before it; known before anything is delivered of the feed. */
  begin(feed: Feed, cursorSeq: number): void {
    let cursor = this.#cursorOf(feed.conversationId);
    if (!cursor) {
      if (cursorSeq === feed.position) return;
      cursor = this.#add(feed, cursorSeq);
    }
    cursor.sent = cursorSeq;
    const missing = feed.position - cursor.sent;
    if (missing <= GAP_ABOVE) return;
    this.#declare(cursor, feed.position - AFTER_GAP);
  }

  /** Gives what is missing, as much of it as there is room for. */
  pump(): void {
    const cursors = this.#cursors;
    if (!cursors || !this.isOpen || this.isDetached) return;
    if (this.#isPaused || this.#isFull) {
      if (this.isBehind) this.#deps.behind.add(this);
      return;
    }
    for (const cursor of cursors) {
      if (this.#pulls >= pullsAtOnce) break;
      if (cursor.isPulling || !cursor.isBehind) continue;
      cursor.isPulling = true;
      this.#pulls += 1;
      this.#deps.behind.add(this);
      this.#deps.puller.pull(cursor.feed.conversationId, cursor.sent, (run) => this.#pulled(cursor, run));
    }
  }

  /** What the store no longer has, because its sender’s account is gone, is declared as a gap. */
  #pulled(cursor: Cursor, run: Run | undefined): void {
    const { feed } = cursor;
    cursor.isPulling = false;
    this.#pulls -= 1;
    if (this.isDetached || this.#cursorOf(feed.conversationId) !== cursor) return;
    if (this.#mayDeliver(2)) {
      const missingTo = Math.min((run?.firstSeq ?? Number.MAX_SAFE_INTEGER) - 1, feed.position);
      if (missingTo > cursor.sent) this.#declare(cursor, missingTo);
      const first = cursor.sent + 1;
      const room = MAX_UNACKNOWLEDGED - this.#outstanding;
      const part = run?.between(first, Math.min(run.lastSeq, feed.position, first + room - 1));
      if (part) this.#give(feed, cursor, part);
      this.#drop(cursor);
    }
    this.pump();
  }

  #declare(cursor: Cursor, toSeq: number): void {
    const fromSeq = cursor.sent + 1;
    this.#deps.stats.gaps += 1;
    cursor.push(fromSeq, toSeq - fromSeq + 1, this.#nextId, true);
    this.#nextId += 1;
    this.#outstanding += 1;
    if (this.mode === 'auto') this.#settle(cursor);
    this.listener.gap(cursor.feed.conversationId, fromSeq, toSeq);
  }

  #mayDeliver(count: number): boolean {
    if (!this.isOpen || this.#isPaused || this.#isFull) return false;
    if (this.mode === 'auto' || this.#outstanding + count <= MAX_UNACKNOWLEDGED) return true;
    this.#isFull = true;
    return false;
  }

  #give(feed: Feed, known: Cursor | undefined, run: Run): void {
    const { device, listener } = this;
    const departureSeq = run.departureOf(device.accountId);
    if (departureSeq !== undefined) {
      // Whatever was heard of it otherwise: the order of the messages is the same on every node.
      const before = run.between(run.firstSeq, departureSeq - 1);
      if (before) this.#give(feed, known, before);
      this.#deps.departed(this, feed.conversationId);
      return;
    }
    if (!run.isPartlyFrom(device.id)) {
      if (this.mode === 'auto') {
        this.#handOver(feed, known, run);
        return;
      }
      const cursor = known ?? this.#add(feed, run.firstSeq - 1);
      this.#push(cursor, run);
      listener.messages(run);
      return;
    }
    // The device’s own messages have arrived by being sent.
    let cursor = known;
    for (const part of run.without(device.id)) {
      cursor ??= this.#add(feed, run.firstSeq - 1);
      this.#push(cursor, part);
      listener.messages(part);
    }
    if (!cursor) {
      this.#deps.checkpoints.note(device, feed.conversationId, run.lastSeq);
      return;
    }
    cursor.sent = run.lastSeq;
    if (this.mode === 'auto' || cursor.isEmpty) this.#settle(cursor);
  }

  #push(cursor: Cursor, run: Run): void {
    const count = run.messages.length;
    cursor.push(run.firstSeq, count, this.#nextId, false);
    this.#nextId += count;
    this.#outstanding += count;
    this.#deps.stats.deliveries += count;
  }

  /** Arrived by being handed to the socket. */
  #handOver(feed: Feed, cursor: Cursor | undefined, run: Run): void {
    if (cursor) cursor.sent = run.lastSeq;
    this.#deps.stats.deliveries += run.messages.length;
    this.listener.messages(run);
    this.#deps.checkpoints.note(this.device, feed.conversationId, run.lastSeq);
    if (cursor) this.#drop(cursor);
  }

  /** Nothing that was delivered in it waits any more. */
  #settle(cursor: Cursor): void {
    this.#outstanding -= cursor.acknowledgeUpTo(this.#nextId);
    this.#deps.checkpoints.note(this.device, cursor.feed.conversationId, cursor.acknowledged);
    this.#drop(cursor);
  }

  acknowledge(conversationId: string, seq: number): void {
    const named = this.#cursorOf(conversationId);
    if (!named) return;
    if (this.mode === 'client-individual') {
      const before = named.acknowledged;
      this.#outstanding -= named.acknowledgeOne(seq);
      if (named.acknowledged > before)
        this.#deps.checkpoints.note(this.device, conversationId, named.acknowledged);
      this.#drop(named);
    } else {
      const id = named.idOf(seq);
      if (id < 0) return;
      const cursors = this.#cursors!;
      for (let at = cursors.length - 1; at >= 0; at -= 1) {
        const cursor = cursors[at]!;
        const count = cursor.acknowledgeUpTo(id);
        if (count === 0) continue;
        this.#outstanding -= count;
        this.#deps.checkpoints.note(this.device, cursor.feed.conversationId, cursor.acknowledged);
        this.#drop(cursor);
      }
    }
    if (!this.#isFull || this.#outstanding > MAX_UNACKNOWLEDGED / 2) return;
    this.#isFull = false;
    this.pump();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.pump();
  }

  /** Called now and then while it is behind: tells the heads that it has not been told, and pulls. Answers whether it still is. */
  remind(): boolean {
    if (this.isDetached || !this.isBehind) return false;
    if (this.#isFull && !this.#isPaused) {
      let told = 0;
      for (const cursor of this.#cursors!) {
        const { conversationId, position: seq } = cursor.feed;
        if (!cursor.isBehind || cursor.toldHead === seq) continue;
        if (told === headsAtOnce) break;
        told += 1;
        cursor.toldHead = seq;
        this.listener.notice(new Notice({ kind: 'head', conversationId, seq }));
      }
    }
    this.pump();
    return true;
  }

  leave(feed: Feed): void {
    feed.remove(this);
    this.feeds = this.feeds.filter((each) => each !== feed);
    const cursor = this.#cursorOf(feed.conversationId);
    if (!cursor) return;
    this.#outstanding -= cursor.acknowledgeUpTo(this.#nextId);
    this.#forget(cursor);
  }

  /** Answers the feeds that it was in. What is not acknowledged comes again. */
  close(): readonly Feed[] {
    const { feeds } = this;
    for (const feed of feeds) feed.remove(this);
    this.feeds = noFeeds;
    this.isOpen = false;
    this.#isFull = false;
    this.#outstanding = 0;
    this.#cursors = undefined;
    this.#byConversation = undefined;
    this.#deps.behind.delete(this);
    return feeds;
  }

  #cursorOf(conversationId: string): Cursor | undefined {
    if (this.#byConversation) return this.#byConversation.get(conversationId);
    const cursors = this.#cursors;
    if (!cursors) return undefined;
    for (const cursor of cursors) if (cursor.feed.conversationId === conversationId) return cursor;
    return undefined;
  }

  #add(feed: Feed, sent: number): Cursor {
    const cursor = new Cursor(feed, sent);
    this.#cursors ??= [];
    this.#cursors.push(cursor);
    if (this.#byConversation) this.#byConversation.set(feed.conversationId, cursor);
    else if (this.#cursors.length === manyCursors)
      this.#byConversation = new Map(this.#cursors.map((each) => [each.feed.conversationId, each]));
    return cursor;
  }

  /** A cursor that says what its feed says is not kept. */
  #drop(cursor: Cursor): void {
    // One that is ahead is: what the feed comes to hear of late is from before the account came, or has arrived.
    const isAsFeed = cursor.sent === cursor.feed.position;
    if (cursor.isEmpty && isAsFeed && !cursor.isPulling) this.#forget(cursor);
  }

  #forget(cursor: Cursor): void {
    const cursors = this.#cursors;
    const at = cursors?.indexOf(cursor) ?? -1;
    if (!cursors || at < 0) return;
    const last = cursors.pop()!;
    if (last !== cursor) cursors[at] = last;
    this.#byConversation?.delete(cursor.feed.conversationId);
    if (cursors.length > 0) return;
    this.#cursors = undefined;
    this.#byConversation = undefined;
  }
}
