import type { Conversation, Page } from '@hvideo/protocol';
import type { Clock } from '../../../kernel/clock.ts';
import { type CursorCodec, pageOfRows } from '../../../kernel/cursor.ts';
import { AppError } from '../../../kernel/errors.ts';
import type { Ids } from '../../../kernel/ids.ts';
import type { Change, ConversationStore, MemberChange } from '../../../ports/conversation-store/port.ts';
import type { Idempotency } from '../../../ports/database/port.ts';
import { toConversations } from '../presenting.ts';
import type { ChatPeople, Told } from '../types.ts';

export interface ConversationsDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly cursors: CursorCodec;
  readonly conversations: Pick<
    ConversationStore,
    'create' | 'change' | 'get' | 'list' | 'countUnread' | 'memberships'
  >;
  readonly people: ChatPeople;
  readonly told: Pick<Told, 'committed' | 'events' | 'suspectMembers'>;
}

export interface PageRequest {
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export type Beginning =
  | { readonly type: 'direct'; readonly memberIds: readonly string[] }
  | { readonly type: 'group'; readonly memberIds: readonly string[]; readonly title?: string | undefined };

/**
 * Conversations as their members see them, and what changes them. To whoever is no member a conversation is not there:
 * everything here answers `not-found`.
 */
export class Conversations {
  readonly #deps: ConversationsDeps;

  constructor(deps: ConversationsDeps) {
    this.#deps = deps;
  }

  /**
   * A direct one is found again. Errors: `cannot-target-self`, `not-found` (one of them is not there, or suspended), `blocked`,
   * `too-many-conversations`, `group-full`.
   */
  async create(
    accountId: string,
    beginning: Beginning,
    idempotency?: Idempotency | undefined,
  ): Promise<Conversation> {
    const memberIds = [...new Set(beginning.memberIds)].filter((id) => id !== accountId);
    if (memberIds.length === 0) throw new AppError('cannot-target-self');
    await this.#requireReachable(memberIds);
    const { clock, conversations, ids } = this.#deps;
    const id = ids.next();
    const draft = {
      ...{ id, messageId: ids.next(), nowMs: clock.nowMs(), actorId: accountId },
      ...{ type: beginning.type, memberIds, idempotency },
      title: (beginning.type === 'group' ? beginning.title : undefined) ?? null,
    };
    const concerned = [accountId, ...memberIds];
    const change = await this.#orSuspect(id, concerned, () => conversations.create(draft));
    this.#tell(change);
    return this.get(accountId, change.conversationId);
  }

  /** Errors: `not-found`. */
  async get(accountId: string, conversationId: string, signal?: AbortSignal): Promise<Conversation> {
    const { conversations, people } = this.#deps;
    const views = await conversations.get(accountId, [conversationId], { signal });
    const [conversation] = await toConversations(people, views);
    if (!conversation) throw new AppError('not-found');
    return conversation;
  }

  /** The one with the newest message first. Errors: `invalid-cursor`. */
  async list(
    accountId: string,
    { cursor, limit }: PageRequest,
    signal?: AbortSignal,
  ): Promise<Page<Conversation>> {
    const { conversations, cursors, people } = this.#deps;
    const kind = `conversations:${accountId}`;
    const [headMessageId, id] = cursor === undefined ? [] : cursors.decode(kind, cursor);
    const before = headMessageId !== undefined && id !== undefined ? { headMessageId, id } : undefined;
    const views = await conversations.list(accountId, { before, limit: limit + 1 }, { signal });
    const page = pageOfRows(views, limit, (last) => cursors.encode(kind, [last.headMessageId, last.id]));
    return { items: await toConversations(people, page.rows), nextCursor: page.nextCursor };
  }

  async unread(accountId: string, signal?: AbortSignal): Promise<{ conversations: number }> {
    return { conversations: await this.#deps.conversations.countUnread(accountId, { signal }) };
  }

  /** Errors: `not-found`, `forbidden` (a direct chat has no title). */
  rename(accountId: string, conversationId: string, title: string): Promise<void> {
    return this.#change(accountId, conversationId, { title });
  }

  /** Errors: `not-found` (also of one of them), `forbidden`, `blocked`, `group-full`, `too-many-conversations`. */
  async add(accountId: string, conversationId: string, memberIds: readonly string[]): Promise<void> {
    // Whoever may not know of the group is told so first, not who is there.
    await this.#requireMember(accountId, conversationId);
    const added = [...new Set(memberIds)];
    await this.#requireReachable(added);
    await this.#change(accountId, conversationId, { add: added });
  }

  /** Leaves, or takes somebody out. Who is not in it is not taken out twice. Errors: `not-found`, `forbidden`. */
  remove(accountId: string, conversationId: string, otherId: string): Promise<void> {
    return this.#change(accountId, conversationId, { remove: otherId });
  }

  async #change(
    actorId: string,
    conversationId: string,
    what: Pick<MemberChange, 'add' | 'remove' | 'title'>,
  ): Promise<void> {
    const { clock, conversations, ids } = this.#deps;
    const about = { conversationId, messageId: ids.next(), nowMs: clock.nowMs(), actorId };
    const concerned = [...(what.add ?? []), ...(what.remove === undefined ? [] : [what.remove])];
    this.#tell(
      await this.#orSuspect(conversationId, concerned, () => conversations.change({ ...about, ...what })),
    );
  }

  /** What failed may have been done: who came in must hear of it, and who was taken out must not go on reading. */
  async #orSuspect(
    conversationId: string,
    concerned: readonly string[],
    work: () => Promise<Change>,
  ): Promise<Change> {
    try {
      return await work();
    } catch (error) {
      const isRefused = error instanceof AppError && error.status < 500;
      if (!isRefused) this.#deps.told.suspectMembers(conversationId, concerned);
      throw error;
    }
  }

  #tell({ changed, message, events }: Change): void {
    if (!changed) return;
    const { told } = this.#deps;
    // Who has joined is in the feed before the message that says so comes.
    told.events(events);
    if (message) told.committed([message]);
  }

  async #requireReachable(accountIds: readonly string[]): Promise<void> {
    const reachable = await this.#deps.people.reachable(accountIds);
    if (accountIds.some((id) => !reachable.has(id))) throw new AppError('not-found');
  }

  async #requireMember(accountId: string, conversationId: string): Promise<void> {
    const [membership] = await this.#deps.conversations.memberships(accountId, [conversationId]);
    if (!membership) throw new AppError('not-found');
  }
}
