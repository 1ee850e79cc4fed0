import type { Database } from '../../../ports/database/port.ts';
import { type Followed, tablesToLogWhole } from './followed-tables.ts';
import { beginGeneration, readGeneration } from './generation.ts';
import type { ReplicationConnection } from './replication-connection.ts';

/** What the server knows about a slot. */
export interface SlotState {
  readonly isActive: boolean;
  /** Its log has been thrown away. */
  readonly isLost: boolean;
  /** Names are unique in the server: this one belongs to another database or program. */
  readonly isForeign: boolean;
  readonly confirmedLsn: bigint;
  readonly lagBytes: number;
}

interface SlotRow {
  readonly active: boolean;
  readonly is_lost: boolean;
  readonly is_foreign: boolean;
  readonly confirmed: string;
  readonly lag_bytes: string;
}

export async function readSlot({ sql }: Database, slot: string): Promise<SlotState | undefined> {
  const [row] = await sql<SlotRow>`
    select active,
      wal_status = 'lost' or confirmed_flush_lsn is null as is_lost,
      plugin is distinct from 'pgoutput' or database is distinct from current_database() as is_foreign,
      coalesce(confirmed_flush_lsn, '0/0') - '0/0' as confirmed,
      pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(confirmed_flush_lsn, '0/0')) as lag_bytes
    from pg_replication_slots where slot_name = ${slot}`;
  if (!row) return undefined;
  return {
    isActive: row.active,
    isLost: row.is_lost,
    isForeign: row.is_foreign,
    confirmedLsn: BigInt(row.confirmed),
    lagBytes: Number(row.lag_bytes),
  };
}

export interface SlotOptions {
  readonly database: Database;
  readonly slot: string;
  readonly publication: string;
  readonly maxLagBytes: number;
  readonly followed: Followed;
  readonly onBegunAnew: (why: string) => void;
}

/**
 * Leaves a publication of all followed tables and a slot that decodes it; returns the generation. Only for the leader. The
 * publication is always the older one: a slot cannot decode what was written before its publication existed.
 */
export async function prepareSlot(connection: ReplicationConnection, options: SlotOptions): Promise<string> {
  const { database, slot } = options;
  const [known, current, isPublished] = await Promise.all([
    readGeneration(database),
    readSlot(database, slot),
    hasPublication(options),
  ]);
  if (current?.isForeign) {
    throw new Error(
      `the replication slot ${slot} belongs to another database or program: choose another name`,
    );
  }
  const why = reasonToBeginAnew(known, current, isPublished, options.maxLagBytes);
  if (why === undefined) {
    await publish(connection, options, isPublished);
    return known.generation;
  }
  const generation = await beginGeneration(database, 'logical');
  const name = connection.quote(slot);
  if (current) await connection.query(`select pg_drop_replication_slot(${name})`);
  if (known.kind === 'outbox') await removeOutbox(connection);
  await publish(connection, options, isPublished);
  // Waits for all transactions that are running, however long they take.
  await connection.query('set lock_timeout = 0');
  await connection.query(`select pg_create_logical_replication_slot(${name}, 'pgoutput')`);
  options.onBegunAnew(why);
  return generation;
}

function reasonToBeginAnew(
  known: Awaited<ReturnType<typeof readGeneration>>,
  slot: SlotState | undefined,
  isPublished: boolean,
  maxLagBytes: number,
): string | undefined {
  if (known.kind !== 'logical') return 'it is the first time';
  if (!known.isOfThisSystem) return 'the database is another one';
  if (!slot) return 'there is no slot';
  if (slot.isLost) return 'the slot is lost';
  if (!isPublished) return 'there is no publication';
  if (slot.lagBytes > maxLagBytes) return `the slot lags by ${slot.lagBytes} bytes`;
  return undefined;
}

async function hasPublication({ database, publication }: SlotOptions): Promise<boolean> {
  const rows = await database.sql`select from pg_publication where pubname = ${publication}`;
  return rows.length > 0;
}

async function publish(
  connection: ReplicationConnection,
  { database, publication, followed }: SlotOptions,
  isPublished: boolean,
): Promise<void> {
  for (const table of await tablesToLogWhole(database, followed)) {
    await connection.query(`alter table public.${connection.quoteName(table)} replica identity full`);
  }
  const name = connection.quoteName(publication);
  const wanted = [...followed.keys()].sort();
  const tables = wanted.map((table) => `public.${connection.quoteName(table)}`).join(', ');
  if (!isPublished) {
    await connection.query(`create publication ${name}${tables === '' ? '' : ` for table ${tables}`}`);
    return;
  }
  const rows = await database.sql<{ tablename: string }>`
    select tablename from pg_publication_tables where pubname = ${publication} and schemaname = 'public'`;
  const present = rows.map(({ tablename }) => tablename).sort();
  if (present.join() === wanted.join()) return;
  // A publication cannot be set to no table at all; what nobody follows is not handed to anybody.
  if (tables !== '') await connection.query(`alter publication ${name} set table ${tables}`);
}

/** The outbox was used before: nobody would empty it any more. */
async function removeOutbox(connection: ReplicationConnection): Promise<void> {
  const triggers = await connection.query<{ name: string; place: string }>(
    `select tgname as name, tgrelid::regclass::text as place from pg_trigger
     where tgfoid = 'change_log_row'::regproc and not tgisinternal`,
  );
  for (const { name, place } of triggers) {
    await connection.query(`drop trigger ${connection.quoteName(name)} on ${place}`);
  }
  await connection.query('truncate change_log, change_turn');
}
