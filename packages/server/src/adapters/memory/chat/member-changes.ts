import { AppError } from '../../../kernel/errors.ts';
import { compareIds } from '../../../kernel/ids.ts';
import type { MemberChange } from '../../../ports/conversation-store/port.ts';
import { MAX_MEMBERS, stepOf, systemBody } from '../../../ports/conversation-store/rules.ts';
import type { StoredMessage } from '../../../ports/message-store/port.ts';
import { headOf, type MemoryChat, type MemoryConversation, memberOf, say } from './state.ts';

export interface MemberChangeDone {
  /** Null: nobody is left to read it. */
  readonly message: StoredMessage | null;
  /** The event of those accounts, where there is one. */
  readonly kind: 'joined' | 'left' | null;
  readonly accountIds: readonly string[];
}

/** Null: it was so already. */
export function changeMembers(
  chat: MemoryChat,
  change: MemberChange,
  maxConversations: number,
): MemberChangeDone | null {
  const step = stepOf(change);
  const conversation = chat.conversations.get(change.conversationId);
  if (!conversation?.members.has(change.actorId)) throw new AppError('not-found');
  if (conversation.type !== 'group') throw new AppError('forbidden');
  switch (step.kind) {
    case 'add':
      return add(chat, conversation, change, step.accountIds, maxConversations);
    case 'remove':
      return remove(chat, conversation, change, step.accountId);
    case 'rename':
      return rename(conversation, change, step.title);
  }
}

function add(
  chat: MemoryChat,
  conversation: MemoryConversation,
  change: MemberChange,
  accountIds: readonly string[],
  maxConversations: number,
): MemberChangeDone | null {
  const { members } = conversation;
  const { actorId, nowMs } = change;
  const added = accountIds.filter((id) => !members.has(id));
  if (added.length === 0) return null;
  if (members.size + added.length > MAX_MEMBERS) throw new AppError('group-full');
  chat.requireAccounts(added);
  chat.requireUnblocked(actorId, added);
  chat.requireRoom(added, maxConversations);
  const joinedSeq = headOf(conversation);
  for (const id of added) members.set(id, memberOf('member', nowMs, joinedSeq));
  const message = say(conversation, change, systemBody('joined', actorId, { accountIds: added }));
  return { message, kind: 'joined', accountIds: added };
}

function remove(
  chat: MemoryChat,
  conversation: MemoryConversation,
  change: MemberChange,
  accountId: string,
): MemberChangeDone | null {
  const { members } = conversation;
  const { actorId } = change;
  const leaves = accountId === actorId;
  const isOwner = members.get(actorId)?.role === 'owner';
  if (!leaves && !isOwner) throw new AppError('forbidden');
  if (!members.delete(accountId)) return null;
  if (members.size === 0) {
    chat.conversations.delete(conversation.id);
    return { message: null, kind: 'left', accountIds: [accountId] };
  }
  if (leaves && isOwner) handOver(conversation);
  const body = systemBody(leaves ? 'left' : 'removed', actorId, { accountIds: [accountId] });
  return { message: say(conversation, change, body), kind: 'left', accountIds: [accountId] };
}

function handOver({ members }: MemoryConversation): void {
  const [oldest] = [...members].sort(([a, x], [b, y]) => x.joinedAtMs - y.joinedAtMs || compareIds(a, b));
  if (oldest) oldest[1].role = 'owner';
}

function rename(
  conversation: MemoryConversation,
  change: MemberChange,
  title: string,
): MemberChangeDone | null {
  if (conversation.title === title) return null;
  conversation.title = title;
  const message = say(conversation, change, systemBody('renamed', change.actorId, { title }));
  return { message, kind: null, accountIds: [] };
}
