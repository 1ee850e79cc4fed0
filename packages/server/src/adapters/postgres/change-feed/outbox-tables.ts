import type { SQL } from 'bun';
import type { Followed } from './followed-tables.ts';
import { jsonReaderOf, type ReadText, splitJson } from './values.ts';

type Row = Record<string, unknown>;

/** Readers of the columns of each followed table. */
export type Readers = ReadonlyMap<string, ReadonlyMap<string, ReadText>>;

interface ColumnRow {
  readonly table_name: string;
  readonly column_name: string;
  readonly type: number;
}

export async function readReaders(sql: SQL, followed: Followed): Promise<Readers> {
  const columns = await sql<ColumnRow[]>`
    select c.relname as table_name, a.attname as column_name, a.atttypid::int4 as type
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      and c.relname in (select jsonb_array_elements_text(${[...followed.keys()]}::jsonb))`;
  const readers = new Map<string, Map<string, ReadText>>();
  for (const { table_name, column_name, type } of columns) {
    const table = readers.get(table_name) ?? new Map<string, ReadText>();
    table.set(column_name, jsonReaderOf(type));
    readers.set(table_name, table);
  }
  const missing = [...followed.keys()].find((table) => !readers.has(table));
  if (missing !== undefined) throw new Error(`there is no table ${missing} to follow`);
  return readers;
}

/** `to_jsonb(row)`, as text, with the values that `Database` gives. */
export function readRow(json: string | null, columns: ReadonlyMap<string, ReadText>): Row | undefined {
  if (json === null) return undefined;
  const row: Row = {};
  for (const part of splitJson(json)) {
    let end = 1;
    while (part[end] !== '"') end += part[end] === '\\' ? 2 : 1;
    const name: unknown = JSON.parse(part.slice(0, end + 1));
    const read = columns.get(String(name));
    // A column that has been dropped since then is of no interest to anybody.
    if (read) row[String(name)] = read(part.slice(part.indexOf(':', end) + 1).trim());
  }
  return row;
}

const ROW_TRIGGER = 'change_log_row';
const TRUNCATE_TRIGGER = 'change_log_truncate';

/** Leaves the triggers on the followed tables and on no others; true when one was missing. */
export async function placeTriggers(sql: SQL, followed: Followed): Promise<boolean> {
  const present = await sql<{ table_name: string; place: string; triggers: number }[]>`
    select c.relname as table_name, c.oid::regclass::text as place, count(*)::int4 as triggers
    from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where t.tgfoid = 'change_log_row'::regproc and not t.tgisinternal and t.tgenabled <> 'D'
    group by c.oid`;
  const complete = new Set(present.filter(({ triggers }) => triggers === 2).map((row) => row.table_name));
  for (const { table_name, place } of present) {
    if (followed.has(table_name)) continue;
    await sql.unsafe(`drop trigger if exists ${ROW_TRIGGER} on ${place}`);
    await sql.unsafe(`drop trigger if exists ${TRUNCATE_TRIGGER} on ${place}`);
  }
  let wasMissing = false;
  for (const table of followed.keys()) {
    if (complete.has(table)) continue;
    wasMissing = true;
    const place = `public."${table.replaceAll('"', '""')}"`;
    await sql.begin(async (tx) => {
      await tx.unsafe(
        `create or replace trigger ${ROW_TRIGGER} after insert or update or delete on ${place}
         for each row execute function change_log_row()`,
      );
      await tx.unsafe(
        `create or replace trigger ${TRUNCATE_TRIGGER} after truncate on ${place}
         for each statement execute function change_log_row()`,
      );
    });
  }
  return wasMissing;
}
