import type { ConversationStore, ConversationView } from '../../../ports/conversation-store/port.ts';
import type { Database, Sql } from '../../../ports/database/port.ts';

export interface ChatDrift {
  readonly conversationId: string | null;
  readonly accountId: string | null;
  readonly what: string;
}

const atOnce = 200;
/** Of each conversation so many of its newest messages are looked at. */
const newestMessages = 10_000;
const unreadSample = 1_000;
const unreadCounted = 1_000;
const maxDrifts = 1_000;

/**
 * Recounts from the messages what is kept beside them, and what is derived when it is asked for. It finds nothing, unless there is
 * a fault. Each statement sees everything at one moment, so that it is exact while people write.
 */
export async function auditChat(
  db: Database,
  conversations: Pick<ConversationStore, 'get'>,
  signal?: AbortSignal,
): Promise<ChatDrift[]> {
  const drifts: ChatDrift[] = [];
  for await (const drift of allDrifts(db.sql, conversations, signal)) {
    drifts.push(drift);
    if (drifts.length >= maxDrifts) break;
  }
  return drifts;
}

async function* allDrifts(
  sql: Sql,
  conversations: Pick<ConversationStore, 'get'>,
  signal: AbortSignal | undefined,
): AsyncGenerator<ChatDrift> {
  yield* walk((after) => conversationDrifts(sql, after, signal));
  yield* walk((after) => eventDrifts(sql, after, signal));
  yield* unreadDrifts(sql, conversations, signal);
}

interface Looked {
  readonly id: string;
  readonly faults: readonly ChatDrift[];
}

async function* walk(next: (after: string) => Promise<readonly Looked[]>): AsyncGenerator<ChatDrift> {
  let after = '0';
  for (;;) {
    const looked = await next(after);
    for (const { faults } of looked) yield* faults;
    const last = looked.at(-1);
    if (!last || looked.length < atOnce) return;
    after = last.id;
  }
}

/** Seqs without holes up to the head; no mark and no cursor above it; one owner in a group, two people in a direct chat. */
async function conversationDrifts(
  sql: Sql,
  after: string,
  signal: AbortSignal | undefined,
): Promise<Looked[]> {
  const rows = await sql<{ id: string; faults: string[] }>`
    select c.id, array_remove(array[
      case when h.seq is null then 'no head' end,
      case when said.count <> least(h.seq, ${newestMessages}) or coalesce(said.newest, 0) <> h.seq
        then 'head ' || h.seq || ', messages ' || said.count || ' up to ' || coalesce(said.newest, 0) end,
      case when h.seq > 0 and newest.id is distinct from h.message_id then 'newest message ' || h.message_id end,
      case when greatest(member.read_seq, member.delivered_seq, member.joined_seq) > h.seq then 'a mark above the head' end,
      case when cursor.seq > h.seq then 'a cursor above the head' end,
      case when c.type = 'group' and member.count > 0 and member.owners <> 1 then 'owners ' || member.owners end,
      case when c.type = 'direct' and member.count not in (1, 2) then 'people ' || member.count end
    ]::text[], null) as faults
    from (select * from conversation where id > ${after} order by id limit ${atOnce}) c
    left join conversation_head h on h.conversation_id = c.id
    left join lateral (select count(*) as count, max(seq) as newest from message
      where conversation_id = c.id and seq > h.seq - ${newestMessages}) said on true
    left join message newest on newest.conversation_id = c.id and newest.seq = h.seq
    left join lateral (select count(*) as count, count(*) filter (where role = 'owner') as owners, max(read_seq) as read_seq,
      max(delivered_seq) as delivered_seq, max(joined_seq) as joined_seq
      from conversation_member where conversation_id = c.id) member on true
    left join lateral (select max(seq) as seq from chat_cursor where conversation_id = c.id) cursor on true
    order by c.id`.withSignal(signal);
  return rows.map(({ id, faults }) => ({
    id,
    faults: faults.map((what) => ({ conversationId: id, accountId: null, what })),
  }));
}

/** Numbers of events without holes up to the newest. */
async function eventDrifts(sql: Sql, after: string, signal: AbortSignal | undefined): Promise<Looked[]> {
  const rows = await sql<{ id: string; isFaulty: boolean }>`
    select h.account_id as id, coalesce(e.newest, 0) <> h.pts or e.count <> e.newest - e.oldest + 1 as "isFaulty"
    from (select * from chat_event_head where account_id > ${after} order by account_id limit ${atOnce}) h
    left join lateral (select count(*) as count, min(pts) as oldest, max(pts) as newest
      from chat_event where account_id = h.account_id) e on true
    order by h.account_id`.withSignal(signal);
  return rows.map(({ id, isFaulty }) => ({
    id,
    faults: isFaulty ? [{ conversationId: null, accountId: id, what: 'events with holes' }] : [],
  }));
}

/** Of some members: what they are told is unread, against the messages. */
async function* unreadDrifts(
  sql: Sql,
  conversations: Pick<ConversationStore, 'get'>,
  signal: AbortSignal | undefined,
): AsyncGenerator<ChatDrift> {
  const members = await sql<{ accountId: string; id: string }>`
    select account_id as "accountId", conversation_id as id from conversation_member
    order by random() limit ${unreadSample}`.withSignal(signal);
  for (const { accountId, id } of members) {
    const view = async () => (await conversations.get(accountId, [id], { signal }))[0];
    const before = await view();
    if (!before) continue;
    const [row] = await sql<{ count: number }>`
      select count(*)::int4 as count from message where conversation_id = ${id}
        and seq > ${Math.max(before.readSeq, before.joinedSeq)} and seq <= ${before.headSeq}
        and sender_id <> ${accountId}`.withSignal(signal);
    const counted = Math.min(row?.count ?? 0, unreadCounted);
    if (counted === before.unread || !isSame(before, await view())) continue;
    const what = `unread ${before.unread}, messages ${counted}`;
    yield { conversationId: id, accountId, what };
  }
}

const isSame = (one: ConversationView, other: ConversationView | undefined) =>
  one.headSeq === other?.headSeq && one.readSeq === other.readSeq && one.unread === other.unread;
