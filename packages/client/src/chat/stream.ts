import type { ChatMessage } from '@hvideo/protocol';
import type { Delivery } from './transport.ts';

export interface StreamHost {
  readonly maxGapFill: number;
  /** An earlier stream of the conversation has come so far. */
  readonly handedOverSeq: number;
  /** Messages after a seq, in order. Null: the conversation cannot be seen any more. */
  readHistory(afterSeq: number): Promise<readonly ChatMessage[] | null>;
  /** Something of ours is on its way there: its receipt may say what is missing. */
  isSending(): boolean;
  /** Takes messages in order of seq. A promise resolves when they need not come again, and never rejects. */
  handOver(messages: readonly ChatMessage[]): Promise<void> | undefined;
  onGap(fromSeq: number, toSeq: number): void;
  setTimer(ms: number, callback: () => void): () => void;
  backoffMs(failures: number): number;
  onError(error: unknown): void;
}

interface Held {
  readonly message: ChatMessage;
  /** None for what was read from history; more than one when it was delivered twice. */
  readonly dones: (() => void)[];
}

/** How long a receipt is waited for before the hole is read from history. */
const receiptGraceMs = 1_000;
/** Own messages that are remembered ahead of what has come. */
const maxOwn = 1_000;
/** History that is empty where something must be: a replica that lags. After so many looks it is believed. */
const maxEmptyReads = 5;

/**
 * Puts what comes of one conversation into the order of seq, each once. A hole is filled by our own messages, which are not
 * delivered to the device that sent them, and otherwise by reading history; what follows waits.
 */
