import type { Sql, SqlQuery } from '../../../ports/database/port.ts';
import type { StoredMessage } from '../../../ports/message-store/port.ts';

export interface MessageRow {
  readonly conversation_id: string;
  readonly seq: string;
  readonly id: string;
  readonly sender_id: string;
  readonly device_id: string | null;
  readonly client_seq: string | null;
  readonly quote_seq: string | null;
  readonly sent_ms: string;
  readonly body: string;
}

/** Of a message called `m`. */
export const messageColumns = (sql: Sql): SqlQuery<unknown[]> => sql`
  m.conversation_id, m.seq, m.id, m.sender_id, m.device_id, m.client_seq, m.quote_seq,
  (extract(epoch from m.sent_at) * 1000)::int8 as sent_ms, m.body`;

const numberOrNull = (value: string | null) => (value === null ? null : Number(value));

export function fromRow(row: MessageRow): StoredMessage {
  return {
    conversationId: row.conversation_id,
    seq: Number(row.seq),
    id: row.id,
    senderId: row.sender_id,
    deviceId: row.device_id,
    clientSeq: numberOrNull(row.client_seq),
    quoteSeq: numberOrNull(row.quote_seq),
    timestampMs: Number(row.sent_ms),
    body: row.body,
  };
}
