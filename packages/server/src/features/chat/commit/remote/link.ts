import type { Clock } from '../../../../kernel/clock.ts';
import type { Random } from '../../../../kernel/random.ts';
import type { Bus } from '../../../../ports/bus/port.ts';
import { MAX_SENDS } from '../../../../ports/message-store/port.ts';
import type { PreparedSend } from '../prepare.ts';
import type { SendListener } from '../types.ts';
import { type Answers, encode, type Missed, ROOM_BYTES, type Sends, sendsTopic, sizeOf } from './wire.ts';

/** A send that another process has to commit. */
export interface Forwarded {
  readonly id: number;
  readonly send: PreparedSend;
  readonly listener: SendListener;
  readonly bytes: number;
  readonly untilMs: number;
  /** Where it is; undefined: no owner is known. */
  link: Link | undefined;
  /** Since when no owner is known for it. */
  homelessMs: number;
  /** It may have been stored. */
  wasSent: boolean;
  /** It was sent more than once: when one of them is answered, another may be on its way. */
  wasRepeated: boolean;
  /** In which message over this link it went; 0: in none yet. */
  series: number;
  number: number;
}

export interface LinkDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly bus: Bus;
  readonly nodeName: string;
  /** Grows with each call. */
  readonly nextSeries: () => number;
  readonly failed: (error: unknown) => void;
}

const firstPatienceMs = 500;
const maxPatienceMs = 4_000;
const pauseMs = 100;

/**
 * The way to one owner. What is added while a message of the bus is on its way makes the next one. When something may be lost,
 * a new series begins with everything unanswered, in its order: an owner knows what it has under way, and chains find what is
 * stored. A send without a number is given again only when it is certain that the owner never looked at it.
 */
export class Link {
  readonly owner: string;
  /** Not answered, in the order in which the owner has to see them. */
  readonly forwarded = new Map<number, Forwarded>();
  readonly #deps: LinkDeps;
  #series: number;
  #number = 0;
  #queue: Forwarded[] = [];
  /** The owner is to say something, also when there is nothing to be sent: the numbers show what one of the two did not get. */
  #isAsking = false;
  /** It was asked, and nothing was heard of it since. */
  #wasAsked = false;
  #isSending = false;
  /** Nothing is sent until then, and then all again. */
  #pausedUntilMs: number | undefined;
  #lastMs: number;
  #patienceMs = firstPatienceMs;
  /** The last answers that were heard, of this life of the other end. */
  #life = 0;
  #heard = 0;
  #isClosed = false;

  constructor(owner: string, deps: LinkDeps) {
    this.owner = owner;
    this.#deps = deps;
    this.#series = deps.nextSeries();
    this.#lastMs = deps.clock.monotonicMs();
  }

  add(forwarded: Forwarded): void {
    forwarded.link = this;
    forwarded.series = 0;
    this.forwarded.set(forwarded.id, forwarded);
    this.#queue.push(forwarded);
    this.#start();
  }

  /** False: it was heard before, as a bus may repeat itself. */
  hear({ life, number, missed }: Answers): boolean {
    if (life > this.#life) {
      this.#life = life;
      this.#heard = 0;
    }
    if (life < this.#life || number <= this.#heard) return false;
    const hasHole = number !== this.#heard + 1;
    this.#heard = number;
    this.#lastMs = this.#deps.clock.monotonicMs();
    this.#patienceMs = firstPatienceMs;
    this.#wasAsked = false;
    if (missed) this.#again(missed);
    if (hasHole || (missed && missed.before > this.#series)) this.restart();
    return true;
  }

  /** Something may be lost. */
  restart(): void {
    this.#pausedUntilMs = undefined;
    this.#wasAsked = false;
    this.#series = this.#deps.nextSeries();
    this.#number = 0;
    this.#isAsking = this.forwarded.size > 0;
    this.#queue = [...this.forwarded.values()].filter(({ send, series }) => send.turn || series === 0);
    this.#lastMs = this.#deps.clock.monotonicMs();
    this.#start();
  }

  /**
   * Called now and then: whoever waits for too long asks, and begins anew when that is not answered either. An owner that is slow,
   * because the database is, has everything, and must not be sent it again and again.
   */
  turn(nowMs: number): void {
    if (this.#pausedUntilMs !== undefined) {
      if (nowMs >= this.#pausedUntilMs) this.restart();
      return;
    }
    if (this.forwarded.size === 0 || this.#isSending || nowMs - this.#lastMs < this.#patienceMs) return;
    this.#patienceMs = Math.min(maxPatienceMs, this.#patienceMs * 2);
    if (this.#wasAsked) {
      this.restart();
      return;
    }
    this.#wasAsked = true;
    this.#isAsking = true;
    this.#lastMs = nowMs;
    this.#start();
  }

  /** What waits to be sent is not. */
  close(): void {
    this.#isClosed = true;
    this.#isAsking = false;
    this.#queue = [];
  }

  /** Sends without a number that the owner cannot have. */
  #again(missed: Missed): void {
    for (const forwarded of this.forwarded.values()) {
      const { number, send, series } = forwarded;
      if (send.turn || series === 0 || series >= missed.before) continue;
      if (series < missed.series || (series === missed.series && number <= missed.number)) continue;
      forwarded.series = 0;
      this.#queue.push(forwarded);
    }
    this.#start();
  }

  #start(): void {
    if (this.#isSending || !this.#hasMore) return;
    this.#isSending = true;
    void this.#send();
  }

  get #hasMore(): boolean {
    return this.#pausedUntilMs === undefined && (this.#isAsking || this.#queue.length > 0);
  }

  async #send(): Promise<void> {
    const { bus, clock, failed, random } = this.#deps;
    // What comes in this very turn goes along.
    await undefined;
    while (this.#hasMore) {
      const message = this.#take();
      if (!message) continue;
      try {
        await bus.publish(sendsTopic(this.owner), encode(message));
      } catch (error) {
        failed(error);
        if (message.series === this.#series)
          this.#pausedUntilMs = clock.monotonicMs() + pauseMs + random.integer(pauseMs);
      }
      this.#lastMs = clock.monotonicMs();
    }
    this.#isSending = false;
  }

  /** As much as one message of the bus holds. */
  #take(): Sends | undefined {
    const sends: [number, PreparedSend][] = [];
    let size = 0;
    let taken = 0;
    for (const forwarded of this.#queue) {
      const { id, send } = forwarded;
      if (this.forwarded.has(id)) {
        const own = sizeOf(send);
        if (sends.length >= MAX_SENDS || size + own > ROOM_BYTES) break;
        size += own;
        sends.push([id, send]);
        forwarded.wasRepeated = forwarded.wasSent;
        forwarded.wasSent = true;
        forwarded.series = this.#series;
        forwarded.number = this.#number + 1;
      }
      taken += 1;
    }
    this.#queue.splice(0, taken);
    if ((sends.length === 0 && !this.#isAsking) || this.#isClosed) return undefined;
    this.#isAsking = false;
    this.#number += 1;
    return { from: this.#deps.nodeName, series: this.#series, number: this.#number, sends };
  }
}
