import { failureOf, isPassing } from './failures.ts';
import type { Chain, Outcome, Outgoing, Receipt, Refusal, Uplink } from './outgoing.ts';
import { Queue, type QueueHost } from './queue.ts';
import { Setbacks } from './setbacks.ts';
import type { ChatFailure } from './types.ts';

/** What a lane needs of the outbox around it. */
export interface LaneHost extends QueueHost {
  readonly maxSendTries: number;
  readonly uplink: Uplink | undefined;
  onStored(message: Outgoing, receipt: Receipt): void;
  onFailed(message: Outgoing): void;
  /** How messages that another device of ours may have stored are found again. Rejects when it cannot be told. */
  search(messages: readonly Outgoing[], deviceId: string): Promise<ReadonlyMap<Outgoing, Receipt>>;
  setTimer(ms: number, callback: () => void): () => void;
  /** Grows with the number of setbacks in a row. */
  backoffMs(setbacks: number): number;
  onError(error: unknown): void;
}

const noAnswer: ChatFailure = { code: 'network', detail: null };

/** Going back so often without getting on means that chain and server do not agree. */
const maxSetbacks = 8;

/**
 * Sends the messages of one conversation in their order, several at a time, each until it has a verdict.
 *
 * After a setback it waits until nothing is on its way, and begins again at the first message without a verdict, with the
 * same numbers. When its chain turns out to be of no use (another message has the number, the server expects one that we do
 * not have), it first asks for a verdict on each message that may have arrived; what is known not to have arrived goes on
 * in a new chain. So nothing is doubled, and nothing waits for what was refused.
 *
 * A message that was sent too often without a verdict is given up. It keeps its number, since it may be stored under it, and
 * what is behind it goes on in a new chain; when it is sent again, it is with the old number, alone, in its place among the
 * others.
 */
export class Lane {
  readonly #host: LaneHost;
  readonly #queue: Queue;
  readonly #setbacks: Setbacks;
  /** What was given to the uplink since it began, or began again. */
  readonly #given = new Set<Outgoing>();
  readonly #onItsWay = new Map<Outgoing, object>();
  /** Why the newest send in vain was in vain. */
  #trouble: ChatFailure = noAnswer;
  #isGoingBack = false;
  #isChainUseless = false;
  #isBusy = false;

  constructor(host: LaneHost, chain: Chain | undefined, conversationId: string) {
    this.#host = host;
    this.#queue = new Queue(host, conversationId, chain, () => this.pump());
    this.#setbacks = new Setbacks(host, () => this.pump());
  }

  /** Those without a verdict, in order. */
  get messages(): Outgoing[] {
    return this.#queue.messages;
  }

  get failed(): Outgoing[] {
    return this.#queue.failed;
  }

  get chain(): Chain {
    return this.#queue.chain;
  }

  get isSending(): boolean {
    return this.#onItsWay.size > 0;
  }