export class Stream {
  readonly #host: StreamHost;
  /** Everything up to here was handed over, or is known not to come. Null before the first delivery. */
  #position: number | null = null;
  readonly #held = new Map<number, Held>();
  readonly #gaps: { readonly toSeq: number; readonly done: () => void }[] = [];
  readonly #own = new Set<number>();
  #isBusy = false;
  #isGraceOver = false;
  #failures = 0;
  #emptyReads = 0;
  #isClosed = false;
  /** To be waited before the work goes on. */
  #pauseMs = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(host: StreamHost) {
    this.#host = host;
  }

  get position(): number | null {
    return this.#position;
  }

  deliver(delivery: Delivery): void {
    if (this.#isClosed) return;
    const isMessage = delivery.kind === 'message';
    const seq = isMessage ? delivery.message.seq : delivery.toSeq;
    this.#position ??= Math.max((isMessage ? seq : delivery.fromSeq) - 1, this.#host.handedOverSeq);
    if (seq <= this.#position) {
      delivery.done();
      return;
    }
    if (isMessage) this.#hold(delivery.message).dones.push(delivery.done);
    else this.#gaps.push({ toSeq: seq, done: delivery.done });
    this.#work();
  }

  /** A message of ours has its place. */
  own(seq: number): void {
    if (this.#isClosed || (this.#position !== null && seq <= this.#position)) return;
    this.#own.add(seq);
    const [oldest] = this.#own;
    if (this.#own.size > maxOwn && oldest !== undefined) this.#own.delete(oldest);
    this.#work();
  }

  /** Nothing will be handed over any more; what waits is not acknowledged. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
    this.#held.clear();
    this.#gaps.length = 0;
    this.#own.clear();
  }

  #hold(message: ChatMessage): Held {
    const known = this.#held.get(message.seq);
    if (known !== undefined) return known;
    const held: Held = { message, dones: [] };
    this.#held.set(message.seq, held);
    return held;
  }

  #work(): void {
    while (!this.#isBusy && !this.#isClosed && this.#position !== null) {
      const next = this.#position + 1;
      if (this.#held.has(next)) this.#handOverFrom(next);
      else if (this.#own.has(next)) this.#moveTo(next);
      else if (this.#gaps.length > 0) this.#passGap(this.#position);
      else if (this.#held.size === 0 || !this.#mendHole(this.#position)) return;
    }
  }

  #handOverFrom(first: number): void {
    const run: ChatMessage[] = [];
    for (let held = this.#held.get(first); held !== undefined; held = this.#held.get(first + run.length)) {
      run.push(held.message);
    }
    const last = first + run.length - 1;
    this.#endTimer();
    this.#emptyReads = 0;
    // Who takes them may find one of our own among them, and tell it here.
    this.#isBusy = true;
    const work = this.#host.handOver(run);
    this.#isBusy = false;
    if (work === undefined) this.#moveTo(last);
    else this.#occupy(work.then(() => this.#moveTo(last)));
  }

  /** Too much is told, and skipped; the rest is read, and handed over like anything else. */
  #passGap(position: number): void {
    const to = Math.max(...this.#gaps.map(({ toSeq }) => toSeq));
    if (to - position > this.#host.maxGapFill) {
      this.#host.onGap(position + 1, to);
      this.#moveTo(to);
    } else this.#read(position, to);
  }

  /** Answers false while a receipt may still fill the hole. */
  #mendHole(position: number): boolean {
    if (this.#host.isSending() && !this.#isGraceOver) {
      this.#cancelTimer ??= this.#host.setTimer(receiptGraceMs, () => {
        this.#cancelTimer = undefined;
        this.#isGraceOver = true;
        this.#work();
      });
      return false;
    }
    this.#read(position, Math.min(...this.#held.keys()) - 1);
    return true;
  }

  #read(position: number, toSeq: number): void {
    const work = this.#host.readHistory(position).then((messages) => {
      if (this.#isClosed) return;
      this.#failures = 0;
      if (messages === null) this.#moveTo(this.#lastKnown());
      else this.#takeHistory(messages, position, toSeq);
    });
    this.#occupy(work);
  }

  #takeHistory(messages: readonly ChatMessage[], position: number, toSeq: number): void {
    const [first] = messages;
    if (first === undefined) {
      this.#emptyReads += 1;
      if (this.#emptyReads < maxEmptyReads) this.#pauseMs = this.#host.backoffMs(this.#emptyReads);
      else this.#moveTo(toSeq);
      return;
    }
    for (const message of messages) if (message.seq > position) this.#hold(message);
    // What is not in it between the position and its first is not for us: it was said while we were not there.
    this.#moveTo(Math.max(position, first.seq - 1));
  }

  #moveTo(position: number): void {
    this.#position = position;
    for (const seq of this.#own) if (seq <= position) this.#own.delete(seq);
    const dones: (() => void)[] = [];
    for (const [seq, held] of this.#held) {
      if (seq > position) continue;
      this.#held.delete(seq);
      dones.push(...held.dones);
    }
    for (const gap of this.#gaps.splice(0)) {
      if (gap.toSeq > position) this.#gaps.push(gap);
      else dones.push(gap.done);
    }
    for (const done of dones) done();
  }

  #lastKnown(): number {
    return Math.max(this.#position ?? 0, ...this.#held.keys(), ...this.#gaps.map(({ toSeq }) => toSeq));
  }

  #occupy(work: Promise<void>): void {
    this.#isBusy = true;
    work
      .then(
        () => 0,
        (error: unknown) => {
          this.#host.onError(error);
          this.#failures += 1;
          return this.#host.backoffMs(this.#failures);
        },
      )
      .then((ms) => {
        if (ms > 0) this.#pauseMs = ms;
        if (this.#isClosed) return;
        if (this.#pauseMs > 0) this.#pause(this.#pauseMs);
        else this.#goOn();
      });
  }

  #pause(ms: number): void {
    this.#pauseMs = 0;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#host.setTimer(ms, () => {
      this.#cancelTimer = undefined;
      this.#goOn();
    });
  }

  #goOn(): void {
    this.#isBusy = false;
    this.#work();
  }

  #endTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#isGraceOver = false;
  }
}
