import type { ChatMessage } from '@hvideo/protocol';
import type { Outgoing } from './outgoing.ts';
import type { ViewMessage } from './types.ts';
import type { MessageWindow } from './window.ts';

interface Look {
  ofStored(message: ChatMessage): ViewMessage;
  ofOutgoing(message: Outgoing): ViewMessage;
}

/** What is shown of a window, with one's own messages that are not sent: failed ones where they were written, others at the end. */
export function arrange(
  { items, ahead, hasNewer }: Pick<MessageWindow, 'items' | 'ahead' | 'hasNewer'>,
  unsent: { readonly pending: readonly Outgoing[]; readonly failed: readonly Outgoing[] },
  accountId: string,
  look: Look,
): ViewMessage[] {
  const messages = items.map((message) => look.ofStored(message));
  for (const message of unsent.failed) {
    // Between those that were there when it was written and those that came later.
    let at = messages.findLastIndex(({ seq }) => seq !== null && seq <= message.baseSeq) + 1;
    while (messages[at]?.seq === null) at += 1;
    if (at < messages.length || !hasNewer) messages.splice(at, 0, look.ofOutgoing(message));
  }
  if (hasNewer) return messages;
  const ownAhead = ahead.filter(({ senderId }) => senderId === accountId);
  return [
    ...messages,
    ...ownAhead.map((message) => look.ofStored(message)),
    ...unsent.pending.map((message) => look.ofOutgoing(message)),
  ];
}
