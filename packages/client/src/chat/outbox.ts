import type { ChatMessage, MessageContent } from '@hvideo/protocol';
import { messageBody } from '@hvideo/protocol/message';
import { isSame } from './content.ts';
import type { Keeper } from './keeper.ts';
import { Lane, type LaneHost } from './lane.ts';
import { ChatError } from './options.ts';
import type { Chain, Outgoing, Receipt, Uplink } from './outgoing.ts';
import { changesOf, type Kept } from './records.ts';

export interface OutboxHost {
  readonly maxQueued: number;
  readonly maxSendTries: number;
  now(): number;
  randomName(): string;
  setTimer(ms: number, callback: () => void): () => void;
  backoffMs(setbacks: number): number;
  knownSeq(conversationId: string): number;
  search: LaneHost['search'];
  /** It has its place. */
  onStored(message: Outgoing, receipt: Receipt): void;
  onFailed(message: Outgoing): void;
  /** Messages came, went or failed. */
  onChange(conversationId: string): void;
  onError(error: unknown): void;
}

/** How a message quotes: a seq, or the key of one of our own that has none. */
export interface OutgoingQuote {
  readonly seq: number | null;
  readonly key: string | null;
}

/** Seqs of own messages that got theirs in this run, for those who quote them by key. */
const maxSettled = 1_000;

/** The unsent messages of one instance, in a lane for each conversation. */
export class Outbox {
  readonly #host: OutboxHost;
  readonly #lanes = new Map<string, Lane>();
  /** Of conversations that nothing was written to in this run. */
  readonly #chains = new Map<string, Chain>();
  readonly #settled = new Map<string, Receipt>();
  /** Undefined until the store was read: what is written meanwhile gets its numbers then. */
  #keeping: { readonly keeper: Keeper; readonly prefix: string } | undefined;
  #uplink: Uplink | undefined;
  #nextOrder = 1;

  constructor(host: OutboxHost) {
    this.#host = host;
  }

