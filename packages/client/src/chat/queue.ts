import type { Chain, Outgoing, Receipt } from './outgoing.ts';
import type { ChatFailure } from './types.ts';

export interface QueueHost {
  newChainName(): string;
  /** The newest message that is known of the conversation. */
  knownSeq(conversationId: string): number;
  /** Durable when it resolves. */
  keep(
    conversationId: string,
    chain: Chain,
    changed: readonly Outgoing[],
    removed: readonly Outgoing[],
  ): Promise<void>;
}

/** The unsent messages of one conversation with their numbers, as they are kept in the store. */
export class Queue {
  /** Those without a verdict, in order. */
  readonly messages: Outgoing[] = [];
  readonly failed: Outgoing[] = [];

  readonly #host: QueueHost;
  readonly #conversationId: string;
  readonly #onKept: () => void;
  #chain: Chain;

  constructor(host: QueueHost, conversationId: string, chain: Chain | undefined, onKept: () => void) {
    this.#host = host;
    this.#conversationId = conversationId;
    this.#onKept = onKept;
    this.#chain = chain ?? this.#newChain(host.knownSeq(conversationId), null);
  }

  get chain(): Chain {
    return this.#chain;
  }

  /** The place in the chain for a message that is about to be written. */
  nextTurn(): { readonly chain: string; readonly clientSeq: number } {
    const clientSeq = this.#chain.nextSeq;
    this.#chain.nextSeq += 1;
    return { chain: this.#chain.name, clientSeq };
  }

  /** The id of the one before it, where that is known. */
  preIdOf(message: Outgoing): string | undefined {
    const isNext = message.chain === this.#chain.name && message.clientSeq === this.#chain.lastSeq + 1;
    return isNext ? this.#chain.lastId : undefined;
  }

  /** A new message, with the turn that it was given. */
  add(message: Outgoing): void {
    this.messages.push(message);
    this.#keep([message], []);
  }

  /** Takes a failed message away; answers false when it is none. */
  drop(message: Outgoing): boolean {
    if (!this.failed.includes(message)) return false;
    this.#remove(message);
    this.#keep([], [message]);
    return true;
  }

  /** It has its place; answers false when that was known. */
  settle(message: Outgoing, receipt: Receipt): boolean {
    if (!this.#remove(message)) return false;
    this.#chain.topSeq = Math.max(this.#chain.topSeq, receipt.seq);
    this.#noteLast(message, receipt.id);
    this.#keep([], [message]);
    return true;
  }

  /** It has a final no, and is known not to be stored. */
  refuse(message: Outgoing, failure: ChatFailure): boolean {
    if (!this.#remove(message)) return false;
    message.mayBeStored = false;
    this.#noteLast(message, '0');
    this.#fail(message, failure, true);
    return true;
  }

  /** Nobody knows what became of it, so that it keeps its number. */
  giveUp(message: Outgoing, failure: ChatFailure, isBehindAll: boolean): void {
    this.#remove(message);
    this.#fail(message, failure, isBehindAll);
  }

  /** A new chain for all that is left. */
  renew(device: string | null): Promise<void> {
    const { messages } = this;
    const old = new Map(messages.map((message) => [message.key, message]));
    const topSeq = Math.max(this.#chain.topSeq, this.#host.knownSeq(this.#conversationId));
    this.#chain = this.#newChain(topSeq, device);
    for (const message of messages) {
      Object.assign(message, this.nextTurn(), { baseSeq: topSeq, isKept: false });
      const quoted = message.quoteKey === null ? undefined : old.get(message.quoteKey);
      if (quoted !== undefined) message.quote = `${quoted.chain}:${quoted.clientSeq}`;
    }
    return this.#keep([...messages], []);
  }

  /** The numbers are those of a device from now on. */
  belongTo(device: string): Promise<void> {
    this.#chain.device = device;
    return this.#keep([], []);
  }

  #newChain(topSeq: number, device: string | null): Chain {
    return { name: this.#host.newChainName(), device, nextSeq: 1, lastSeq: 0, lastId: '0', topSeq };
  }

  /** It stands behind those that were written before it, when those have their places. */
  #fail(message: Outgoing, failure: ChatFailure, isBehindAll: boolean): void {
    if (isBehindAll) message.baseSeq = Math.max(message.baseSeq, this.#chain.topSeq);
    message.failure = failure;
    this.failed.push(message);
    this.#keep([message], []);
  }

  #noteLast(message: Outgoing, id: string): void {
    if (message.chain !== this.#chain.name || message.clientSeq <= this.#chain.lastSeq) return;
    this.#chain.lastSeq = message.clientSeq;
    this.#chain.lastId = id;
  }

  #remove(message: Outgoing): boolean {
    const list = this.messages.includes(message) ? this.messages : this.failed;
    const at = list.indexOf(message);
    if (at >= 0) list.splice(at, 1);
    return at >= 0;
  }

  #keep(changed: readonly Outgoing[], removed: readonly Outgoing[]): Promise<void> {
    const written = changed.map((message) => ({ message, chain: message.chain }));
    return this.#host.keep(this.#conversationId, this.#chain, changed, removed).then(() => {
      // Renamed meanwhile: what was written is not what will be sent.
      for (const { message, chain } of written) if (message.chain === chain) message.isKept = true;
      this.#onKept();
    });
  }
}
