import type { Sql, SqlQuery } from '../../../ports/database/port.ts';
import type { Decision, NewMessage, NewRefusal } from '../../../ports/message-store/decide.ts';

export interface Written {
  /** The number of the transaction, as the rows show it that it wrote; '': it wrote none. */
  readonly xid: string;
  /** The conversations whose heads it has written. */
  readonly touched: ReadonlySet<string>;
}

/** None when nothing was decided that has to be kept. */
export async function write(tx: Sql, { messages, refusals, heads }: Decision): Promise<Written> {
  let xid = '';
  if (refusals.length > 0) xid = await insertRefusals(tx, refusals);
  if (messages.length > 0) xid = await insertMessages(tx, messages, heads);
  return { xid, touched: new Set([...heads.keys(), ...refusals.map(({ send }) => send.conversationId)]) };
}

const currentXid = (tx: Sql) => tx`select pg_current_xact_id()::xid::text as xid`;

const xidOf = ([row]: readonly { readonly xid: string }[]): string => {
  if (!row) throw new Error('a transaction without a number');
  return row.xid;
};

async function insertMessages(
  tx: Sql,
  messages: readonly NewMessage[],
  heads: Decision['heads'],
): Promise<string> {
  const rows = await tx<{ xid: string }>`with ${storing(tx, messages, heads)} ${currentXid(tx)}`;
  return xidOf(rows);
}

/**
 * The parts of a statement that write the messages and the heads of their conversations. `condition`, if given: they write
 * nothing unless it holds.
 */
export function storing(
  sql: Sql,
  messages: readonly NewMessage[],
  heads: Decision['heads'],
  condition: SqlQuery<unknown[]> = sql`true`,
): SqlQuery<unknown[]> {
  const all = (value: (message: NewMessage) => unknown) => sql.array(messages.map(value), 'int8');
  const changed = [...heads.values()];
  return sql`
    stored as (
      insert into message (conversation_id, seq, id, sender_id, device_id, chain, client_seq, body_hash, body, quote_seq, sent_at)
      select conversation_id, seq, id, sender_id, device_id, chain::uuid, client_seq, body_hash, body, quote_seq,
        timestamptz 'epoch' + sent_ms * interval '1 ms'
      from unnest(
        ${all(({ send }) => send.conversationId)}, ${all(({ seq }) => seq)}, ${all(({ send }) => send.id)},
        ${all(({ send }) => send.senderId)}, ${all(({ send }) => send.deviceId)},
        ${sql.array(
          messages.map(({ send }) => send.turn?.chain),
          'text',
        )},
        ${all(({ send }) => send.turn?.clientSeq)}, ${all(({ send }) => send.bodyHash)}, ${bodies(sql, messages)},
        ${all(({ quoteSeq }) => quoteSeq)}, ${all(({ send }) => send.timestampMs)}
      ) as row (conversation_id, seq, id, sender_id, device_id, chain, client_seq, body_hash, body, quote_seq, sent_ms)
      where ${condition}
    ), head as (
      update conversation_head h set seq = row.seq, message_id = row.message_id
      from unnest(
        ${sql.array([...heads.keys()], 'int8')},
        ${sql.array(
          changed.map(({ seq }) => seq),
          'int8',
        )},
        ${sql.array(
          changed.map(({ messageId }) => messageId),
          'int8',
        )}
      ) as row (conversation_id, seq, message_id)
      where h.conversation_id = row.conversation_id and ${condition}
    )`;
}

const SEPARATOR = '\u001f';

/** JSON holds no bare control character: joined by one, bodies need no quoting, which took longer than all else. */
function bodies(tx: Sql, messages: readonly NewMessage[]): unknown {
  const all = messages.map(({ send }) => send.body);
  if (all.some((body) => body === '' || body.includes(SEPARATOR))) return tx.array(all, 'text');
  return tx`string_to_array(${all.join(SEPARATOR)}, ${SEPARATOR})`;
}

/** The head's row is written as well, so that it shows that something has changed. */
async function insertRefusals(tx: Sql, refusals: readonly NewRefusal[]): Promise<string> {
  const all = (value: (refusal: NewRefusal) => unknown, type: 'int8' | 'text' = 'int8') =>
    tx.array(refusals.map(value), type);
  const rows = await tx<{ xid: string }>`
    with refused as (
      insert into message_refusal (conversation_id, chain, client_seq, body_hash, code, refused_at)
      select conversation_id, chain::uuid, client_seq, body_hash, code, timestamptz 'epoch' + sent_ms * interval '1 ms'
      from unnest(
        ${all(({ send }) => send.conversationId)}, ${all(({ turn }) => turn.chain, 'text')},
        ${all(({ turn }) => turn.clientSeq)}, ${all(({ send }) => send.bodyHash)}, ${all(({ code }) => code, 'text')},
        ${all(({ send }) => send.timestampMs)}
      ) as row (conversation_id, chain, client_seq, body_hash, code, sent_ms)
    ), head as (
      update conversation_head set seq = seq where conversation_id = any(${all(({ send }) => send.conversationId)})
    )
    ${currentXid(tx)}`;
  return xidOf(rows);
}
