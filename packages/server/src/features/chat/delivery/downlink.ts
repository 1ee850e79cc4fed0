import type { Device } from '../../../ports/device-store/port.ts';
import type { Cursor } from './cursor.ts';
import type { Feed, FeedReader } from './feed.ts';
import { Ledger, type LedgerDeps } from './ledger.ts';
import type { Puller } from './puller.ts';
import { Notice, type Run } from './shared.ts';
import { AFTER_GAP, type DownlinkListener, GAP_ABOVE, MAX_UNACKNOWLEDGED } from './types.ts';

export interface DownlinkDeps extends LedgerDeps {
  readonly puller: Puller;
  /** It has something to be told of or pulled later: called again and again. */
  readonly behind: Set<Downlink>;
}

const pullsAtOnce = 8;
const headsAtOnce = 100;
const noFeeds: Feed[] = [];

/** What one device is being given of the feeds that it reads, and when: as it passes by, or from the store when there is room. */
export class Downlink extends Ledger implements FeedReader {
  protected readonly deps: DownlinkDeps;
  feeds: Feed[] = noFeeds;
  /** Nothing is delivered until it is open: what passes by meanwhile is pulled. */
  isOpen = false;
  isDetached = false;
  #isPaused = false;
  #pulls = 0;

  constructor(device: Device, listener: DownlinkListener, deps: DownlinkDeps) {
    super(device, listener);
    this.deps = deps;
  }

  protected get takesAny(): boolean {
    return this.isOpen && !this.#isPaused;
  }

  get isBehind(): boolean {
    return this.cursors?.all.some((cursor) => cursor.isBehind) ?? false;
  }

  deliver(feed: Feed, run: Run): void {
    const cursor = this.cursorOf(feed.conversationId);
    const { firstSeq, lastSeq } = run;
    if (cursor && cursor.sent >= lastSeq) return;
    const isInTurn = cursor === undefined || cursor.sent >= firstSeq - 1;
    if (!isInTurn || !this.mayDeliver(run.messages.length)) {
      // What it has no room for, or is pulling already, is pulled.
      if (!cursor) this.add(feed, firstSeq - 1);
      this.deps.behind.add(this);
      return;
    }
    const part = cursor ? run.between(cursor.sent + 1, lastSeq) : run;
    if (part) this.give(feed, cursor, part);
  }

  passedBy(feed: Feed, seq: number): void {
    if (!this.cursorOf(feed.conversationId)) this.add(feed, seq);
    this.pump();
  }

  /** Everything after `cursorSeq` is to come, and nothing before it; known before anything is delivered of the feed. */
  begin(feed: Feed, cursorSeq: number): void {
    let cursor = this.cursorOf(feed.conversationId);
    if (!cursor) {
      if (cursorSeq === feed.position) return;
      cursor = this.add(feed, cursorSeq);
    }
    cursor.sent = cursorSeq;
    const missing = feed.position - cursor.sent;
    if (missing <= GAP_ABOVE) return;
    this.declareGap(cursor, feed.position - AFTER_GAP);
  }

  /** Gives what is missing, as much of it as there is room for. */
  pump(): void {
    const cursors = this.cursors;
    if (!cursors || !this.isOpen || this.isDetached) return;
    if (this.#isPaused || this.isFull) {
      if (this.isBehind) this.deps.behind.add(this);
      return;
    }
    for (const cursor of cursors.all) {
      if (this.#pulls >= pullsAtOnce) break;
      if (cursor.isPulling || !cursor.isBehind) continue;
      cursor.isPulling = true;
      this.#pulls += 1;
      this.deps.behind.add(this);
      this.deps.puller.pull(cursor.feed.conversationId, cursor.sent, (run) => this.#pulled(cursor, run));
    }
  }

  /** What the store no longer has, because its sender’s account is gone, is declared as a gap. */
  #pulled(cursor: Cursor, run: Run | undefined): void {
    const { feed } = cursor;
    cursor.isPulling = false;
    this.#pulls -= 1;
    if (this.isDetached || this.cursorOf(feed.conversationId) !== cursor) return;
    if (this.mayDeliver(2)) {
      const missingTo = Math.min((run?.firstSeq ?? Number.MAX_SAFE_INTEGER) - 1, feed.position);
      if (missingTo > cursor.sent) this.declareGap(cursor, missingTo);
      const first = cursor.sent + 1;
      const room = MAX_UNACKNOWLEDGED - this.outstanding;
      const part = run?.between(first, Math.min(run.lastSeq, feed.position, first + room - 1));
      if (part) this.give(feed, cursor, part);
      this.drop(cursor);
    }
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
    if (this.isFull && !this.#isPaused) {
      let told = 0;
      for (const cursor of this.cursors!.all) {
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
    const cursor = this.cursorOf(feed.conversationId);
    if (!cursor) return;
    this.release(cursor);
  }

  /** Answers the feeds that it was in. What is not acknowledged comes again. */
  close(): readonly Feed[] {
    const { feeds } = this;
    for (const feed of feeds) feed.remove(this);
    this.feeds = noFeeds;
    this.isOpen = false;
    this.forgetAll();
    this.deps.behind.delete(this);
    return feeds;
  }
}
