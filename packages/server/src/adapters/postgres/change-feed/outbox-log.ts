import type { SQL } from 'bun';
import {
  type ChangedTransaction,
  LAST_ORDINAL,
  MAX_BATCH_BYTES,
  MAX_BATCH_ROWS,
  positionOf,
  type RowChange,
} from '../../../ports/change-feed/port.ts';
import { type Readers, readRow } from './outbox-tables.ts';

export interface LoggedBatch {
  readonly transactions: readonly ChangedTransaction[];
  /** The turn up to which every transaction is complete here, and the rows to be deleted with it. */
  readonly lastTurn: string;
  readonly lastId: string;
}

interface LogRow {
  readonly turn: string;
  readonly id: string;
  readonly logged_ms: number;
  readonly table_name: string;
  readonly operation: RowChange['operation'];
  readonly before: string | null;
  readonly after: string | null;
}

/** Transactions that get their turn at a time: bounds one statement, not the log. */
const TURNS_AT_ONCE = 10_000;
const TURN_LOCK = 1_212_371_784;

/**
 * Gives a turn to transactions that have become visible. Ordered by the last row that each has logged: of two that touched
 * the same row, the later one did so after the other's commit, hence logged after it. What one statement sees contains, with
 * each transaction, all those that it waited for; so no later turn should have come earlier. Ids alone would not do: they
 * are given before the commit, and a reader that remembers the greatest would miss those that commit late.
 */
export async function giveTurns(sql: SQL): Promise<void> {
  await sql.begin(async (tx) => {
    // A leader that was cut off may still be at it.
    await tx.unsafe(`select pg_advisory_xact_lock(${TURN_LOCK})`);
    await tx`
      insert into change_turn (xid)
      select xid from (
        select l.xid, max(l.id) as last from change_log l
        where not exists (select from change_turn t where t.xid = l.xid)
        group by l.xid order by last limit ${TURNS_AT_ONCE}
      ) waiting order by last`;
  });
}

/** The next rows in the order of their turns; undefined when there are none. */
export async function readBatch(
  sql: SQL,
  generation: string,
  readers: Readers,
): Promise<LoggedBatch | undefined> {
  // Nothing is read beyond the limits, however many and however large the transactions are.
  const rows = await sql<LogRow[]>`
    select turn, id, (extract(epoch from logged_at) * 1000)::float8 as logged_ms, table_name, operation,
      before::text as before, after::text as after
    from (
      select *, row_number() over (order by turn, id) as number,
        sum(coalesce(pg_column_size(before), 0) + coalesce(pg_column_size(after), 0))
          over (order by turn, id)::float8 as bytes
      from (
        select t.turn, l.*
        from (select turn, xid from change_turn order by turn limit ${MAX_BATCH_ROWS}::int4) t
          cross join lateral (select * from change_log where xid = t.xid order by id limit ${MAX_BATCH_ROWS}::int4) l
        order by t.turn, l.id limit ${MAX_BATCH_ROWS}::int4
      ) next
    ) counted
    where bytes <= ${MAX_BATCH_BYTES}::float8 or number = 1
    order by turn, id`;
  if (rows.length === 0) return undefined;
  return gather(rows, generation, readers, await hasMore(sql, rows));
}

/** Whether the last transaction among the rows has rows after them. */
async function hasMore(sql: SQL, rows: readonly LogRow[]): Promise<boolean> {
  const last = rows.at(-1);
  if (!last) return false;
  const more = await sql`
    select from change_log l join change_turn t on t.xid = l.xid
    where t.turn = ${last.turn} and l.id > ${last.id} limit 1`;
  return more.length > 0;
}

function gather(
  rows: readonly LogRow[],
  generation: string,
  readers: Readers,
  isCut: boolean,
): LoggedBatch | undefined {
  const [first, last] = [rows[0], rows.at(-1)];
  if (!first || !last) return undefined;
  const byTurn = new Map<string, LogRow[]>();
  for (const row of rows) {
    const own = byTurn.get(row.turn);
    if (own) own.push(row);
    else byTurn.set(row.turn, [row]);
  }
  const transactions = [...byTurn].map(([turn, own]) => {
    const end = own.at(-1) ?? last;
    const isLastPart = !(isCut && turn === last.turn);
    return {
      position: positionOf(generation, BigInt(turn), isLastPart ? LAST_ORDINAL : Number(end.id)),
      committedAtMs: end.logged_ms,
      isLastPart,
      rows: own.flatMap((row) => changeOf(row, readers)),
    };
  });
  const lastTurn = isCut ? String(BigInt(last.turn) - 1n) : last.turn;
  return { transactions, lastTurn, lastId: last.id };
}

function changeOf(row: LogRow, readers: Readers): RowChange[] {
  const columns = readers.get(row.table_name);
  // Nobody follows this table any more.
  if (!columns) return [];
  return [
    {
      ...{ table: row.table_name, operation: row.operation, ordinal: Number(row.id) },
      before: readRow(row.before, columns),
      after: readRow(row.after, columns),
    },
  ];
}

/** Handled: the rows go first, so that a turn never outlives its place in the order. */
export async function deleteBatch(sql: SQL, { transactions, lastTurn, lastId }: LoggedBatch): Promise<void> {
  const cutTurn = transactions.at(-1)?.isLastPart === false ? String(BigInt(lastTurn) + 1n) : '-1';
  await sql.begin(async (tx) => {
    await tx`
      delete from change_log l using change_turn t
      where t.xid = l.xid and (t.turn <= ${lastTurn} or (t.turn = ${cutTurn} and l.id <= ${lastId}))`;
    await tx`delete from change_turn where turn <= ${lastTurn}`;
  });
}