  /** The place in the chain for a message that is about to be written. */
  nextTurn(): { readonly chain: string; readonly clientSeq: number } {
    if (this.messages.length === 0 && this.#isChainUseless) this.#renew();
    return this.#queue.nextTurn();
  }

  /** Sends what can be sent now. */
  pump(): void {
    const { uplink } = this.#host;
    if (uplink === undefined || this.#setbacks.isPausing || this.#isBusy) return;
    if (this.messages.length === 0 || !this.#prepare(uplink)) return;
    let first: Outgoing | undefined;
    for (const message of this.messages) {
      if (this.#isChainUseless && !message.mayBeStored) continue;
      first ??= message;
      // One that was in vain goes alone: what it does to a connection must not be done to others.
      if (this.#onItsWay.size >= (first.tries > 0 ? 1 : uplink.maxInFlight)) return;
      // Two chains know nothing of each other: what is of another one waits, so that the order is kept.
      if (message.chain !== first.chain) return;
      if (this.#given.has(message)) continue;
      if (!message.isKept) return;
      this.#give(message, uplink);
    }
  }

  /** The uplink is gone, and with it what was on its way. */
  cutOff(): void {
    // What came first may be what the connection ended of; those behind it are not to blame.
    const [first] = this.#onItsWay.keys();
    if (first !== undefined) this.#noteVain(first, noAnswer);
    this.#onItsWay.clear();
    this.#given.clear();
    this.#isGoingBack = false;
    this.#setbacks.end();
  }

  /** The message was seen in the conversation, or the server told its verdict. */
  settle(message: Outgoing, receipt: Receipt): void {
    if (!this.#queue.settle(message, receipt)) return;
    this.#forget(message);
    this.#setbacks.forget();
    this.#host.onStored(message, receipt);
    this.pump();
  }

  /** A new message, with the turn that it was given. */
  add(message: Outgoing): void {
    this.#queue.add(message);
  }

  /** Takes a failed message away; answers false when it is none. */
  drop(message: Outgoing): boolean {
    return this.#queue.drop(message);
  }

  /** Makes sure that chain and uplink fit; answers false when that takes time. */
  #prepare(uplink: Uplink): boolean {
    if (this.#isGoingBack) {
      if (this.isSending) return false;
      this.#isGoingBack = false;
      this.#given.clear();
    }
    if (!this.isSending) this.#giveUp();
    if (this.messages.length === 0) return false;
    if (this.chain.device === null) {
      this.#occupy(() => this.#queue.belongTo(uplink.deviceId));
      return false;
    }
    if (this.chain.device !== uplink.deviceId) {
      const { device } = this.chain;
      this.#occupy(() => this.#moveFrom(device));
      return false;
    }
    if (this.#isChainUseless && !this.messages.some((message) => message.mayBeStored)) {
      this.#renew();
      return false;
    }
    return true;
  }

  #give(message: Outgoing, uplink: Uplink): void {
    const token = {};
    message.mayBeStored = true;
    this.#given.add(message);
    this.#onItsWay.set(message, token);
    uplink.send(message, this.#queue.preIdOf(message), (outcome) => {
      if (this.#onItsWay.get(message) !== token) return;
      this.#onItsWay.delete(message);
      this.#take(message, outcome);
      this.pump();
    });
  }

  #take(message: Outgoing, outcome: Outcome): void {
    if (outcome.kind === 'stored') this.settle(message, outcome.receipt);
    else if (outcome.kind === 'unknown') this.#inVain(message, noAnswer, 0);
    else if (outcome.failure.code === 'out-of-turn') this.#outOfTurn(message, outcome);
    else if (outcome.failure.code === 'chain-conflict') this.#refute(message, outcome.failure);
    else if (outcome.isPassing) this.#inVain(message, outcome.failure, outcome.retryAfterMs ?? 0);
    else this.#fail(message, outcome.failure);
  }

  /** It has a final no; the chain goes on behind it. */
  #fail(message: Outgoing, failure: ChatFailure): void {
    if (!this.#queue.refuse(message, failure)) return;
    this.#forget(message);
    // Who is no member has no chain: the number was not taken.
    if (failure.code === 'not-found') this.#isChainUseless = true;
    this.#host.onFailed(message);
  }

  /** Those that were sent too often in vain have no verdict: in their chain, nothing can come after them. */
  #giveUp(): void {
    const hopeless = this.messages.filter(({ tries }) => tries >= this.#host.maxSendTries);
    if (hopeless.length === 0) return;
    for (const message of hopeless) {
      // In a chain of use, all before it have their places below it.
      this.#queue.giveUp(message, this.#trouble, !this.#isChainUseless);
      this.#forget(message);
      this.#host.onFailed(message);
    }
    this.#isChainUseless = true;
  }

  #inVain(message: Outgoing, trouble: ChatFailure, atLeastMs: number): void {
    this.#noteVain(message, trouble);
    this.#setBack(atLeastMs);
  }

  #noteVain(message: Outgoing, trouble: ChatFailure): void {
    message.tries += 1;
    this.#trouble = trouble;
  }

  #outOfTurn(message: Outgoing, { failure, expectedClientSeq: expected }: Refusal): void {
    const first = this.messages.find(({ chain }) => chain === message.chain)?.clientSeq ?? message.clientSeq;
    const isOurs = expected !== undefined && expected >= first && expected < message.clientSeq;
    if (isOurs && !this.#isChainUseless && this.#setbacks.count < maxSetbacks) {
      // The one before it did not arrive: all that were behind it say so, and it is one setback.
      if (this.#isGoingBack) return;
      this.#isGoingBack = true;
      this.#setbacks.addLightly();
    } else this.#refute(message, failure);
  }

  /** This number of this chain is not, and will never be, this message. */
  #refute(message: Outgoing, failure: ChatFailure): void {
    this.#noteVain(message, failure);
    message.mayBeStored = false;
    this.#isChainUseless = true;
    this.#isGoingBack = true;
  }

  #setBack(atLeastMs: number): void {
    const isFirst = !this.#isGoingBack || !this.#setbacks.isPausing;
    this.#isGoingBack = true;
    if (isFirst) this.#setbacks.add(atLeastMs);
  }

  /** The login or the device is another one than before: the old numbers mean nothing to the server. */
  async #moveFrom(deviceId: string): Promise<void> {
    const doubtful = [...this.messages, ...this.failed].filter((message) => message.mayBeStored);
    const found = doubtful.length === 0 ? undefined : await this.#search(doubtful, deviceId);
    for (const message of doubtful) {
      message.mayBeStored = false;
      const receipt = found?.get(message);
      if (receipt !== undefined) this.settle(message, receipt);
    }
    await this.#renew();
  }

  /** It ends: what cannot be looked for is given up after a while. */
  async #search(doubtful: readonly Outgoing[], deviceId: string): Promise<ReadonlyMap<Outgoing, Receipt>> {
    try {
      return await this.#host.search(doubtful, deviceId);
    } catch (error) {
      const tries = isPassing(error) ? 1 : this.#host.maxSendTries;
      for (const message of doubtful) message.tries += tries;
      this.#trouble = failureOf(error);
      if (doubtful.some((message) => message.tries < this.#host.maxSendTries)) throw error;
      return new Map();
    }
  }

  #renew(): Promise<void> {
    this.#isChainUseless = false;
    this.#given.clear();
    return this.#queue.renew(this.#host.uplink?.deviceId ?? this.chain.device);
  }

  #forget(message: Outgoing): void {
    this.#given.delete(message);
    this.#onItsWay.delete(message);
  }

  /** Nothing is sent until the work is done; when it fails it is tried again after a while. */
  #occupy(work: () => Promise<void>): void {
    this.#isBusy = true;
    const end = () => {
      this.#isBusy = false;
    };
    work()
      .then(end, (error: unknown) => {
        end();
        this.#host.onError(error);
        this.#setBack(0);
      })
      .then(() => this.pump());
  }
}
