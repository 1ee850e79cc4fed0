import type { ChatMessage, Member, Page } from '@hvideo/protocol';
import { type CursorCodec, pageOfRows } from '../../../kernel/cursor.ts';
import { AppError } from '../../../kernel/errors.ts';
import type { ConversationStore, Membership } from '../../../ports/conversation-store/port.ts';
import type { MessageStore } from '../../../ports/message-store/port.ts';
import { toMembers, toMessage } from '../presenting.ts';
import type { ChatPeople, Told } from '../types.ts';
import type { PageRequest } from './conversations.ts';

export interface ReadingDeps {
  readonly cursors: CursorCodec;
  readonly conversations: Pick<ConversationStore, 'memberships' | 'members' | 'markRead'>;
  readonly messages: Pick<MessageStore, 'read'>;
  readonly people: Pick<ChatPeople, 'cards'>;
  readonly told: Pick<Told, 'events' | 'mark'>;
}

export interface HistoryRequest {
  /** Exclusive, both. */
  readonly afterSeq?: number | undefined;
  readonly beforeSeq?: number | undefined;
  readonly limit: number;
}

/** What a member reads of a conversation, and how far it has. */
export class Reading {
  readonly #deps: ReadingDeps;

  constructor(deps: ReadingDeps) {
    this.#deps = deps;
  }

  /**
   * After a message the ones next to it, else the newest of the range; in order of seq. Nothing from before the member came.
   * Errors: `not-found`.
   */
  async history(
    accountId: string,
    conversationId: string,
    { afterSeq, beforeSeq, limit }: HistoryRequest,
    signal?: AbortSignal,
  ): Promise<{ items: ChatMessage[]; headSeq: number }> {
    const { joinedSeq, headSeq } = await this.#membership(accountId, conversationId, signal);
    const after = Math.max(afterSeq ?? 0, joinedSeq);
    // What comes meanwhile is left for the next page: the answer is of one moment.
    const before = Math.min(beforeSeq ?? Number.MAX_SAFE_INTEGER, headSeq + 1);
    if (before <= after + 1) return { items: [], headSeq };
    const range = { conversationId, afterSeq: after, beforeSeq: before, limit };
    const [found = []] = await this.#deps.messages.read(
      [{ ...range, keep: afterSeq === undefined ? 'newest' : 'oldest' }],
      { signal },
    );
    return { items: found.map(toMessage), headSeq };
  }

  /** By account id. Errors: `not-found`, `invalid-cursor`. */
  async members(
    accountId: string,
    conversationId: string,
    { cursor, limit }: PageRequest,
    signal?: AbortSignal,
  ): Promise<Page<Member>> {
    const { conversations, cursors, people } = this.#deps;
    const kind = `members:${conversationId}`;
    const [afterId] = cursor === undefined ? [] : cursors.decode(kind, cursor);
    const page = { afterId, limit: limit + 1 };
    const views = await conversations.members(accountId, conversationId, page, { signal });
    if (!views) throw new AppError('not-found');
    const { rows, nextCursor } = pageOfRows(views, limit, (last) => cursors.encode(kind, [last.accountId]));
    return { items: await toMembers(people, rows), nextCursor };
  }

  /** One's other devices hear of it as an event that is kept, the others, where they may, as a mark. Errors: `not-found`. */
  async markRead(accountId: string, conversationId: string, seq: number): Promise<void> {
    const { conversations, told } = this.#deps;
    const mark = await conversations.markRead(accountId, conversationId, seq);
    if (!mark) return;
    const readSeq = mark.event.seq ?? 0;
    told.events([mark.event]);
    if (mark.isShown) told.mark({ kind: 'mark', conversationId, accountId, readSeq, deliveredSeq: readSeq });
  }

  async #membership(
    accountId: string,
    conversationId: string,
    signal: AbortSignal | undefined,
  ): Promise<Membership> {
    const [membership] = await this.#deps.conversations.memberships(accountId, [conversationId], { signal });
    if (!membership) throw new AppError('not-found');
    return membership;
  }
}
