import { chainKey } from '../../../ports/message-store/needs.ts';
import type { Waiting } from './waiting.ts';

interface HeldChain {
  readonly untilMs: number;
  /** The reply that waits, and what is behind it in its chain: in order, and to stay so. */
  readonly sends: Waiting[];
  readonly targetKey: string;
}

/** Replies that have arrived before what they quote, with their chains behind them. */
export class HeldChains {
  readonly #held = new Map<string, HeldChain>();
  readonly #max: number;
  #count = 0;
  #anonymous = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  /** False: there is no room. */
  hold(waiting: Waiting, untilMs: number): boolean {
    const { conversationId, turn, quote } = waiting.send;
    if (!quote || !('chain' in quote)) throw new Error('only a quote of a chain is waited for');
    if (this.#count >= this.#max) return false;
    this.#anonymous += 1;
    const key = turn ? chainKey(conversationId, turn.chain) : `${this.#anonymous}`;
    const targetKey = chainKey(conversationId, quote.chain);
    this.#held.set(key, { untilMs, targetKey, sends: [waiting] });
    this.#count += 1;
    return true;
  }

  isHeld({ send: { conversationId, turn } }: Waiting): boolean {
    return this.#held.size > 0 && turn !== undefined && this.#held.has(chainKey(conversationId, turn.chain));
  }

  /** Behind what is held of its chain. False: there is no room. */
  join(waiting: Waiting): boolean {
    const { conversationId, turn } = waiting.send;
    const chain = turn && this.#held.get(chainKey(conversationId, turn.chain));
    if (!chain) throw new Error('nothing of this chain is held');
    if (this.#count >= this.#max) return false;
    chain.sends.push(waiting);
    this.#count += 1;
    return true;
  }

  /** Takes out what waits for one of these chains. */
  release(targetKeys: ReadonlySet<string>): Waiting[] {
    return this.#take(({ targetKey }) => targetKeys.has(targetKey));
  }

  /** Takes out everything, to be tried again; whose time has passed is not to wait any more. */
  releaseAll(nowMs: number): Waiting[] {
    for (const { untilMs, sends } of this.#held.values()) {
      const [reply] = sends;
      if (reply && nowMs >= untilMs) reply.send = { ...reply.send, unfit: 'quote-unknown' };
    }
    return this.#take(() => true);
  }

  #take(isTaken: (chain: HeldChain) => boolean): Waiting[] {
    const taken: Waiting[] = [];
    for (const [key, chain] of this.#held) {
      if (!isTaken(chain)) continue;
      this.#held.delete(key);
      for (const waiting of chain.sends) taken.push(waiting);
    }
    this.#count -= taken.length;
    return taken;
  }
}
