import {
  type ConversationFacts,
  decide,
  type Facts,
  storedMessage,
} from '../../../ports/message-store/decide.ts';
import {
  MAX_READ,
  MAX_SENDS,
  type MessageStore,
  type MessageStoreOptions,
  type Send,
  type SeqRange,
  type StoredMessage,
  type Verdict,
} from '../../../ports/message-store/port.ts';
import { headOf, type MemoryChat, type MemoryConversation } from './state.ts';

export class MemoryMessageStore implements MessageStore {
  readonly #chat: MemoryChat;

  constructor(chat: MemoryChat) {
    this.#chat = chat;
  }

  async commit(sends: readonly Send[]): Promise<Verdict[]> {
    if (sends.length > MAX_SENDS) throw new RangeError(`more than ${MAX_SENDS} sends`);
    // It carries on tails and verdicts, which are the chat's own.
    const { verdicts, messages, heads } = decide(sends, this.#facts(sends));
    for (const message of messages) {
      this.#conversation(message.send.conversationId).messages.push(storedMessage(message));
    }
    for (const [id, { messageId }] of heads) this.#conversation(id).headMessageId = messageId;
    return verdicts;
  }

  async read(ranges: readonly SeqRange[], options: MessageStoreOptions = {}): Promise<StoredMessage[][]> {
    options.signal?.throwIfAborted();
    let left = MAX_READ;
    return ranges.map(({ conversationId, afterSeq, beforeSeq, limit, keep }) => {
      const all = this.#chat.conversations.get(conversationId)?.messages ?? [];
      const range = all.slice(afterSeq, beforeSeq === undefined ? undefined : Math.max(0, beforeSeq - 1));
      const count = Math.min(limit, left, range.length);
      left -= count;
      return keep === 'oldest' ? range.slice(0, count) : range.slice(range.length - count);
    });
  }

  async heads(
    conversationIds: readonly string[],
    options: MessageStoreOptions = {},
  ): Promise<Map<string, number>> {
    options.signal?.throwIfAborted();
    const heads = new Map<string, number>();
    for (const id of conversationIds) {
      const conversation = this.#chat.conversations.get(id);
      if (conversation) heads.set(id, headOf(conversation));
    }
    return heads;
  }

  #facts(sends: readonly Send[]): Facts {
    const facts = new Map<string, ConversationFacts>();
    for (const { conversationId, senderId } of sends) {
      const conversation = this.#chat.conversations.get(conversationId);
      if (!conversation) continue;
      const known = facts.get(conversationId) ?? this.#factsOf(conversation);
      facts.set(conversationId, known);
      const member = conversation.members.get(senderId);
      if (member) known.members.set(senderId, member.joinedSeq);
    }
    return facts;
  }

  #factsOf(conversation: MemoryConversation): ConversationFacts {
    const { tails, verdicts, type } = conversation;
    const [a = '', b = ''] = type === 'direct' ? [...conversation.members.keys()] : [];
    const isBlocked = this.#chat.areBlocked(a, b);
    return { headSeq: headOf(conversation), isBlocked, members: new Map(), tails, verdicts };
  }

  #conversation(id: string): MemoryConversation {
    const conversation = this.#chat.conversations.get(id);
    if (!conversation) throw new Error('a message was decided on for a conversation that is not there');
    return conversation;
  }
}
