import { createHash } from 'node:crypto';
import type { ChatMark } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { StoredEvent } from '../../ports/conversation-store/port.ts';
import type { MessageStore, Quote, StoredMessage } from '../../ports/message-store/port.ts';
import type { News, Sender, Sending, Sent, Told } from './types.ts';

/** Commits each message by itself, until the commit path is there. */
export class LoneSender implements Sender {
  readonly #deps: { clock: Clock; ids: Ids; messages: MessageStore; told: Told };

  constructor(deps: { clock: Clock; ids: Ids; messages: MessageStore; told: Told }) {
    this.#deps = deps;
  }

  async send(sending: Sending): Promise<Sent> {
    const { clock, ids, messages, told } = this.#deps;
    const { conversationId, senderId, deviceId, body, clientSeq, preId } = sending;
    const send = {
      ...{ conversationId, senderId, deviceId, body, id: ids.next(), timestampMs: clock.nowMs() },
      bodyHash: BigInt.asIntN(64, BigInt(Bun.hash.xxHash64(`${body}${sending.quote ?? ''}`))).toString(),
      turn:
        clientSeq === undefined
          ? undefined
          : { chain: uuidOf(deviceId, sending.chain ?? ''), clientSeq, preId },
      quote: quoteOf(deviceId, sending.quote),
    };
    const [verdict] = await messages.commit([send]);
    if (verdict?.kind === 'stored') {
      const { seq, id, timestampMs, isDuplicate, quoteSeq } = verdict;
      const message = { ...{ conversationId, seq, id, senderId, deviceId, clientSeq: clientSeq ?? null } };
      if (!isDuplicate) told.committed([{ ...message, quoteSeq, timestampMs, body }]);
      return { seq, id, timestampMs, isDuplicate };
    }
    if (verdict?.kind === 'refused') throw new AppError(verdict.code);
    if (verdict?.kind === 'quote-awaited') throw new AppError('quote-unknown');
    throw new AppError(verdict?.kind === 'conflict' ? 'chain-conflict' : 'out-of-turn');
  }
}

function uuidOf(deviceId: string, chain: string): string {
  const hex = createHash('sha256').update(`${deviceId}\0${chain}`).digest('hex');
  return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function quoteOf(deviceId: string, quote: number | string | undefined): Quote | undefined {
  if (quote === undefined) return undefined;
  if (typeof quote === 'number') return { seq: quote };
  const [chain = '', clientSeq = ''] = quote.split(':');
  return { chain: uuidOf(deviceId, chain), clientSeq: Number(clientSeq) };
}

/** Until delivery is there: nobody is told, and who waits looks again by itself. */
export class Untold implements Told, News {
  committed(_messages: readonly StoredMessage[]): void {}
  events(_events: readonly StoredEvent[]): void {}
  mark(_mark: ChatMark): void {}
  waitForNews(_accountId: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }
}
