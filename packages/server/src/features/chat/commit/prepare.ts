import { ChatName } from '@hvideo/protocol';
import { AppError } from '../../../kernel/errors.ts';
import { isId } from '../../../kernel/ids.ts';
import type { Quote, Send, Turn } from '../../../ports/message-store/port.ts';
import { isFitBody } from './body.ts';
import type { Draft } from './types.ts';

/** A send without what it gets when its batch is made. */
export type PreparedSend = Omit<Send, 'id' | 'timestampMs'>;

const MAX_REMEMBERED = 50_000;
const QUOTE = /^([A-Za-z0-9_-]{0,64}):([1-9][0-9]{0,15})$/;

/** Turns drafts into sends. Remembers the names of chains, whose hashes cost more than all the rest. */
export class Preparer {
  readonly #chains = new Map<string, string>();

  /** Or why it is refused: `invalid-request`, `not-found`; `message-invalid` and `quote-unknown` of a send without a number. */
  prepare(draft: Draft): PreparedSend | AppError {
    try {
      return this.#prepare(draft);
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
  }

  #prepare(draft: Draft): PreparedSend {
    const { conversationId, senderId, deviceId, body } = draft;
    if (!isId(conversationId)) throw new AppError('not-found');
    const turn = this.#turn(draft);
    const quote = draft.quote === undefined ? undefined : this.#quote(draft.quote, deviceId);
    const unfit = !isFitBody(body) ? 'message-invalid' : quote === null ? 'quote-unknown' : undefined;
    if (unfit && !turn) throw new AppError(unfit);
    const bodyHash = hashOf(draft.quote === undefined ? body : `${body}\n${draft.quote}`);
    return {
      ...{ conversationId, senderId, deviceId, bodyHash, turn, unfit },
      quote: quote ?? undefined,
      // What is refused is not kept: its hash is enough to know it again.
      body: unfit ? '' : body,
    };
  }

  #turn({ deviceId, chain = '', clientSeq, preId }: Draft): Turn | undefined {
    if (clientSeq === undefined) return undefined;
    if (!Number.isSafeInteger(clientSeq) || clientSeq < 1) throw new AppError('invalid-request');
    if (preId !== undefined && !isId(preId)) throw new AppError('invalid-request');
    return { chain: this.#chain(deviceId, chain), clientSeq, preId };
  }

  /** Null: it is none. */
  #quote(quote: number | string, deviceId: string): Quote | null {
    if (typeof quote === 'number') return Number.isSafeInteger(quote) && quote > 0 ? { seq: quote } : null;
    const [, chain, number] = QUOTE.exec(quote) ?? [];
    if (chain === undefined) {
      const seq = /^[1-9][0-9]{0,15}$/.test(quote) ? Number(quote) : 0;
      return this.#quote(seq, deviceId);
    }
    const clientSeq = Number(number);
    return Number.isSafeInteger(clientSeq) ? { chain: this.#chain(deviceId, chain), clientSeq } : null;
  }

  /** Half of a SHA-256: nobody finds a name of theirs with the hash of another's. Errors: `invalid-request`. */
  #chain(deviceId: string, name: string): string {
    const key = `${deviceId}/${name}`;
    const known = this.#chains.get(key);
    if (known) return known;
    if (name !== '' && !ChatName.safeParse(name).success) throw new AppError('invalid-request');
    const hex = new Bun.CryptoHasher('sha256').update(key).digest('hex');
    const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
    if (this.#chains.size >= MAX_REMEMBERED) this.#chains.clear();
    this.#chains.set(key, uuid);
    return uuid;
  }
}

const hashOf = (text: string) => BigInt.asIntN(64, Bun.hash.xxHash64(text)).toString();
