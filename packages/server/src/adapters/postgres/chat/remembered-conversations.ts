import type { Tail } from '../../../ports/message-store/decide.ts';

/**
 * What this process knows of a conversation since its last commit there. Good as long as the row of its head has the same
 * `xmin`: whoever writes into a conversation or changes its members updates that row, so any other's transaction shows.
 */
export interface RememberedConversation {
  /** The transaction that wrote the head's row, and what it says. */
  readonly xmin: string;
  readonly headSeq: number;
  /** The accounts of a direct chat, which never change; null: a group. */
  readonly pair: readonly [string, string] | null;
  /** As in `ConversationFacts`; null: looked for, and not there. */
  readonly members: Map<string, number | null>;
  readonly tails: Map<string, Tail | null>;
  /** It was as remembered when it was last looked at, and nobody in it is blocked: likely so the next time. */
  readonly isSteady: boolean;
}

const MAX_CONVERSATIONS = 10_000;
const MAX_MEMBERS = 100;
const MAX_CHAINS = 100;

/** Bounded; what was used longest ago goes. */
export class RememberedConversations {
  readonly #known = new Map<string, RememberedConversation>();

  /** To look at only. */
  peek(conversationId: string): RememberedConversation | undefined {
    return this.#known.get(conversationId);
  }

  /** Takes it out: a decision carries it on, and it is put back when that was committed. */
  take(conversationId: string): RememberedConversation | undefined {
    const known = this.#known.get(conversationId);
    if (known) this.#known.delete(conversationId);
    return known;
  }

  put(conversationId: string, conversation: RememberedConversation): void {
    if (conversation.members.size > MAX_MEMBERS || conversation.tails.size > MAX_CHAINS) return;
    this.#known.delete(conversationId);
    this.#known.set(conversationId, conversation);
    if (this.#known.size <= MAX_CONVERSATIONS) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}
