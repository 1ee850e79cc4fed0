import { compareIds } from '../../../kernel/ids.ts';
import type { ConversationView } from '../../../ports/conversation-store/port.ts';
import { headOf, type MemoryConversation } from './state.ts';

const OTHERS_SHOWN = 5;
const UNREAD_COUNTED = 1_000;

/** Of a conversation that the account is a member of. */
export function viewOf(conversation: MemoryConversation, accountId: string): ConversationView {
  const { id, type, title, createdAtMs, headMessageId, members, messages } = conversation;
  const me = members.get(accountId);
  if (!me) throw new Error('a view is of a member');
  const others = [...members].filter(([other]) => other !== accountId);
  others.sort(([a, x], [b, y]) => x.joinedAtMs - y.joinedAtMs || compareIds(a, b));
  const last = messages.at(-1);
  return {
    ...{ id, type, title, createdAtMs, headMessageId, headSeq: headOf(conversation) },
    memberCount: members.size,
    otherIds: others.slice(0, OTHERS_SHOWN).map(([other]) => other),
    role: me.role,
    joinedSeq: me.joinedSeq,
    readSeq: me.readSeq,
    unread: unreadOf(conversation, accountId),
    lastMessage: last && last.seq > me.joinedSeq ? last : null,
  };
}

export function unreadOf({ members, messages }: MemoryConversation, accountId: string): number {
  const me = members.get(accountId);
  if (!me) return 0;
  const after = messages.slice(Math.max(me.readSeq, me.joinedSeq));
  return Math.min(after.filter(({ senderId }) => senderId !== accountId).length, UNREAD_COUNTED);
}
