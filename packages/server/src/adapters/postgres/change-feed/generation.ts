import type { ChangeConsumer } from '../../../ports/change-feed/port.ts';
import type { Database } from '../../../ports/database/port.ts';

export type FeedKind = 'logical' | 'outbox';

export interface Generation {
  readonly kind: string;
  readonly generation: string;
  /** Its positions belong to this very cluster. */
  readonly isOfThisSystem: boolean;
}

interface GenerationRow {
  readonly kind: string;
  readonly generation: string;
  readonly is_ours: boolean;
}

type HasSql = Pick<Database, 'sql'>;

export async function readGeneration({ sql }: HasSql): Promise<Generation> {
  const [row] = await sql<GenerationRow>`
    select kind, generation,
      system = (select system_identifier::text from pg_control_system()) || '/' || current_database() as is_ours
    from change_feed`;
  if (!row) throw new Error('change_feed has no row: migrations have not run');
  return { kind: row.kind, generation: row.generation, isOfThisSystem: row.is_ours };
}

/** Committed before anything of the old generation is thrown away: whoever dies in between makes the next one. */
export async function beginGeneration({ sql }: HasSql, kind: FeedKind): Promise<string> {
  const [row] = await sql<{ generation: string }>`
    update change_feed set kind = ${kind}, generation = generation + 1,
      system = (select system_identifier::text from pg_control_system()) || '/' || current_database()
    returning generation`;
  if (!row) throw new Error('change_feed has no row: migrations have not run');
  return row.generation;
}

/** Those that have not been rebuilt for this generation and their present tables. Forgets who follows no longer. */
export async function toRebuild(
  { sql }: Database,
  generation: string,
  consumers: readonly ChangeConsumer[],
): Promise<ChangeConsumer[]> {
  const names = consumers.map(({ name }) => name);
  // A consumer that this release does not know misses what happens from now on.
  await sql`delete from change_consumer where name <> all(${sql.array(names, 'text')})`;
  const rows = await sql<{ name: string; tables: string }>`
    select name, tables from change_consumer where generation = ${generation}`;
  const built = new Map(rows.map(({ name, tables }) => [name, tables]));
  return consumers.filter((consumer) => built.get(consumer.name) !== tablesOf(consumer));
}

export async function markRebuilt(
  { sql }: Database,
  generation: string,
  consumer: ChangeConsumer,
): Promise<void> {
  await sql`
    insert into change_consumer (name, generation, tables)
    values (${consumer.name}, ${generation}, ${tablesOf(consumer)})
    on conflict (name) do update set generation = excluded.generation, tables = excluded.tables`;
}

function tablesOf({ tables }: ChangeConsumer): string {
  return tables
    .map(({ table, before = [] }) => `${table}(${[...before].sort().join(',')})`)
    .sort()
    .join(' ');
}
