import type { ChatEvent, ChatMessage, Conversation, Member, MessageContent, User } from '@hvideo/protocol';
import type { ConversationView, MemberView, StoredEvent } from '../../ports/conversation-store/port.ts';
import type { StoredMessage } from '../../ports/message-store/port.ts';
import type { ChatPeople } from './types.ts';

export function toMessage(stored: StoredMessage): ChatMessage {
  return {
    conversationId: stored.conversationId,
    seq: stored.seq,
    id: stored.id,
    senderId: stored.senderId,
    senderDevice: stored.deviceId,
    clientSeq: stored.clientSeq,
    quote: stored.quoteSeq,
    timestamp: new Date(stored.timestampMs).toISOString(),
    // Validated before it was stored.
    content: JSON.parse(stored.body) as MessageContent,
  };
}

export function toEvent({ pts, kind, conversationId, seq }: StoredEvent): ChatEvent {
  return kind === 'read' ? { pts, kind, conversationId, seq: seq ?? 0 } : { pts, kind, conversationId };
}

/** With the cards of the others, read at once for all. */
export async function toConversations(
  people: Pick<ChatPeople, 'cards'>,
  views: readonly ConversationView[],
): Promise<Conversation[]> {
  const cards = await people.cards([...new Set(views.flatMap(({ otherIds }) => otherIds))]);
  return views.map((view) => toConversation(view, cards));
}

function toConversation(view: ConversationView, cards: ReadonlyMap<string, User>): Conversation {
  const { id, type, title, memberCount, role, headSeq, joinedSeq, readSeq, unread, lastMessage } = view;
  return {
    ...{ id, type, title, memberCount, role, headSeq, joinedSeq, readSeq, unread },
    createdAt: new Date(view.createdAtMs).toISOString(),
    others: cardsOf(view.otherIds, cards),
    lastMessage: lastMessage && toMessage(lastMessage),
  };
}

export async function toMembers(
  people: Pick<ChatPeople, 'cards'>,
  views: readonly MemberView[],
): Promise<Member[]> {
  const cards = await people.cards(views.map(({ accountId }) => accountId));
  return views.flatMap(({ accountId, role, joinedAtMs, readSeq, deliveredSeq }) => {
    const user = cards.get(accountId);
    // Without one: the account has just gone.
    return user ? [{ user, role, joinedAt: new Date(joinedAtMs).toISOString(), readSeq, deliveredSeq }] : [];
  });
}

const cardsOf = (ids: readonly string[], cards: ReadonlyMap<string, User>) =>
  ids.flatMap((id) => cards.get(id) ?? []);
