import { compareIds } from '../../../kernel/ids.ts';
import type { StoredEvent } from '../../../ports/conversation-store/port.ts';
import type { Sql } from '../../../ports/database/port.ts';

export interface EventRow {
  readonly account_id: string;
  readonly pts: string;
  readonly kind: StoredEvent['kind'];
  readonly conversation_id: string;
  readonly seq: string | null;
}

export const toEvent = (row: EventRow): StoredEvent => ({
  accountId: row.account_id,
  pts: Number(row.pts),
  kind: row.kind,
  conversationId: row.conversation_id,
  seq: row.seq === null ? null : Number(row.seq),
});

/**
 * One event for each of these accounts. Locks their counters in ascending order of id, after every other lock of its transaction;
 * they are held until it ends, so that numbers are in the order of commits.
 */
export async function appendEvents(
  tx: Sql,
  events: readonly Omit<StoredEvent, 'pts'>[],
  maxEvents: number,
): Promise<StoredEvent[]> {
  if (events.length === 0) return [];
  const sorted = events.toSorted((a, b) => compareIds(a.accountId, b.accountId));
  const rows = await tx<EventRow>`
    with event as (
      select * from unnest(
        ${tx.array(
          sorted.map(({ accountId }) => accountId),
          'int8',
        )},
        ${tx.array(
          sorted.map(({ kind }) => kind),
          'text',
        )},
        ${tx.array(
          sorted.map(({ conversationId }) => conversationId),
          'int8',
        )},
        ${tx.array(
          sorted.map(({ seq }) => seq),
          'int8',
        )}
      ) as event (account_id, kind, conversation_id, seq)
    ), head as (
      insert into chat_event_head as h (account_id, pts) select account_id, 1 from event order by account_id
      on conflict (account_id) do update set pts = h.pts + 1
      returning account_id, pts
    )
    insert into chat_event (account_id, pts, kind, conversation_id, seq)
    select account_id, head.pts, kind, conversation_id, seq from event join head using (account_id)
    returning account_id, pts, kind, conversation_id, seq`;
  await tx`
    delete from chat_event e using unnest(
      ${tx.array(
        rows.map((row) => row.account_id),
        'int8',
      )},
      ${tx.array(
        rows.map((row) => Number(row.pts) - maxEvents),
        'int8',
      )}
    ) as cut (account_id, pts)
    where e.account_id = cut.account_id and e.pts <= cut.pts`;
  return rows.map(toEvent).sort((a, b) => compareIds(a.accountId, b.accountId));
}
