import { AppError } from '../../../kernel/errors.ts';
import { compareIds } from '../../../kernel/ids.ts';
import {
  type Change,
  type ConversationDraft,
  type ConversationStore,
  type ConversationView,
  type DeliveredMark,
  type EventPage,
  type ListPage,
  MAX_CONVERSATIONS,
  MAX_EVENTS,
  type MemberChange,
  type Membership,
  type MembersPage,
  type MemberView,
  type ReadMark,
  type StoredEvent,
} from '../../../ports/conversation-store/port.ts';
import { createdBody, directKey, participantsOf } from '../../../ports/conversation-store/rules.ts';
import { changeMembers } from './member-changes.ts';
import {
  headOf,
  type MemoryChat,
  type MemoryConversation,
  type MemoryMember,
  memberOf,
  say,
} from './state.ts';
import { unreadOf, viewOf } from './views.ts';

const UNREAD_CONVERSATIONS_COUNTED = 100;

export interface MemoryConversationLimits {
  readonly maxConversations: number;
  readonly maxEvents: number;
}

const defaultLimits: MemoryConversationLimits = {
  maxConversations: MAX_CONVERSATIONS,
  maxEvents: MAX_EVENTS,
};

export class MemoryConversationStore implements ConversationStore {
  readonly #chat: MemoryChat;
  readonly #limits: MemoryConversationLimits;

  constructor(chat: MemoryChat, limits: MemoryConversationLimits = defaultLimits) {
    this.#chat = chat;
    this.#limits = limits;
  }

  async create(draft: ConversationDraft): Promise<Change> {
    return this.#chat.once(draft.idempotency, () => this.#create(draft));
  }

  #create(draft: ConversationDraft): Change {
    const { id, type, nowMs, title, actorId } = draft;
    const participants = participantsOf(draft);
    const key = type === 'direct' ? directKey(actorId, draft.memberIds[0] ?? '') : undefined;
    const found = key === undefined ? undefined : this.#chat.direct.get(key);
    if (found) return { conversationId: found, changed: false, message: null, events: [] };
    this.#chat.requireAccounts(participants);
    this.#chat.requireUnblocked(actorId, draft.memberIds);
    this.#chat.requireRoom(participants, this.#limits.maxConversations);
    const conversation: MemoryConversation = {
      ...{ id, type, title, createdAtMs: nowMs, headMessageId: id },
      ...{ members: new Map(), messages: [], tails: new Map(), verdicts: new Map() },
    };
    for (const accountId of participants) {
      const role = accountId === actorId ? 'owner' : 'member';
      conversation.members.set(accountId, memberOf(role, nowMs, 0));
    }
    this.#chat.conversations.set(id, conversation);
    if (key !== undefined) this.#chat.direct.set(key, id);
    const events = participants.map((accountId) => this.#event(accountId, 'joined', id, null));
    const message = type === 'group' ? say(conversation, draft, createdBody(draft)) : null;
    return { conversationId: id, changed: true, message, events };
  }

