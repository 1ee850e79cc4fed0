import type { Quote, RefusalCode, Send, StoredMessage, Turn, Verdict } from './port.ts';

/**
 * Which verdict each send of a batch gets, given what is stored: the same for every adapter. Pure but for `facts`, which it
 * carries on as if the decisions were stored already, so that a send sees those before it in its batch.
 */
export function decide(sends: readonly Send[], facts: Facts): Decision {
  const decision: Decision = { verdicts: [], messages: [], refusals: [], heads: new Map() };
  for (const send of sends) decision.verdicts.push(judge(send, facts.get(send.conversationId), decision));
  return decision;
}

/** What is stored of the conversations of a batch; a conversation that is not there is not in it. */
export type Facts = Map<string, ConversationFacts>;

export interface ConversationFacts {
  headSeq: number;
  /** It is a direct chat, and one of the two has blocked the other. */
  readonly isBlocked: boolean;
  /** Of the senders that are members: what was said up to this seq is not for them. */
  readonly members: Map<string, number | null>;
  /** Of the chains that the batch speaks of; one without verdicts is not in it, or null. */
  readonly tails: Map<string, Tail | null>;
  /** By `verdictKey`, of the numbers that the batch speaks of and that are at or below their chain's tail. */
  readonly verdicts: Map<string, PastVerdict>;
}

/** The last number of a chain that has a verdict. */
export interface Tail {
  readonly clientSeq: number;
  /** Null: it was refused. */
  readonly messageId: string | null;
}

export type PastVerdict =
  | {
      readonly bodyHash: string;
      readonly seq: number;
      readonly id: string;
      readonly timestampMs: number;
      readonly quoteSeq: number | null;
    }
  | { readonly bodyHash: string; readonly code: RefusalCode };

export interface NewMessage {
  readonly send: Send;
  readonly seq: number;
  readonly quoteSeq: number | null;
}

export interface NewRefusal {
  readonly send: Send;
  readonly turn: Turn;
  readonly code: RefusalCode;
}

export interface Decision {
  readonly verdicts: Verdict[];
  readonly messages: NewMessage[];
  readonly refusals: NewRefusal[];
  /** Of the conversations that get messages. */
  readonly heads: Map<string, { readonly seq: number; readonly messageId: string }>;
}

/** As it is read from then on. */
export function storedMessage({ send, seq, quoteSeq }: NewMessage): StoredMessage {
  const { conversationId, id, senderId, deviceId, turn, timestampMs, body } = send;
  const clientSeq = turn?.clientSeq ?? null;
  return { conversationId, seq, id, senderId, deviceId, clientSeq, quoteSeq, timestampMs, body };
}

export const verdictKey = (chain: string, clientSeq: number) => `${chain}:${clientSeq}`;

const notFound: Verdict = { kind: 'refused', code: 'not-found', isDuplicate: false };

function judge(send: Send, facts: ConversationFacts | undefined, decision: Decision): Verdict {
  if (!facts) return notFound;
  const { turn } = send;
  const tail = turn && facts.tails.get(turn.chain);
  // Also for who has left since: what was stored is stored.
  if (tail && turn.clientSeq <= tail.clientSeq) return again(send, turn, facts);
  const joinedSeq = facts.members.get(send.senderId) ?? null;
  if (joinedSeq === null) return notFound;
  if (turn && !isInTurn(turn, tail)) {
    return {
      kind: 'out-of-turn',
      expectedClientSeq: (tail?.clientSeq ?? 0) + 1,
      expectedPreId: tail?.messageId ?? null,
    };
  }
  const refusal = facts.isBlocked ? 'blocked' : unfitness(send);
  if (refusal) return refuse(send, refusal, facts, decision);
  const quoteSeq = send.quote ? resolve(send.quote, send, facts, joinedSeq) : null;
  if (quoteSeq === 'awaited') return { kind: 'quote-awaited' };
  if (quoteSeq === 'unknown') return refuse(send, 'quote-unknown', facts, decision);
  return store(send, quoteSeq, facts, decision);
}

/** A number that has a verdict gets it again. */
function again(send: Send, turn: Turn, { verdicts }: ConversationFacts): Verdict {
  const past = verdicts.get(verdictKey(turn.chain, turn.clientSeq));
  // None: its message was erased with its account, and nobody can tell any more whether it is the same.
  if (past?.bodyHash !== send.bodyHash) return { kind: 'conflict' };
  if ('code' in past) return { kind: 'refused', code: past.code, isDuplicate: true };
  const { seq, id, timestampMs, quoteSeq } = past;
  return { kind: 'stored', seq, id, timestampMs, quoteSeq, isDuplicate: true };
}

function isInTurn(turn: Turn, tail: Tail | null | undefined): boolean {
  if (turn.clientSeq !== (tail?.clientSeq ?? 0) + 1) return false;
  return turn.preId === undefined || turn.preId === (tail?.messageId ?? '0');
}

/** A text of PostgreSQL holds no NUL, and UTF-8 no half of a surrogate pair: it would be stored as another text. */
function unfitness({ unfit, body }: Send): RefusalCode | undefined {
  if (unfit) return unfit;
  return body.includes('\0') || !body.isWellFormed() ? 'message-invalid' : undefined;
}

function resolve(
  quote: Quote,
  { turn }: Send,
  facts: ConversationFacts,
  joinedSeq: number,
): number | 'awaited' | 'unknown' {
  if ('seq' in quote) return isVisible(quote.seq, facts, joinedSeq) ? quote.seq : 'unknown';
  const { chain, clientSeq } = quote;
  if (clientSeq > (facts.tails.get(chain)?.clientSeq ?? 0)) {
    // It waits for itself, or for what waits for it.
    return chain === turn?.chain ? 'unknown' : 'awaited';
  }
  const past = facts.verdicts.get(verdictKey(chain, clientSeq));
  return past && 'seq' in past && isVisible(past.seq, facts, joinedSeq) ? past.seq : 'unknown';
}

const isVisible = (seq: number, { headSeq }: ConversationFacts, joinedSeq: number) =>
  seq > joinedSeq && seq <= headSeq;

function refuse(send: Send, code: RefusalCode, facts: ConversationFacts, decision: Decision): Verdict {
  const { turn, bodyHash } = send;
  if (turn) {
    facts.tails.set(turn.chain, { clientSeq: turn.clientSeq, messageId: null });
    facts.verdicts.set(verdictKey(turn.chain, turn.clientSeq), { bodyHash, code });
    decision.refusals.push({ send, turn, code });
  }
  return { kind: 'refused', code, isDuplicate: false };
}

function store(send: Send, quoteSeq: number | null, facts: ConversationFacts, decision: Decision): Verdict {
  const { id, timestampMs, turn, bodyHash } = send;
  facts.headSeq += 1;
  const seq = facts.headSeq;
  if (turn) {
    facts.tails.set(turn.chain, { clientSeq: turn.clientSeq, messageId: id });
    facts.verdicts.set(verdictKey(turn.chain, turn.clientSeq), { bodyHash, seq, id, timestampMs, quoteSeq });
  }
  decision.messages.push({ send, seq, quoteSeq });
  decision.heads.set(send.conversationId, { seq, messageId: id });
  return { kind: 'stored', seq, id, timestampMs, quoteSeq, isDuplicate: false };
}
