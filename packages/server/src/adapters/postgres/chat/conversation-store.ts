import type {
  Change,
  ConversationDraft,
  ConversationStore,
  ConversationView,
  DeliveredMark,
  EventPage,
  ListPage,
  MemberChange,
  Membership,
  MembersPage,
  MemberView,
  ReadMark,
  StoreOptions,
} from '../../../ports/conversation-store/port.ts';
import { createdBody, directKey, participantsOf } from '../../../ports/conversation-store/rules.ts';
import type { Database, Sql } from '../../../ports/database/port.ts';
import { appendEvents, type EventRow, toEvent } from './events.ts';
import { type ConversationLimits, defaultLimits } from './limits.ts';
import { markDelivered, markRead } from './marks.ts';
import { changeMembers, type DeleteMessages } from './member-changes.ts';
import { addMembers, requireAccounts, requireRoom, requireUnblocked, say } from './member-rows.ts';
import { countUnread, readMemberships, readViews } from './views.ts';

interface Options {
  readonly limits?: ConversationLimits;
  /** Left out: at once, however long that takes. */
  readonly deleteMessages?: DeleteMessages;
}

export class PostgresConversationStore implements ConversationStore {
  readonly #db: Database;
  readonly #limits: ConversationLimits;
  readonly #deleteMessages: DeleteMessages;

  constructor(db: Database, { limits = defaultLimits, deleteMessages = deleteAtOnce }: Options = {}) {
    this.#db = db;
    this.#limits = limits;
    this.#deleteMessages = deleteMessages;
  }

  create(draft: ConversationDraft): Promise<Change> {
    return this.#db.write(draft.idempotency, (tx) => create(tx, draft, this.#limits));
  }