  async change(change: MemberChange): Promise<Change> {
    const { conversationId } = change;
    const unchanged = { conversationId, changed: false, message: null, events: [] };
    const done = changeMembers(this.#chat, change, this.#limits.maxConversations);
    if (!done) return unchanged;
    const { message, kind, accountIds } = done;
    const events = kind ? accountIds.map((id) => this.#event(id, kind, conversationId, null)) : [];
    return { conversationId, changed: true, message, events };
  }

  async get(accountId: string, conversationIds: readonly string[]): Promise<ConversationView[]> {
    const asked = new Set(conversationIds);
    return this.#views(accountId).filter(({ id }) => asked.has(id));
  }

  async list(accountId: string, { before, limit }: ListPage): Promise<ConversationView[]> {
    const views = this.#views(accountId);
    const isAfter = ({ headMessageId, id }: ConversationView) =>
      !before || (compareIds(before.headMessageId, headMessageId) || compareIds(before.id, id)) > 0;
    return views.filter(isAfter).slice(0, limit);
  }

  #views(accountId: string): ConversationView[] {
    const views = this.#chat.conversationsOf(accountId).map((it) => viewOf(it, accountId));
    return views.sort((a, b) => compareIds(b.headMessageId, a.headMessageId) || compareIds(b.id, a.id));
  }

  async countUnread(accountId: string): Promise<number> {
    const unread = this.#chat.conversationsOf(accountId).filter((it) => unreadOf(it, accountId) > 0);
    return Math.min(unread.length, UNREAD_CONVERSATIONS_COUNTED);
  }

  async members(
    accountId: string,
    conversationId: string,
    { afterId, limit }: MembersPage,
  ): Promise<MemberView[] | null> {
    const members = this.#chat.conversations.get(conversationId)?.members;
    if (!members?.has(accountId)) return null;
    const views = [...members].map(
      ([id, { role, joinedAtMs, readSeq, deliveredSeq, shown }]): MemberView => ({
        ...{ accountId: id, role, joinedAtMs, readSeq, deliveredSeq },
        ...(id !== accountId && shown),
      }),
    );
    return views
      .sort((a, b) => compareIds(a.accountId, b.accountId))
      .filter((view) => afterId === undefined || compareIds(view.accountId, afterId) > 0)
      .slice(0, limit);
  }

  async memberIds(conversationIds: readonly string[]): Promise<Map<string, readonly string[]>> {
    const members = new Map<string, readonly string[]>();
    for (const id of conversationIds) {
      const ids = [...(this.#chat.conversations.get(id)?.members.keys() ?? [])].sort(compareIds);
      if (ids.length > 0) members.set(id, ids);
    }
    return members;
  }

  async memberships(accountId: string, conversationIds: readonly string[] | 'all'): Promise<Membership[]> {
    const asked = (id: string) => conversationIds === 'all' || conversationIds.includes(id);
    const mine = this.#chat.conversationsOf(accountId).filter(({ id }) => asked(id));
    const memberships = mine.map(
      (it): Membership => ({
        ...{ conversationId: it.id, headSeq: headOf(it) },
        joinedSeq: it.members.get(accountId)?.joinedSeq ?? 0,
      }),
    );
    return memberships.sort((a, b) => compareIds(a.conversationId, b.conversationId));
  }

  async markRead(accountId: string, conversationId: string, seq: number): Promise<ReadMark | null> {
    const conversation = this.#chat.conversations.get(conversationId);
    const member = conversation?.members.get(accountId);
    if (!conversation || !member) throw new AppError('not-found');
    const readSeq = Math.min(seq, headOf(conversation));
    if (readSeq <= member.readSeq) return null;
    const isShown = this.#show(conversation, member);
    member.readSeq = readSeq;
    member.deliveredSeq = Math.max(member.deliveredSeq, readSeq);
    return { event: this.#event(accountId, 'read', conversationId, readSeq), isShown };
  }

  async markDelivered(marks: readonly DeliveredMark[]): Promise<DeliveredMark[]> {
    const risen = new Map<string, DeliveredMark>();
    for (const { accountId, conversationId, seq } of marks) {
      const conversation = this.#chat.conversations.get(conversationId);
      const member = conversation?.members.get(accountId);
      if (!conversation || !member) continue;
      const deliveredSeq = Math.min(seq, headOf(conversation));
      if (deliveredSeq <= member.deliveredSeq) continue;
      const isShown = this.#show(conversation, member);
      member.deliveredSeq = deliveredSeq;
      if (isShown)
        risen.set(`${conversationId}/${accountId}`, { accountId, conversationId, seq: deliveredSeq });
    }
    return [...risen.values()];
  }

  /** Before its marks rise. */
  #show(conversation: MemoryConversation, member: MemoryMember): boolean {
    const isShown = !this.#chat.isBlocked(conversation);
    const { readSeq, deliveredSeq } = member;
    member.shown = isShown ? undefined : (member.shown ?? { readSeq, deliveredSeq });
    return isShown;
  }

  async events(accountId: string, pts: number, limit: number): Promise<EventPage> {
    const known = this.#chat.events.get(accountId) ?? { pts: 0, newest: [] };
    const oldest = known.newest[0]?.pts ?? known.pts + 1;
    const tooLong = pts > known.pts || (pts < known.pts && pts + 1 < oldest);
    const events = tooLong ? [] : known.newest.filter((event) => event.pts > pts).slice(0, limit);
    return { events, pts: known.pts, tooLong };
  }

  #event(
    accountId: string,
    kind: StoredEvent['kind'],
    conversationId: string,
    seq: number | null,
  ): StoredEvent {
    const known = this.#chat.events.get(accountId) ?? { pts: 0, newest: [] };
    known.pts += 1;
    const event = { accountId, pts: known.pts, kind, conversationId, seq };
    known.newest.push(event);
    if (known.newest.length > this.#limits.maxEvents) known.newest.shift();
    this.#chat.events.set(accountId, known);
    return event;
  }
}
