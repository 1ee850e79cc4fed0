import { AppError } from '../../../kernel/errors.ts';
import type { Send, Verdict } from '../../../ports/message-store/port.ts';
import type { PreparedSend } from './prepare.ts';
import type { SendListener } from './types.ts';

/** A send on its way into the store. */
export interface Waiting {
  send: PreparedSend;
  readonly listener: SendListener;
  readonly bytes: number;
  /** What it was given to the store as; undefined: it never was. */
  given: Send | undefined;
  /** Its outcome is unknown, and it is given again until then. */
  retryUntilMs: number | undefined;
  /** It waits for what it quotes until then. */
  holdUntilMs: number | undefined;
  /** At the head of a batch: how many go with it. */
  most: number;
}

/** Tells the sender. */
export function answer({ listener, given, send }: Waiting, verdict: Verdict): void {
  switch (verdict.kind) {
    case 'stored': {
      const { seq, id, timestampMs } = verdict;
      // Found again under the id that it was given with: it was this very send whose first answer was lost.
      const isDuplicate = verdict.isDuplicate && id !== given?.id;
      listener.stored({ conversationId: send.conversationId, seq, id, timestampMs, isDuplicate });
      return;
    }
    case 'refused':
      listener.refused(new AppError(verdict.code));
      return;
    case 'conflict':
      listener.refused(new AppError('chain-conflict'));
      return;
    case 'out-of-turn': {
      const { expectedClientSeq, expectedPreId } = verdict;
      listener.refused(new AppError('out-of-turn', { extras: { expectedClientSeq, expectedPreId } }));
      return;
    }
    case 'quote-awaited':
      // Nowhere to wait: the same send may be given again.
      listener.refused(new AppError('overloaded', { retryAfterSeconds: 1 }));
  }
}
