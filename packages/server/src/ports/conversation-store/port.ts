import type { Idempotency } from '../database/port.ts';
import type { StoredMessage } from '../message-store/port.ts';

/**
 * Conversations, who is in them, and how far each has got.
 *
 * Guarantees (each is a test of `contract.ts`)
 * - A direct conversation of two accounts exists once, also when both begin it at the same moment.
 * - A change of members, its system message and the events of the accounts concerned are one commit, under the lock that
 *   orders messages.
 * - A conversation that nobody is left in goes as a whole: it is not there any more, with nothing that was said in it.
 * - Marks (read, delivered) only rise, and never above the head. What was read was delivered. Who joins has read what was
 *   said before.
 * - Of a direct chat in which one has blocked the other, what either reads and gets from then on is not shown to the other: they
 *   go on seeing the marks of before, until a mark rises without a block.
 * - Events of an account are numbered (`pts`) 1, 2, 3 ... without holes, in the order of their commits; the newest
 *   `MAX_EVENTS` are kept.
 * - Unread is counted from the messages, never kept.
 *
 * Units and limits: a group has at most 500 members, an account at most `MAX_CONVERSATIONS` conversations.
 * Errors: `not-found` (no such conversation, or the actor is no member), `forbidden`, `group-full`,
 * `too-many-conversations`, `blocked`; `database-unavailable`, `timeout` (outcome unknown).
 * Cost: a fixed number of statements a call.
 */
export interface ConversationStore {
  /** Finds a direct conversation (also between the blocked, as it was), or makes one. Errors: `blocked`, `not-found` (no such account), `too-many-conversations`. */
  create(draft: ConversationDraft): Promise<Change>;
  change(change: MemberChange): Promise<Change>;
  /** As their member sees them; what the account is no member of is left out. */
  get(
    accountId: string,
    conversationIds: readonly string[],
    options?: StoreOptions,
  ): Promise<ConversationView[]>;
  /** Newest message first, strictly after the cursor. */
  list(accountId: string, page: ListPage, options?: StoreOptions): Promise<ConversationView[]>;
  /** How many conversations of the account hold something unread; counted up to 100. */
  countUnread(accountId: string, options?: StoreOptions): Promise<number>;
  /** By account id. Null when the account is no member. */
  members(
    accountId: string,
    conversationId: string,
    page: MembersPage,
    options?: StoreOptions,
  ): Promise<MemberView[] | null>;
  /** The ids of all members, for routing. */
  memberIds(
    conversationIds: readonly string[],
    options?: StoreOptions,
  ): Promise<Map<string, readonly string[]>>;
  /** What the account is in, of these conversations or of all, by conversation id. */
  memberships(
    accountId: string,
    conversationIds: readonly string[] | 'all',
    options?: StoreOptions,
  ): Promise<Membership[]>;
  /** Raises the account's mark; null when nothing rose. Errors: `not-found`. */
  markRead(accountId: string, conversationId: string, seq: number): Promise<ReadMark | null>;
  /** Raises marks; answers those that rose and are shown. Who is no member any more is left out. */
  markDelivered(marks: readonly DeliveredMark[]): Promise<DeliveredMark[]>;
  /**
   * The events after `pts`, at most `limit`, and the newest number of all. `tooLong`: some between are no longer kept, or `pts`
   * was never given out; then there are none.
   */
  events(accountId: string, pts: number, limit: number, options?: StoreOptions): Promise<EventPage>;
}

export interface ConversationDraft {
  readonly id: string;
  /** Of its first system message. */
  readonly messageId: string;
  readonly nowMs: number;
  readonly actorId: string;
  readonly type: 'direct' | 'group';
  /** Without the actor. */
  readonly memberIds: readonly string[];
  readonly title: string | null;
  /** The same request again gets the same answer: kept in the same commit, as `Database.write` does. */
  readonly idempotency?: Idempotency | undefined;
}

/** Of one kind: it adds, removes or renames. A direct chat has none (`forbidden`). */
export interface MemberChange {
  readonly conversationId: string;
  readonly messageId: string;
  readonly nowMs: number;
  readonly actorId: string;
  readonly add?: readonly string[];
  /** The actor leaves, or its owner removes somebody. When the owner leaves, the oldest member becomes owner. */
  readonly remove?: string;
  readonly title?: string;
}

/** What a commit did, for those who tell others. */
export interface Change {
  readonly conversationId: string;
  /** False: nothing was changed, it was so already. */
  readonly changed: boolean;
  /** The system message, where one was said (a direct chat begins without one, and nobody hears that the last one left). */
  readonly message: StoredMessage | null;
  readonly events: readonly StoredEvent[];
}

export interface StoredEvent {
  readonly accountId: string;
  readonly pts: number;
  readonly kind: 'joined' | 'left' | 'read';
  readonly conversationId: string;
  readonly seq: number | null;
}

export interface ConversationView {
  readonly id: string;
  readonly type: 'direct' | 'group';
  readonly title: string | null;
  readonly createdAtMs: number;
  readonly memberCount: number;
  /** Up to five others, the ones who came first. */
  readonly otherIds: readonly string[];
  readonly role: 'owner' | 'member';
  readonly headSeq: number;
  /** Orders lists: id of the newest message, or of the conversation while it is empty. */
  readonly headMessageId: string;
  readonly joinedSeq: number;
  readonly readSeq: number;
  readonly unread: number;
  readonly lastMessage: StoredMessage | null;
}

export interface ListPage {
  readonly before?: { readonly headMessageId: string; readonly id: string } | undefined;
  readonly limit: number;
}

export interface MembersPage {
  readonly afterId?: string | undefined;
  readonly limit: number;
}

export interface MemberView {
  readonly accountId: string;
  readonly role: 'owner' | 'member';
  readonly joinedAtMs: number;
  /** As whoever asks may see them. */
  readonly readSeq: number;
  readonly deliveredSeq: number;
}

export interface Membership {
  readonly conversationId: string;
  readonly joinedSeq: number;
  readonly headSeq: number;
}

export interface DeliveredMark {
  readonly accountId: string;
  readonly conversationId: string;
  readonly seq: number;
}

export interface ReadMark {
  /** For the account's own devices. */
  readonly event: StoredEvent;
  /** The others may know. */
  readonly isShown: boolean;
}

export interface EventPage {
  readonly events: readonly StoredEvent[];
  /** Of the account's newest event, also when it is not on this page; 0: there was none. */
  readonly pts: number;
  readonly tooLong: boolean;
}

export interface StoreOptions {
  readonly signal?: AbortSignal | undefined;
}

export const MAX_EVENTS = 1_000;
export const MAX_CONVERSATIONS = 10_000;