  /** What the store holds comes before what was written meanwhile. */
  open(keeper: Keeper, prefix: string, kept: Kept): void {
    const early = [...this.#lanes.values()].flatMap((lane) => lane.messages.splice(0));
    this.#keeping = { keeper, prefix };
    this.#lanes.clear();
    for (const [id, chain] of kept.chains) this.#chains.set(id, chain);
    for (const message of kept.messages) {
      this.#nextOrder = Math.max(this.#nextOrder, message.order + 1);
      const lane = this.#lane(message.conversationId);
      if (message.failure === null) lane.messages.push(message);
      else lane.failed.push(message);
    }
    for (const message of early) {
      message.order = this.#nextOrder;
      this.#nextOrder += 1;
      this.#number(message);
    }
    for (const id of this.#lanes.keys()) this.#host.onChange(id);
  }

  /** Without a verdict. */
  get pending(): number {
    let count = 0;
    for (const lane of this.#lanes.values()) count += lane.messages.length;
    return count;
  }

  /** With those that have failed. */
  get size(): number {
    let count = 0;
    for (const lane of this.#lanes.values()) count += lane.messages.length + lane.failed.length;
    return count;
  }

  messagesOf(conversationId: string): { pending: readonly Outgoing[]; failed: readonly Outgoing[] } {
    const lane = this.#lanes.get(conversationId);
    return { pending: lane?.messages ?? [], failed: lane?.failed ?? [] };
  }

  conversationIds(): string[] {
    return [...this.#lanes.keys()];
  }

  /** Something of ours is on its way there, so that a seq that is missing may be its. */
  isSending(conversationId: string): boolean {
    return this.#lanes.get(conversationId)?.isSending ?? false;
  }

  add(conversationId: string, content: MessageContent, quote: OutgoingQuote | null): Outgoing {
    if (this.size >= this.#host.maxQueued)
      throw new ChatError('queue-full', 'Too many messages wait to be sent');
    return this.#add(conversationId, content, quote, `own-${this.#host.randomName()}`);
  }

  #add(conversationId: string, content: MessageContent, quote: OutgoingQuote | null, key: string): Outgoing {
    const quotedSeq = quote === null ? null : (quote.seq ?? this.#settled.get(quote.key ?? '')?.seq ?? null);
    const quoteKey = quotedSeq === null ? (quote?.key ?? null) : null;
    if (quoteKey !== null) this.#nameOf(conversationId, quoteKey);
    const message: Outgoing = {
      key,
      order: this.#nextOrder,
      conversationId,
      content,
      body: messageBody(content),
      writtenAtMs: this.#host.now(),
      baseSeq: 0,
      chain: '',
      clientSeq: 0,
      quote: null,
      quoteSeq: quotedSeq,
      quoteKey,
      failure: null,
      isKept: false,
      mayBeStored: false,
      tries: 0,
    };
    this.#nextOrder += 1;
    if (this.#keeping === undefined) this.#lane(conversationId).messages.push(message);
    else this.#number(message);
    this.#host.onChange(conversationId);
    return message;
  }

  /** Sends a failed message again: with another number, unless it may be stored under the one that it has. */
  retry(conversationId: string, key: string): Outgoing | undefined {
    const lane = this.#lanes.get(conversationId);
    const failed = lane?.failed.find((message) => message.key === key);
    if (lane === undefined || failed === undefined) return undefined;
    const again = failed.mayBeStored ? this.#ask(lane, failed) : this.#repeat(failed);
    lane.drop(failed);
    return again;
  }

  #repeat({ conversationId, content, quoteSeq, quoteKey, key }: Outgoing): Outgoing {
    const quote = (quoteSeq ?? quoteKey) === null ? null : { seq: quoteSeq, key: quoteKey };
    return this.#add(conversationId, content, quote, key);
  }

  /** Nobody knows what became of it, and only the same number makes sure that it is not stored twice. */
  #ask(lane: Lane, failed: Outgoing): Outgoing {
    const again = { ...failed, order: this.#nextOrder, failure: null, isKept: false, tries: 0 };
    this.#nextOrder += 1;
    lane.add(again);
    this.#host.onChange(failed.conversationId);
    return again;
  }

  discard(conversationId: string, key: string): boolean {
    const lane = this.#lanes.get(conversationId);
    const failed = lane?.failed.find((message) => message.key === key);
    if (lane === undefined || failed === undefined || !lane.drop(failed)) return false;
    this.#host.onChange(conversationId);
    return true;
  }

  /** Sends go there from now on. */
  attach(uplink: Uplink): void {
    this.#uplink = uplink;
    for (const lane of this.#lanes.values()) lane.pump();
  }

  /** Without uplink: what was on its way is sent again over the next one. */
  detach(): void {
    this.#uplink = undefined;
    for (const lane of this.#lanes.values()) lane.cutOff();
  }

  /** A message of this device came by in the conversation: as good as a receipt. */
  observe(message: ChatMessage): void {
    const lane = this.#lanes.get(message.conversationId);
    if (lane === undefined || message.senderDevice === null || message.senderDevice !== lane.chain.device)
      return;
    const own = [...lane.messages, ...lane.failed].find((candidate) => isThisMessage(candidate, message));
    if (own === undefined) return;
    lane.settle(own, { seq: message.seq, id: message.id, timestamp: message.timestamp });
  }

  #number(message: Outgoing): void {
    const { conversationId, quoteKey, quoteSeq } = message;
    const lane = this.#lane(conversationId);
    const { chain, clientSeq } = lane.nextTurn();
    message.chain = chain;
    message.clientSeq = clientSeq;
    message.baseSeq = Math.max(lane.chain.topSeq, this.#host.knownSeq(conversationId));
    if (quoteSeq !== null) message.quote = String(quoteSeq);
    else if (quoteKey !== null) message.quote = this.#nameOf(conversationId, quoteKey);
    lane.add(message);
  }

  #lane(conversationId: string): Lane {
    const known = this.#lanes.get(conversationId);
    if (known !== undefined) return known;
    const lane = new Lane(this.#laneHost(), this.#chains.get(conversationId), conversationId);
    this.#chains.delete(conversationId);
    this.#lanes.set(conversationId, lane);
    return lane;
  }

  #laneHost(): LaneHost {
    const host = this.#host;
    const uplink = () => this.#uplink;
    return {
      maxSendTries: host.maxSendTries,
      get uplink() {
        return uplink();
      },
      newChainName: () => host.randomName(),
      knownSeq: (conversationId) => host.knownSeq(conversationId),
      keep: async (conversationId, chain, changed, removed) => {
        if (this.#keeping === undefined) return;
        const { keeper, prefix } = this.#keeping;
        await keeper.write(changesOf(prefix, conversationId, chain, changed, removed));
      },
      onStored: (message, receipt) => this.#onStored(message, receipt),
      onFailed: (message) => {
        host.onFailed(message);
        host.onChange(message.conversationId);
      },
      search: (messages, deviceId) => host.search(messages, deviceId),
      setTimer: (ms, callback) => host.setTimer(ms, callback),
      backoffMs: (setbacks) => host.backoffMs(setbacks),
      onError: (error) => host.onError(error),
    };
  }

  #onStored(message: Outgoing, receipt: Receipt): void {
    this.#settled.set(message.key, receipt);
    for (const key of this.#settled.keys()) {
      if (this.#settled.size <= maxSettled) break;
      this.#settled.delete(key);
    }
    this.#host.onStored(message, receipt);
    this.#host.onChange(message.conversationId);
  }

  #nameOf(conversationId: string, key: string): string {
    const quoted = this.#lanes.get(conversationId)?.messages.find((message) => message.key === key);
    if (quoted === undefined) throw new ChatError('message-invalid', 'The quoted message was not sent');
    return `${quoted.chain}:${quoted.clientSeq}`;
  }
}

/** The number alone is not enough: an earlier chain of the device had it too. */
export function isThisMessage(own: Outgoing, message: ChatMessage): boolean {
  return (
    own.mayBeStored &&
    own.clientSeq === message.clientSeq &&
    message.seq > own.baseSeq &&
    isSame(own.content, message.content)
  );
}
