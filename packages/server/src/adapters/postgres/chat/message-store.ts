import type { Database, Sql } from '../../../ports/database/port.ts';
import {
  type Decision,
  decide,
  type NewMessage,
  type NewRefusal,
} from '../../../ports/message-store/decide.ts';
import {
  MAX_READ,
  MAX_SENDS,
  type MessageStore,
  type MessageStoreOptions,
  type Send,
  type SeqRange,
  type StoredMessage,
  type Verdict,
} from '../../../ports/message-store/port.ts';
import { isDataError } from '../sql-errors.ts';
import { readFacts } from './facts.ts';
import { RememberedConversations } from './remembered-conversations.ts';
import { fromRow, type MessageRow, messageColumns } from './rows.ts';

export class PostgresMessageStore implements MessageStore {
  readonly #db: Database;
  readonly #remembered = new RememberedConversations();

  constructor(db: Database) {
    this.#db = db;
  }

  async commit(sends: readonly Send[]): Promise<Verdict[]> {
    if (sends.length > MAX_SENDS) throw new RangeError(`more than ${MAX_SENDS} sends`);
    if (sends.length === 0) return [];
    try {
      return await this.#commit(sends);
    } catch (error) {
      if (!isDataError(error)) throw error;
      return this.#bisect(sends, error);
    }
  }

  async #commit(sends: readonly Send[]): Promise<Verdict[]> {
    const { conversations, decision, written } = await this.#db.transaction(async (tx) => {
      const { facts, conversations } = await readFacts(tx, sends, this.#remembered);
      const decision = decide(sends, facts);
      return { conversations, decision, written: await write(tx, decision) };
    });
    for (const [id, conversation] of conversations) {
      const xmin = written.touched.has(id) ? written.xid : conversation.xmin;
      const headSeq = decision.heads.get(id)?.seq ?? conversation.headSeq;
      this.#remembered.put(id, { ...conversation, xmin, headSeq });
    }
    return decision.verdicts;
  }

  /** Nothing was stored, because of one of them: the halves are committed each for itself, in their order. */
  async #bisect(sends: readonly Send[], error: unknown): Promise<Verdict[]> {
    const [only] = sends;
    if (sends.length === 1 && only) {
      // Refused already, and still there is an error: it is not the body.
      if (only.unfit) throw error;
      return this.commit([{ ...only, unfit: 'message-invalid' }]);
    }
    const middle = sends.length >> 1;
    const first = await this.commit(sends.slice(0, middle));
    return [...first, ...(await this.commit(sends.slice(middle)))];
  }

  async read(ranges: readonly SeqRange[], options: MessageStoreOptions = {}): Promise<StoredMessage[][]> {
    const answer: StoredMessage[][] = ranges.map(() => []);
    if (ranges.length === 0) return answer;
    const { sql } = this.#db;
    const rows = await sql<MessageRow & { range: number }>`
      select range.i::int4 as range, ${messageColumns(sql)}
      from unnest(
        ${sql.array(
          ranges.map((range) => range.conversationId),
          'int8',
        )},
        ${sql.array(
          ranges.map((range) => range.afterSeq),
          'int8',
        )},
        ${sql.array(
          ranges.map((range) => range.beforeSeq ?? Number.MAX_SAFE_INTEGER),
          'int8',
        )},
        ${sql.array(
          ranges.map((range) => Math.min(range.limit, MAX_READ)),
          'int8',
        )},
        ${sql.array(
          ranges.map((range) => (range.keep === 'newest' ? 1 : 0)),
          'int4',
        )}
      ) with ordinality as range (conversation_id, after_seq, before_seq, count, is_newest, i)
      cross join lateral (
        (select * from message where conversation_id = range.conversation_id
          and seq > range.after_seq and seq < range.before_seq and range.is_newest = 0
          order by seq limit range.count)
        union all
        (select * from message where conversation_id = range.conversation_id
          and seq > range.after_seq and seq < range.before_seq and range.is_newest = 1
          order by seq desc limit range.count)
      ) m
      order by range.i, case when range.is_newest = 1 then -m.seq else m.seq end
      limit ${MAX_READ}`.withSignal(options.signal);
    for (const row of rows) answer[row.range - 1]?.push(fromRow(row));
    ranges.forEach(({ keep }, i) => {
      if (keep === 'newest') answer[i]?.reverse();
    });
    return answer;
  }

  async heads(
    conversationIds: readonly string[],
    options: MessageStoreOptions = {},
  ): Promise<Map<string, number>> {
    const { sql } = this.#db;
    if (conversationIds.length === 0) return new Map();
    const rows = await sql<{ id: string; seq: string }>`
      select conversation_id as id, seq from conversation_head
      where conversation_id = any(${sql.array(conversationIds, 'int8')})`.withSignal(options.signal);
    return new Map(rows.map(({ id, seq }) => [id, Number(seq)]));
  }
}

interface Written {
  /** The number of the transaction, as the rows show it that it wrote; '': it wrote none. */
  readonly xid: string;
  /** The conversations whose heads it has written. */
  readonly touched: ReadonlySet<string>;
}

/** None when nothing was decided that has to be kept. */
async function write(tx: Sql, { messages, refusals, heads }: Decision): Promise<Written> {
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
  const all = (value: (message: NewMessage) => unknown) => tx.array(messages.map(value), 'int8');
  const changed = [...heads.values()];
  const rows = await tx<{ xid: string }>`
    with stored as (
      insert into message (conversation_id, seq, id, sender_id, device_id, chain, client_seq, body_hash, body, quote_seq, sent_at)
      select conversation_id, seq, id, sender_id, device_id, chain::uuid, client_seq, body_hash, body, quote_seq,
        timestamptz 'epoch' + sent_ms * interval '1 ms'
      from unnest(
        ${all(({ send }) => send.conversationId)}, ${all(({ seq }) => seq)}, ${all(({ send }) => send.id)},
        ${all(({ send }) => send.senderId)}, ${all(({ send }) => send.deviceId)},
        ${tx.array(
          messages.map(({ send }) => send.turn?.chain),
          'text',
        )},
        ${all(({ send }) => send.turn?.clientSeq)}, ${all(({ send }) => send.bodyHash)}, ${bodies(tx, messages)},
        ${all(({ quoteSeq }) => quoteSeq)}, ${all(({ send }) => send.timestampMs)}
      ) as row (conversation_id, seq, id, sender_id, device_id, chain, client_seq, body_hash, body, quote_seq, sent_ms)
    ), head as (
      update conversation_head h set seq = row.seq, message_id = row.message_id
      from unnest(
        ${tx.array([...heads.keys()], 'int8')},
        ${tx.array(
          changed.map(({ seq }) => seq),
          'int8',
        )},
        ${tx.array(
          changed.map(({ messageId }) => messageId),
          'int8',
        )}
      ) as row (conversation_id, seq, message_id)
      where h.conversation_id = row.conversation_id
    )
    ${currentXid(tx)}`;
  return xidOf(rows);
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
