import type { Database } from '../../../ports/database/port.ts';

export type Followed = ReadonlyMap<string, ReadonlySet<string>>;

interface TableRow {
  readonly table_name: string;
  readonly identity: string;
  readonly key: string[];
}

/** Tables whose old rows, as they are logged now, do not tell what somebody asks for. Throws when one does not exist. */
export async function tablesToLogWhole({ sql }: Database, followed: Followed): Promise<string[]> {
  const rows = await sql<TableRow>`
    select c.relname as table_name, c.relreplident as identity,
      array(select a.attname::text from pg_index i join pg_attribute a on a.attrelid = i.indrelid
        and a.attnum = any(i.indkey) where i.indrelid = c.oid and i.indisprimary) as key
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      and c.relname = any(${sql.array([...followed.keys()], 'text')})`;
  const known = new Map(rows.map((row) => [row.table_name, row]));
  return [...followed].flatMap(([table, columns]) => {
    const row = known.get(table);
    if (!row) throw new Error(`there is no table ${table} to follow`);
    const suffices =
      row.identity === 'f' ||
      (row.identity === 'd' &&
        row.key.length > 0 &&
        [...columns].every((column) => row.key.includes(column)));
    return suffices ? [] : [table];
  });
}
