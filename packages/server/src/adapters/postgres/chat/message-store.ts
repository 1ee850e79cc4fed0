import type { Database } from '../../../ports/database/port.ts';
import { decide } from '../../../ports/message-store/decide.ts';
import { type Needs, needsOf } from '../../../ports/message-store/needs.ts';
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
import { commitSteady } from './steady-commit.ts';
import { write } from './writes.ts';

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
    const needs = needsOf(sends);
    return (
      (await commitSteady(this.#db, sends, needs, this.#remembered)) ?? this.#commitInSteps(sends, needs)
    );
  }

  async #commitInSteps(sends: readonly Send[], needs: Needs): Promise<Verdict[]> {
    const { conversations, decision, written } = await this.#db.transaction(async (tx) => {
      const { facts, conversations } = await readFacts(tx, needs, this.#remembered);
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
