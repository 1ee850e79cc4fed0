import type { SyncedConversation } from '@hvideo/protocol';
import type { PendingConversation } from '../../../ports/device-store/port.ts';
import type { MessageStore, SeqRange, StoredMessage } from '../../../ports/message-store/port.ts';
import { AFTER_GAP, GAP_ABOVE } from '../delivery/index.ts';
import { toMessage } from '../presenting.ts';

/** In one answer. */
export const MAX_MESSAGES = 300;
export const MAX_BYTES = 512 * 1024;

export interface PendingPage {
  readonly conversations: SyncedConversation[];
  readonly more: boolean;
}

interface Part {
  readonly pending: PendingConversation;
  readonly gap: SyncedConversation['gap'];
  readonly range: SeqRange;
  /** The range ends before the head. */
  readonly isCut: boolean;
}

/** What is pending, as much of it as one answer may hold: at least one message, and of each conversation its first ones. */
export async function readPending(
  messages: Pick<MessageStore, 'read'>,
  pending: readonly PendingConversation[],
  signal: AbortSignal | undefined,
): Promise<PendingPage> {
  const { parts, more } = planned(pending);
  if (parts.length === 0) return { conversations: [], more };
  const found = await messages.read(
    parts.map(({ range }) => range),
    { signal },
  );
  const conversations: SyncedConversation[] = [];
  let bytes = 0;
  for (const [index, { pending, gap, isCut }] of parts.entries()) {
    const { conversationId, headSeq } = pending;
    const kept: StoredMessage[] = [];
    const read = found[index] ?? [];
    for (const message of read) {
      bytes += message.body.length * 2;
      if (bytes > MAX_BYTES && (kept.length > 0 || conversations.length > 0)) break;
      kept.push(message);
    }
    const isFull = kept.length < read.length;
    if (kept.length > 0) conversations.push({ conversationId, headSeq, gap, messages: kept.map(toMessage) });
    if (isFull || isCut) return { conversations, more: true };
  }
  return { conversations, more };
}

function planned(pending: readonly PendingConversation[]): { parts: Part[]; more: boolean } {
  const parts: Part[] = [];
  let left = MAX_MESSAGES;
  for (const each of pending) {
    if (left === 0) return { parts, more: true };
    const part = partOf(each, left);
    left -= part.range.limit;
    parts.push(part);
  }
  return { parts, more: false };
}

function partOf(pending: PendingConversation, left: number): Part {
  const { conversationId, cursorSeq, headSeq } = pending;
  const isFarBehind = headSeq - cursorSeq > GAP_ABOVE;
  const afterSeq = isFarBehind ? headSeq - AFTER_GAP : cursorSeq;
  const limit = Math.min(left, headSeq - afterSeq);
  return {
    pending,
    gap: isFarBehind ? { fromSeq: cursorSeq + 1, toSeq: afterSeq } : null,
    range: { conversationId, afterSeq, beforeSeq: headSeq + 1, limit, keep: 'oldest' },
    isCut: limit < headSeq - afterSeq,
  };
}
