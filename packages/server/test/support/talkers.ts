import { Committer } from '../../src/features/chat/commit/index.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { SnowflakeGenerator } from '../../src/kernel/ids.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import type { MessageStore } from '../../src/ports/message-store/port.ts';
import { testLog } from './database.ts';

/** Somebody who talks in a conversation, with a number for each message: as a client does it that keeps what is unanswered. */
export interface Talker {
  readonly conversationId: string;
  readonly senderId: string;
  /** The number of the first message without a receipt. */
  next: number;
}

export interface Acknowledged {
  readonly talker: Talker;
  readonly clientSeq: number;
  readonly seq: number;
}

/** Unanswered messages that each has under way. */
const window = 3;

/** What the same message says each time it is sent. */
export const bodyOf = ({ conversationId, senderId }: Talker, clientSeq: number) =>
  JSON.stringify({ type: 'text', text: `${conversationId} ${senderId} ${clientSeq}` });

export function openCommitter(messages: MessageStore, node: number): Committer {
  const lease = { node, issuedUntilMs: Number.MAX_SAFE_INTEGER, deadlineMs: Number.MAX_SAFE_INTEGER };
  return new Committer({
    ...{
      messages,
      clock: systemClock,
      random: systemRandom,
      log: testLog,
      onCommitted: () => {},
      onUnknown: () => {},
    },
    ids: new SnowflakeGenerator(systemClock, () => lease),
  });
}

/** Talks until `stop`. After an error everything unanswered is sent again, in order. */
export async function talk(
  committer: Committer,
  talker: Talker,
  onReceipt: (acknowledged: Acknowledged) => void,
  stop: AbortSignal,
): Promise<void> {
  const { conversationId, senderId } = talker;
  const from = { conversationId, senderId, deviceId: senderId, chain: 'tab' };
  while (!stop.aborted) {
    const numbers = Array.from({ length: window }, (_, i) => talker.next + i);
    const answers = await Promise.allSettled(
      numbers.map((clientSeq) => committer.send({ ...from, clientSeq, body: bodyOf(talker, clientSeq) })),
    );
    for (const [i, answer] of answers.entries()) {
      if (answer.status === 'rejected') {
        if (!isPassing(answer.reason)) throw answer.reason;
        break;
      }
      const clientSeq = numbers[i] ?? 0;
      talker.next = clientSeq + 1;
      onReceipt({ talker, clientSeq, seq: answer.value.seq });
    }
  }
}

/** Of an unknown outcome, or because of one before it. */
function isPassing(error: unknown): boolean {
  const passing = ['database-unavailable', 'timeout', 'out-of-turn', 'overloaded', 'shutting-down'];
  return error instanceof AppError && passing.includes(error.code);
}
