import type { Send } from './port.ts';

/** What of the stored has to be known to decide on a batch: lists without doubles. */
export interface Needs {
  /** Of all sends. */
  readonly conversationIds: readonly string[];
  readonly members: readonly { readonly conversationId: string; readonly accountId: string }[];
  /** Chains of the sends and of what they quote. */
  readonly chains: readonly ChainName[];
  /** The numbers of the sends, and those that they quote. */
  readonly numbers: readonly ChainNumber[];
}

export interface ChainName {
  readonly conversationId: string;
  readonly chain: string;
}

export interface ChainNumber extends ChainName {
  readonly clientSeq: number;
}

export const chainKey = (conversationId: string, chain: string) => `${conversationId}/${chain}`;

export function needsOf(sends: readonly Send[]): Needs {
  const conversationIds = new Set<string>();
  const members = new Map<string, { conversationId: string; accountId: string }>();
  const chains = new Map<string, ChainName>();
  const numbers: ChainNumber[] = [];
  const name = (conversationId: string, chain: string, clientSeq: number) => {
    const key = chainKey(conversationId, chain);
    if (!chains.has(key)) chains.set(key, { conversationId, chain });
    numbers.push({ conversationId, chain, clientSeq });
  };
  for (const { conversationId, senderId, turn, quote } of sends) {
    conversationIds.add(conversationId);
    const pair = `${conversationId}/${senderId}`;
    if (!members.has(pair)) members.set(pair, { conversationId, accountId: senderId });
    if (turn) name(conversationId, turn.chain, turn.clientSeq);
    if (quote && 'chain' in quote) name(conversationId, quote.chain, quote.clientSeq);
  }
  return {
    conversationIds: [...conversationIds],
    members: [...members.values()],
    chains: [...chains.values()],
    numbers,
  };
}