  change(change: MemberChange): Promise<Change> {
    return this.#db.transaction((tx) =>
      changeMembers(tx, change, { limits: this.#limits, deleteMessages: this.#deleteMessages }),
    );
  }

  get(
    accountId: string,
    conversationIds: readonly string[],
    options: StoreOptions = {},
  ): Promise<ConversationView[]> {
    const { sql } = this.#db;
    const which = sql`
      select conversation_id from conversation_member
      where account_id = ${accountId} and conversation_id = any(${sql.array(conversationIds, 'int8')})`;
    return readViews(sql, accountId, which, options);
  }

  list(accountId: string, page: ListPage, options: StoreOptions = {}): Promise<ConversationView[]> {
    const { sql } = this.#db;
    const after = page.before
      ? sql`and (h.message_id, h.conversation_id) < (${page.before.headMessageId}::int8, ${page.before.id}::int8)`
      : sql``;
    const which = sql`
      select h.conversation_id from conversation_member m
      join conversation_head h using (conversation_id)
      where m.account_id = ${accountId} ${after}
      order by h.message_id desc, h.conversation_id desc limit ${page.limit}`;
    return readViews(sql, accountId, which, options);
  }

  countUnread(accountId: string, options: StoreOptions = {}): Promise<number> {
    return countUnread(this.#db.sql, accountId, options);
  }

  async members(
    accountId: string,
    conversationId: string,
    page: MembersPage,
    options: StoreOptions = {},
  ): Promise<MemberView[] | null> {
    const { sql } = this.#db;
    const rows = await sql<MemberRow>`
      select m.account_id, m.role, (extract(epoch from m.joined_at) * 1000)::int8 as joined_ms,
        case when m.account_id = asking.account_id then m.read_seq else coalesce(m.shown_read_seq, m.read_seq) end as read_seq,
        case when m.account_id = asking.account_id then m.delivered_seq else coalesce(m.shown_delivered_seq, m.delivered_seq) end
          as delivered_seq
      from conversation_member asking
      left join lateral (
        select * from conversation_member
        where conversation_id = asking.conversation_id and account_id > ${page.afterId ?? '0'}
        order by account_id limit ${page.limit}
      ) m on true
      where asking.conversation_id = ${conversationId} and asking.account_id = ${accountId}
      order by m.account_id`.withSignal(options.signal);
    if (rows.length === 0) return null;
    return rows.filter((row) => row.account_id !== null).map(toMember);
  }

  async memberIds(
    conversationIds: readonly string[],
    options: StoreOptions = {},
  ): Promise<Map<string, readonly string[]>> {
    const { sql } = this.#db;
    const rows = await sql<{ id: string; account_id: string }>`
      select conversation_id as id, account_id from conversation_member
      where conversation_id = any(${sql.array(conversationIds, 'int8')})
      order by conversation_id, account_id`.withSignal(options.signal);
    const members = new Map<string, string[]>();
    for (const { id, account_id } of rows) {
      const known = members.get(id);
      if (known) known.push(account_id);
      else members.set(id, [account_id]);
    }
    return members;
  }

  memberships(
    accountId: string,
    conversationIds: readonly string[] | 'all',
    options: StoreOptions = {},
  ): Promise<Membership[]> {
    return readMemberships(this.#db.sql, accountId, conversationIds, options);
  }

  markRead(accountId: string, conversationId: string, seq: number): Promise<ReadMark | null> {
    const mark = { accountId, conversationId, seq };
    return this.#db.transaction((tx) => markRead(tx, mark, this.#limits));
  }

  markDelivered(marks: readonly DeliveredMark[]): Promise<DeliveredMark[]> {
    return markDelivered(this.#db.sql, marks);
  }

  async events(
    accountId: string,
    pts: number,
    limit: number,
    options: StoreOptions = {},
  ): Promise<EventPage> {
    const { sql } = this.#db;
    // One statement, so that the newest number and the events are of one moment.
    const rows = await sql<Partial<EventRow> & { newest: string; oldest: string | null }>`
      select h.pts as newest, (select min(pts) from chat_event where account_id = h.account_id) as oldest, e.*
      from chat_event_head h left join lateral (
        select * from chat_event where account_id = h.account_id and pts > ${pts} order by pts limit ${limit}
      ) e on true
      where h.account_id = ${accountId} order by e.pts`.withSignal(options.signal);
    const newest = Number(rows[0]?.newest ?? 0);
    const oldest = Number(rows[0]?.oldest ?? newest + 1);
    const tooLong = pts > newest || (pts < newest && pts + 1 < oldest);
    const events = rows.flatMap((row) => (row.pts == null ? [] : [toEvent(row as EventRow)]));
    return { events: tooLong ? [] : events, pts: newest, tooLong };
  }
}

const deleteAtOnce: DeleteMessages = async (tx, conversationId) => {
  await tx`delete from message where conversation_id = ${conversationId}`;
};

async function create(tx: Sql, draft: ConversationDraft, limits: ConversationLimits): Promise<Change> {
  const participants = participantsOf(draft);
  const key = draft.type === 'direct' ? directKey(draft.actorId, draft.memberIds[0] ?? '') : null;
  const found = key === null ? undefined : await findDirect(tx, key);
  if (found) return unchanged(found);
  await requireAccounts(tx, participants);
  await requireUnblocked(tx, draft.actorId, draft.memberIds);
  const { id, type, nowMs, title } = draft;
  const inserted = await tx`
    insert into conversation (id, type, title, direct_key, created_at)
    values (${id}, ${type}, ${title}, ${key}, ${new Date(nowMs)})
    on conflict (direct_key) do nothing returning id`;
  if (inserted.length === 0) {
    // Somebody has begun it since we looked, and is done: this statement sees it.
    const [other] = [key && (await findDirect(tx, key))];
    if (!other) throw new Error('a direct chat is there and cannot be found');
    return unchanged(other);
  }
  await tx`insert into conversation_head (conversation_id, message_id) values (${id}, ${id})`;
  await addMembers(tx, { conversationId: id, nowMs, joinedSeq: 0, ownerId: draft.actorId }, participants);
  const joined = participants.map(
    (accountId) => ({ accountId, kind: 'joined', conversationId: id, seq: null }) as const,
  );
  const events = await appendEvents(tx, joined, limits.maxEvents);
  await requireRoom(tx, participants, limits.maxConversations);
  const message =
    type === 'group' ? await say(tx, draft, { conversationId: id, seq: 1, body: createdBody(draft) }) : null;
  return { conversationId: id, changed: true, message, events };
}

const unchanged = (conversationId: string): Change => ({
  ...{ conversationId, changed: false, message: null },
  events: [],
});

async function findDirect(tx: Sql, key: string): Promise<string | undefined> {
  const [row] = await tx<{ id: string }>`select id from conversation where direct_key = ${key}`;
  return row?.id;
}

interface MemberRow {
  readonly account_id: string;
  readonly role: 'owner' | 'member';
  readonly joined_ms: string;
  readonly read_seq: string;
  readonly delivered_seq: string;
}

const toMember = (row: MemberRow): MemberView => ({
  accountId: row.account_id,
  role: row.role,
  joinedAtMs: Number(row.joined_ms),
  readSeq: Number(row.read_seq),
  deliveredSeq: Number(row.delivered_seq),
});
