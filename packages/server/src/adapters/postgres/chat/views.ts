import type { ConversationView, Membership, StoreOptions } from '../../../ports/conversation-store/port.ts';
import type { Sql, SqlQuery } from '../../../ports/database/port.ts';
import { fromRow, type MessageRow, messageColumns } from './rows.ts';

const OTHERS_SHOWN = 5;
const UNREAD_COUNTED = 1_000;
const UNREAD_CONVERSATIONS_COUNTED = 100;

interface ViewRow extends MessageRow {
  readonly head_id: string;
  readonly type: 'direct' | 'group';
  readonly title: string | null;
  readonly created_ms: string;
  readonly member_count: number;
  readonly other_ids: readonly string[] | null;
  readonly role: 'owner' | 'member';
  readonly head_seq: string;
  readonly head_message_id: string;
  readonly joined_seq: string;
  readonly read_seq: string;
  readonly unread: number;
}

/** `which` names conversations that the account is a member of. Newest message first. */
export async function readViews(
  sql: Sql,
  accountId: string,
  which: SqlQuery<unknown[]>,
  options: StoreOptions,
): Promise<ConversationView[]> {
  const rows = await sql<ViewRow>`
    select h.conversation_id as head_id, c.type, c.title, (extract(epoch from c.created_at) * 1000)::int8 as created_ms,
      h.seq as head_seq, h.message_id as head_message_id, me.role, me.joined_seq, me.read_seq,
      (select count(*)::int4 from conversation_member where conversation_id = c.id) as member_count,
      array(
        select account_id::text from conversation_member where conversation_id = c.id and account_id <> ${accountId}
        order by joined_at, account_id limit ${OTHERS_SHOWN}
      ) as other_ids,
      (select count(*)::int4 from (
        select from message where conversation_id = c.id and seq > greatest(me.read_seq, me.joined_seq)
          and sender_id <> ${accountId} order by seq limit ${UNREAD_COUNTED}
      ) unread) as unread,
      ${messageColumns(sql)}
    from (${which}) as which
    join conversation c on c.id = which.conversation_id
    join conversation_head h on h.conversation_id = c.id
    join conversation_member me on me.conversation_id = c.id and me.account_id = ${accountId}
    left join lateral (
      select * from message where conversation_id = c.id and seq > me.joined_seq order by seq desc limit 1
    ) m on true
    order by h.message_id desc, h.conversation_id desc`.withSignal(options.signal);
  return rows.map(toView);
}

const toView = (row: ViewRow): ConversationView => ({
  id: row.head_id,
  type: row.type,
  title: row.title,
  createdAtMs: Number(row.created_ms),
  memberCount: row.member_count,
  otherIds: [...(row.other_ids ?? [])],
  role: row.role,
  headSeq: Number(row.head_seq),
  headMessageId: row.head_message_id,
  joinedSeq: Number(row.joined_seq),
  readSeq: Number(row.read_seq),
  unread: row.unread,
  lastMessage: row.id === null ? null : fromRow(row),
});

/** How many of the account's conversations hold something unread of somebody else. */
export async function countUnread(sql: Sql, accountId: string, options: StoreOptions): Promise<number> {
  const [row] = await sql<{ count: number }>`
    select count(*)::int4 as count from (
      select from conversation_member me join conversation_head h using (conversation_id)
      where me.account_id = ${accountId} and h.seq > me.read_seq and exists (
        select from message where conversation_id = me.conversation_id
          and seq > greatest(me.read_seq, me.joined_seq) and sender_id <> ${accountId})
      limit ${UNREAD_CONVERSATIONS_COUNTED}
    ) unread`.withSignal(options.signal);
  return row?.count ?? 0;
}

export async function readMemberships(
  sql: Sql,
  accountId: string,
  conversationIds: readonly string[] | 'all',
  options: StoreOptions,
): Promise<Membership[]> {
  const these =
    conversationIds === 'all'
      ? sql``
      : sql`and m.conversation_id = any(${sql.array(conversationIds, 'int8')})`;
  const rows = await sql<{ id: string; joined_seq: string; head_seq: string }>`
    select m.conversation_id as id, m.joined_seq, h.seq as head_seq
    from conversation_member m join conversation_head h using (conversation_id)
    where m.account_id = ${accountId} ${these} order by m.conversation_id`.withSignal(options.signal);
  return rows.map(({ id, joined_seq, head_seq }) => ({
    conversationId: id,
    joinedSeq: Number(joined_seq),
    headSeq: Number(head_seq),
  }));
}
