import { stat } from 'node:fs/promises';
import { SQL } from 'bun';
import type { Logger } from 'pino';
import { ArchiveWriter } from './archive.ts';
import { MIGRATION_LOCK } from './migrate.ts';
import type { Driver } from './sql.ts';
import { StartError } from './start-error.ts';

export interface BackupOptions {
  readonly url: string;
  readonly mediaDir: string;
  readonly keysDir: string;
  /** A file that does not exist yet. */
  readonly target: string;
  readonly programVersion: string;
  readonly log: Logger;
  readonly signal?: AbortSignal;
}

export interface BackupSummary {
  readonly tables: number;
  readonly rows: number;
  readonly jobs: number;
  readonly files: number;
  /** Files that became shorter while they were read; their ends are zeros. */
  readonly tornFiles: number;
  readonly bytes: number;
}

/** The first entry of the archive. */
export interface BackupHeader {
  readonly format: number;
  readonly program: string;
  readonly createdAt: string;
  readonly migrations: readonly { version: number; checksum: string }[];
  readonly tables: readonly TableShape[];
  readonly sequences: readonly { schema: string; name: string; value: string; called: boolean }[];
  readonly queues: readonly QueueShape[];
}

export interface TableShape {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
}

export interface QueueShape {
  readonly name: string;
  readonly policy: string;
  readonly retryLimit: number;
  readonly heartbeatSeconds: number | null;
}

export const BACKUP_FORMAT = 1;
const CHUNK_BYTES = 4 * 1_024 * 1_024;

/**
 * Writes one file with everything: the rows as of one moment, the jobs that still wait, media and keys.
 *
 * Taken while the program runs: the rows come from one snapshot, read by COPY; the media are copied after it, so
 * every file that the snapshot names was there when the copying began. What is deleted meanwhile is missing from
 * the archive, what is added meanwhile does no harm.
 */
export async function backup(options: BackupOptions): Promise<BackupSummary> {
  if (await stat(options.target).catch(() => undefined)) {
    throw new StartError(`${options.target} exists already`, 'Give the backup another name.');
  }
  const archive = new ArchiveWriter(options.target);
  try {
    const fromDatabase = await backUpDatabase(options, archive);
    const media = await archive.addFolder('media', options.mediaDir, options.signal);
    const keys = await archive.addFolder('keys', options.keysDir, options.signal);
    await archive.seal();
    const { size: bytes } = await stat(options.target);
    const summary = { ...fromDatabase, files: media + keys, tornFiles: archive.tornFiles, bytes };
    options.log.info({ ...summary, target: options.target }, 'backup written');
    return summary;
  } catch (error) {
    await archive.discard();
    throw error;
  }
}

async function backUpDatabase(options: BackupOptions, archive: ArchiveWriter) {
  const pool = new SQL(options.url, { max: 1, connection: { application_name: 'hvideo-backup' } });
  try {
    return await pool.begin('isolation level repeatable read read only', async (tx) => {
      await tx.unsafe('set local statement_timeout = 0; set local lock_timeout = 60000').simple();
      // No migration while we read: changes of the schema do not respect snapshots.
      await tx.unsafe(`select pg_advisory_xact_lock_shared(${MIGRATION_LOCK})`);
      const header = await readHeader(tx, options.programVersion);
      await archive.add('header.json', Buffer.from(JSON.stringify(header)));
      let rows = 0;
      for (const table of header.tables) {
        options.signal?.throwIfAborted();
        const statement = `copy ${nameOf(table)} (${columnsOf(table)}) to stdout`;
        rows += await copyOut(tx, statement, `tables/${table.schema}.${table.name}`, archive);
      }
      const jobs = header.queues.length > 0 ? await copyOut(tx, WAITING_JOBS, 'jobs/waiting', archive) : 0;
      return { tables: header.tables.length, rows, jobs };
    });
  } finally {
    await pool.close({ timeout: 1 });
  }
}

/**
 * Not pg-boss's own columns, which change with its releases, but what enqueueing needs again. A job that is being
 * worked on will be done again after a restore.
 */
const WAITING_JOBS = `copy (
  select encode(convert_to(json_build_object('queue', name, 'data', data, 'priority', priority, 'key', singleton_key,
    'startAfter', start_after, 'retryLimit', retry_limit)::text, 'UTF8'), 'hex')
  from pgboss.job where state <= 'active' and name not like '\\_\\_pgboss\\_\\_%' order by created_on, id) to stdout`;

async function readHeader(tx: Driver, program: string): Promise<BackupHeader> {
  const tables = await tx<TableShape[]>`
    select n.nspname as schema, c.relname as name, array(
      select a.attname::text from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
      order by a.attnum) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and c.relpersistence = 'p' and n.nspname = 'public' and c.relname <> 'schema_migration'
      and not exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'e')
    order by c.relname`;
  const migrations = await tx<BackupHeader['migrations'][number][]>`
    select version, checksum from schema_migration order by version`;
  return {
    format: BACKUP_FORMAT,
    program,
    createdAt: new Date().toISOString(),
    migrations: [...migrations],
    tables: tables.map(({ schema, name, columns }) => ({ schema, name, columns: [...columns] })),
    sequences: await readSequences(tx),
    queues: await readQueues(tx),
  };
}

async function readSequences(tx: Driver): Promise<BackupHeader['sequences']> {
  const names = await tx`select schemaname as schema, sequencename as name from pg_sequences
    where schemaname = 'public' order by 2`;
  const sequences: BackupHeader['sequences'][number][] = [];
  for (const { schema, name } of names) {
    const [row] = await tx.unsafe(
      `select last_value::text as value, is_called as called from ${nameOf({ schema, name })}`,
    );
    sequences.push({ schema, name, value: row.value, called: row.called });
  }
  return sequences;
}

async function readQueues(tx: Driver): Promise<QueueShape[]> {
  const [known] = await tx`select to_regclass('pgboss.queue') is not null as present`;
  if (!known.present) return [];
  const queues = await tx<QueueShape[]>`
    select name, policy, retry_limit as "retryLimit", heartbeat_seconds as "heartbeatSeconds"
    from pgboss.queue where name not like '\\_\\_pgboss\\_\\_%' order by name`;
  return [...queues];
}

/** One COPY as a row of compressed entries of bounded size, because a tar wants the size of each before it. */
async function copyOut(tx: Driver, statement: string, name: string, archive: ArchiveWriter): Promise<number> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  let rows = 0;
  let number = 0;
  const flush = async () => {
    const content = await Bun.zstdCompress(Buffer.concat(parts));
    await archive.add(`${name}/${String(number).padStart(6, '0')}.zst`, content);
    number += 1;
    parts.length = 0;
    bytes = 0;
  };
  for await (const chunk of tx.unsafe(statement).readable()) {
    parts.push(chunk);
    bytes += chunk.byteLength;
    for (const byte of chunk) if (byte === 10) rows += 1;
    if (bytes >= CHUNK_BYTES) await flush();
  }
  if (bytes > 0) await flush();
  return rows;
}

export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
export const nameOf = ({ schema, name }: { schema: string; name: string }) =>
  `${quoted(schema)}.${quoted(name)}`;
export const columnsOf = ({ columns }: TableShape) => columns.map(quoted).join(', ');
