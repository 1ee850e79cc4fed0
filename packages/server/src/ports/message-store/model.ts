import type { Quote, RefusalCode, Send, Turn, Verdict } from './port.ts';

/** For tests: what MessageStore promises, as plainly as it can be said. One list of everything that happened, looked through for each send. */
export class MessageModel {
  readonly #members = new Map<string, number>();
  readonly #said = new Map<string, number>();
  readonly #blocked = new Set<string>();
  readonly #past: { readonly send: Send; readonly verdict: Verdict }[] = [];

  /** `joinedSeq` messages were there before the account came. */
  join(conversationId: string, accountId: string, joinedSeq: number): void {
    this.#members.set(`${conversationId}/${accountId}`, joinedSeq);
  }

  leave(conversationId: string, accountId: string): void {
    this.#members.delete(`${conversationId}/${accountId}`);
  }

  block(conversationId: string): void {
    this.#blocked.add(conversationId);
  }

  /** The server has said something. */
  said(conversationId: string): void {
    this.#said.set(conversationId, (this.#said.get(conversationId) ?? 0) + 1);
  }

  commit(sends: readonly Send[]): Verdict[] {
    return sends.map((send) => {
      const verdict = this.#verdict(send);
      if (takesNumber(verdict)) this.#past.push({ send, verdict });
      return verdict;
    });
  }

  stored(conversationId: string): Send[] {
    return this.#past
      .filter(({ send, verdict }) => send.conversationId === conversationId && verdict.kind === 'stored')
      .map(({ send }) => send);
  }

  #verdict(send: Send): Verdict {
    const { turn, conversationId } = send;
    const before = turn && this.#number(conversationId, turn.chain, turn.clientSeq);
    if (before) return again(before, send);
    const joinedSeq = this.#members.get(`${conversationId}/${send.senderId}`);
    if (joinedSeq === undefined) return { kind: 'refused', code: 'not-found', isDuplicate: false };
    if (turn) {
      const used = this.#chain(conversationId, turn.chain);
      const last = used.at(-1)?.verdict;
      const expectedPreId = last?.kind === 'stored' ? last.id : null;
      const agrees = turn.preId === undefined || turn.preId === (expectedPreId ?? '0');
      if (turn.clientSeq !== used.length + 1 || !agrees)
        return { kind: 'out-of-turn', expectedClientSeq: used.length + 1, expectedPreId };
    }
    if (this.#blocked.has(conversationId)) return refused('blocked');
    if (send.unfit) return refused(send.unfit);
    const head = this.stored(conversationId).length + (this.#said.get(conversationId) ?? 0);
    const quoteSeq = send.quote ? this.#quoted(send.quote, conversationId, turn) : null;
    if (quoteSeq === 'awaited') return { kind: 'quote-awaited' };
    if (quoteSeq !== null && !(quoteSeq > joinedSeq && quoteSeq <= head)) return refused('quote-unknown');
    const { id, timestampMs } = send;
    return { kind: 'stored', seq: head + 1, id, timestampMs, quoteSeq, isDuplicate: false };
  }

  #quoted(quote: Quote, conversationId: string, turn: Turn | undefined): number | 'awaited' {
    if ('seq' in quote) return quote.seq;
    const target = this.#number(conversationId, quote.chain, quote.clientSeq)?.verdict;
    if (target?.kind === 'stored') return target.seq;
    return target || quote.chain === turn?.chain ? 0 : 'awaited';
  }

  #chain(conversationId: string, chain: string) {
    return this.#past.filter(
      ({ send }) => send.conversationId === conversationId && send.turn?.chain === chain,
    );
  }

  #number(conversationId: string, chain: string, clientSeq: number) {
    return this.#chain(conversationId, chain).find(({ send }) => send.turn?.clientSeq === clientSeq);
  }
}

const takesNumber = (verdict: Verdict) =>
  (verdict.kind === 'stored' || (verdict.kind === 'refused' && verdict.code !== 'not-found')) &&
  !verdict.isDuplicate;

const refused = (code: RefusalCode): Verdict => ({ kind: 'refused', code, isDuplicate: false });

function again({ send: first, verdict }: { send: Send; verdict: Verdict }, send: Send): Verdict {
  if (first.bodyHash !== send.bodyHash) return { kind: 'conflict' };
  if (verdict.kind !== 'stored' && verdict.kind !== 'refused') throw new Error('no verdict to repeat');
  return { ...verdict, isDuplicate: true };
}
