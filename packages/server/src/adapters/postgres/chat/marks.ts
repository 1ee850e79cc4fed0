import { AppError } from '../../../kernel/errors.ts';
import type { DeliveredMark, ReadMark } from '../../../ports/conversation-store/port.ts';
import type { Sql } from '../../../ports/database/port.ts';
import { blockBetween } from './blocks.ts';
import { appendEvents } from './events.ts';
import type { ConversationLimits } from './limits.ts';

/**
 * Of a row `m` of conversation_member: it is one of a direct chat in which one has blocked the other. Looked up row by row
 * through indexes, whatever is known of the tables.
 */
const isBlocked = (sql: Sql) => sql`exists (
  select from (select id from conversation where id = m.conversation_id and direct_key is not null offset 0) direct
  cross join lateral (
    select account_id as id from conversation_member
    where conversation_id = direct.id and account_id <> m.account_id limit 1
  ) other
  cross join ${blockBetween(sql, sql`other.id`, sql`m.account_id`)})`;

/** What others see of `m`, whose marks rise: nothing new where `risen` says that it is hidden. */
const shown = (sql: Sql) => sql`
  shown_read_seq = case when risen.hidden then coalesce(m.shown_read_seq, m.read_seq) end,
  shown_delivered_seq = case when risen.hidden then coalesce(m.shown_delivered_seq, m.delivered_seq) end`;

export async function markRead(
  tx: Sql,
  { accountId, conversationId, seq }: DeliveredMark,
  limits: ConversationLimits,
): Promise<ReadMark | null> {
  const rows = await tx<{ seq: string; rises: boolean; hidden: boolean }>`
    select least(${seq}::int8, h.seq) as seq, least(${seq}::int8, h.seq) > m.read_seq as rises, ${isBlocked(tx)} as hidden
    from conversation_member m join conversation_head h using (conversation_id)
    where m.conversation_id = ${conversationId} and m.account_id = ${accountId} for update of m`;
  const [mark] = rows;
  if (!mark) throw new AppError('not-found');
  if (!mark.rises) return null;
  await tx`
    update conversation_member m
    set read_seq = risen.seq, delivered_seq = greatest(m.delivered_seq, risen.seq), ${shown(tx)}
    from (select ${mark.seq}::int8 as seq, ${mark.hidden}::boolean as hidden) risen
    where m.conversation_id = ${conversationId} and m.account_id = ${accountId}`;
  const read = { accountId, kind: 'read', conversationId, seq: Number(mark.seq) } as const;
  const [event] = await appendEvents(tx, [read], limits.maxEvents);
  if (!event) throw new Error('an event was not kept');
  return { event, isShown: !mark.hidden };
}

export async function markDelivered(sql: Sql, marks: readonly DeliveredMark[]): Promise<DeliveredMark[]> {
  if (marks.length === 0) return [];
  const rows = await sql<{ account_id: string; id: string; seq: string; hidden: boolean }>`
    with mark as (
      select conversation_id, account_id, max(seq) as seq from unnest(
        ${sql.array(
          marks.map((mark) => mark.conversationId),
          'int8',
        )},
        ${sql.array(
          marks.map((mark) => mark.accountId),
          'int8',
        )},
        ${sql.array(
          marks.map((mark) => mark.seq),
          'int8',
        )}
      ) as mark (conversation_id, account_id, seq)
      group by conversation_id, account_id
    ), risen as (
      select m.conversation_id, m.account_id, least(mark.seq, h.seq) as seq, ${isBlocked(sql)} as hidden
      from mark join conversation_member m using (conversation_id, account_id)
      join conversation_head h using (conversation_id)
      where m.delivered_seq < least(mark.seq, h.seq)
      order by m.conversation_id, m.account_id for update of m
    )
    update conversation_member m set delivered_seq = risen.seq, ${shown(sql)} from risen
    where m.conversation_id = risen.conversation_id and m.account_id = risen.account_id
      and m.delivered_seq < risen.seq
    returning m.account_id, m.conversation_id as id, m.delivered_seq as seq, risen.hidden`;
  return rows
    .filter(({ hidden }) => !hidden)
    .map(({ account_id, id, seq }) => ({ accountId: account_id, conversationId: id, seq: Number(seq) }));
}
