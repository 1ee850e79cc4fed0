/**
 * What was said, in one order for each conversation.
 *
 * Purpose: the truth of chat. A message is stored once, whatever the number of its recipients.
 *
 * Guarantees (each is a test of `contract.ts`)
 * - Durability: a verdict `stored` is given after the commit.
 * - Order: the messages of a conversation are numbered 1, 2, 3 ... without holes, in the order of their commits: who
 *   reads a message reads all before it. Snowflake ids are identity, never order.
 * - Authorisation: whether the sender is a member, and in a direct chat nobody has blocked anybody, is decided under the
 *   lock by which members change: after a removal was answered, nothing of the removed is stored.
 * - Chains: the sends of one chain are stored in the order of their numbers, without holes, each once. A number that has
 *   a verdict gets it again, also when its sender is no member any more; with another body it is a conflict. A final refusal
 *   takes the number of its send, so that the next one is in turn. There is no window of time.
 * - Quotes: of a message that is there, and that its member may see.
 * - Atomicity: each send has a verdict of its own. One that the store cannot hold (`message-invalid`) takes no other down.
 * - Concurrency: any number of nodes may commit to one conversation; they wait for each other. No deadlock.
 *
 * Units and limits: at most `MAX_SENDS` sends a batch, in the order in which they came; bodies up to 16 KiB, those with NUL or
 * lone surrogates are refused; a read answers at most `MAX_READ` messages, the ranges that come first first.
 * Errors: `database-unavailable`, `timeout` (outcome unknown: the same sends may be given again, if they have numbers).
 * An abort of a read rejects with the signal's reason; a commit cannot be aborted.
 * Cost: a fixed number of statements a batch, one row a message. What is decided, and why: `decide.ts`, for every adapter.
 */
export interface MessageStore {
  /** One verdict for each send, in their order. */
  commit(sends: readonly Send[]): Promise<Verdict[]>;
  /** In order of seq. */
  read(ranges: readonly SeqRange[], options?: MessageStoreOptions): Promise<StoredMessage[][]>;
  /** The newest seq of each; a conversation that is not there is left out. */
  heads(conversationIds: readonly string[], options?: MessageStoreOptions): Promise<Map<string, number>>;
}

export interface Send {
  readonly conversationId: string;
  readonly senderId: string;
  readonly deviceId: string;
  /** Proposed; kept if the message is stored now. */
  readonly id: string;
  readonly timestampMs: number;
  readonly body: string;
  /** Signed 64 bits, decimal: hash of body and quote. */
  readonly bodyHash: string;
  readonly turn?: Turn | undefined;
  readonly quote?: Quote | undefined;
  /** Found to be unfit before it came here: its number is used up, and it is refused with this code. */
  readonly unfit?: 'message-invalid' | 'quote-unknown' | undefined;
}

/** The place of a send in its chain. */
export interface Turn {
  /** UUID: hash of device and name. */
  readonly chain: string;
  readonly clientSeq: number;
  /** Asserted: the id of the message before it in the chain; `'0'`: there is none, or it was refused. */
  readonly preId?: string | undefined;
}

export type Quote =
  | { readonly seq: number }
  /** A message that may not have arrived yet. */
  | { readonly chain: string; readonly clientSeq: number };

export type Verdict =
  | {
      readonly kind: 'stored';
      readonly seq: number;
      readonly id: string;
      readonly timestampMs: number;
      readonly quoteSeq: number | null;
      readonly isDuplicate: boolean;
    }
  /** Final, and if the send has a number and its sender is a member, the number is used up. */
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly isDuplicate: boolean }
  | { readonly kind: 'conflict' }
  | {
      readonly kind: 'out-of-turn';
      readonly expectedClientSeq: number;
      readonly expectedPreId: string | null;
    }
  /** The quoted message of another chain has not arrived; nothing was changed: the same send may be given again. */
  | { readonly kind: 'quote-awaited' };

/** `not-found`: the sender is no member, or there is no such conversation; takes no number. */
export type RefusalCode = 'not-found' | 'blocked' | 'message-invalid' | 'quote-unknown';

export interface StoredMessage {
  readonly conversationId: string;
  readonly seq: number;
  readonly id: string;
  readonly senderId: string;
  readonly deviceId: string | null;
  readonly clientSeq: number | null;
  readonly quoteSeq: number | null;
  readonly timestampMs: number;
  readonly body: string;
}

export interface SeqRange {
  readonly conversationId: string;
  /** Exclusive. */
  readonly afterSeq: number;
  /** Exclusive; left out: up to the newest. */
  readonly beforeSeq?: number | undefined;
  readonly limit: number;
  /** Which end of the range is kept by the limit. */
  readonly keep: 'oldest' | 'newest';
}

export interface MessageStoreOptions {
  readonly signal?: AbortSignal | undefined;
}

export const MAX_SENDS = 1_000;
export const MAX_READ = 1_000;
