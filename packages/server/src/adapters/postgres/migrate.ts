import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { PostgresDatabase } from './database.ts';
import type { Driver } from './sql.ts';
import { isTableMissing } from './sql-errors.ts';
import { StartError } from './start-error.ts';

/**
 * Numbered migrations: `NNNN_name.sql`, each run once, in order, in a transaction of its own.
 *
 * The rule for writing one: expand first, contract later. The previous release runs beside the new one during an
 * upgrade, so a migration may add (tables, nullable columns, indexes) but never take away or rename what the
 * previous release still uses; that is done one release later. An applied file is never edited: its checksum
 * is kept, and a changed one is refused.
 */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

export interface MigrateOptions {
  readonly database: Pick<PostgresDatabase, 'driver'>;
  readonly log: Logger;
  readonly folder?: string;
  /** The newest migration to run; all of them when absent. For restoring a backup of an older release. */
  readonly upTo?: number;
}

export const MIGRATIONS_FOLDER = join(import.meta.dir, '..', '..', '..', 'migrations');
const OLDEST_SERVER = 160_000;
/** One number for all instances: whoever holds it migrates. */
export const MIGRATION_LOCK = '7239485102934857';
const LOCK_DEADLINE_MS = 60_000;

interface Applied {
  readonly version: number;
  readonly checksum: string;
}

/** Brings the schema to the newest version and returns that. One query when there is nothing to do. */
export async function migrate(options: MigrateOptions): Promise<number> {
  const { driver } = options.database;
  const all = await readMigrations(options.folder);
  const wanted = all.filter(({ version }) => version <= (options.upTo ?? Number.MAX_SAFE_INTEGER));
  const applied = await readApplied(driver);
  checkHistory(all, applied);
  const done = new Set(applied.map(({ version }) => version));
  for (const migration of wanted) {
    if (done.has(migration.version)) continue;
    const startedAtMs = performance.now();
    if (await apply(driver, migration)) {
      const ms = Math.round(performance.now() - startedAtMs);
      options.log.info({ version: migration.version, name: migration.name, ms }, 'migrated');
    }
  }
  return Math.max(0, ...done, ...wanted.map(({ version }) => version));
}

/** The newest version that the database has, 0 for an empty one. */
export async function schemaVersion(database: Pick<PostgresDatabase, 'driver'>): Promise<number> {
  return Math.max(0, ...(await readApplied(database.driver)).map(({ version }) => version));
}

export async function readMigrations(folder = MIGRATIONS_FOLDER): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const migrations = await Promise.all(names.map((name) => readMigration(folder, name)));
  migrations.forEach(({ version }, index) => {
    if (version === migrations[index - 1]?.version) {
      throw new Error(`two migrations in ${folder} have the number ${version}`);
    }
  });
  return migrations;
}

async function readMigration(folder: string, file: string): Promise<Migration> {
  const match = /^(\d{4})_([a-z0-9_]+)\.sql$/.exec(file);
  if (!match) throw new Error(`a migration is named NNNN_name.sql, not ${file}`);
  // A checkout on Windows may end its lines otherwise; the migration is the same.
  const text = (await Bun.file(join(folder, file)).text()).replaceAll('\r\n', '\n');
  const checksum = new Bun.CryptoHasher('sha256').update(text).digest('hex');
  return { version: Number(match[1]), name: match[2] ?? '', text, checksum };
}

async function readApplied(driver: Driver): Promise<Applied[]> {
  try {
    return await driver<Applied[]>`select version, checksum from schema_migration order by version`;
  } catch (error) {
    if (!isTableMissing(error)) throw error;
  }
  const [row] = await driver`select current_setting('server_version_num')::int as version`;
  if (row.version < OLDEST_SERVER) {
    throw new StartError(
      `the PostgreSQL server is version ${Math.floor(row.version / 10_000)}, at least 16 is needed`,
      'Upgrade the server, or leave DATABASE_URL out to use the one that comes with this program.',
    );
  }
  return [];
}

function checkHistory(all: readonly Migration[], applied: readonly Applied[]): void {
  const known = new Map(all.map((migration) => [migration.version, migration]));
  const newest = Math.max(0, ...applied.map(({ version }) => version));
  for (const { version, checksum } of applied) {
    const migration = known.get(version);
    if (!migration) {
      throw new StartError(
        `the data is newer than this program: it has migration ${version}, which this release does not know`,
        'Start the release that wrote the data, or a newer one.',
      );
    }
    if (migration.checksum !== checksum) {
      throw new StartError(
        `migration ${version} (${migration.name}) was changed after it had been applied`,
        'Restore the file as it was released; a change of the schema is a new migration.',
      );
    }
  }
  const have = new Set(applied.map(({ version }) => version));
  const skipped = all.find(({ version }) => version < newest && !have.has(version));
  if (skipped) {
    throw new StartError(
      `migration ${skipped.version} (${skipped.name}) comes before ${newest}, which has been applied already`,
      'Give the newer migration the higher number; data made in between has to be made again.',
    );
  }
}

/** False when another instance was faster. */
function apply(driver: Driver, migration: Migration): Promise<boolean> {
  return driver.begin(async (tx) => {
    await tx.unsafe(`set local lock_timeout = ${LOCK_DEADLINE_MS}; set local statement_timeout = 0`).simple();
    await tx.unsafe(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    await tx`
      create table if not exists schema_migration (
        version int4 primary key,
        name text not null,
        checksum text not null,
        applied_at timestamptz not null default now())`;
    const [earlier] = await tx`select checksum from schema_migration where version = ${migration.version}`;
    if (earlier) return false;
    await tx.unsafe(migration.text).simple();
    await tx`
      insert into schema_migration (version, name, checksum)
      values (${migration.version}, ${migration.name}, ${migration.checksum})`;
    return true;
  });
}
