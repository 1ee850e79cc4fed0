import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir, utimes } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SQL } from 'bun';
import { fromBunSql, PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import { randomToken, systemRandom } from '../../kernel/random.ts';
import { type ArchiveEntry, pathWithin, readAll, readArchive } from './archive.ts';
import { BACKUP_FORMAT, type BackupHeader, columnsOf, nameOf } from './backup.ts';
import { acquireDataLock } from './data-lock.ts';
import { openDatabase } from './database.ts';
import { startEmbeddedPostgres, stopOrphan } from './embedded-server.ts';
import { migrate, readMigrations } from './migrate.ts';
import type { Driver } from './sql.ts';
import { StartError } from './start-error.ts';

export interface RestoreOptions {
  readonly archive: string;
  /** Does not exist, or is empty. */
  readonly dataDir: string;
  readonly log: Logger;
  /** Where media and keys stand below the data folder. */
  readonly mediaFolder?: string;
  readonly keysFolder?: string;
  /** Tests only: the migrations of another release. */
  readonly migrationsFolder?: string;
}

export interface RestoreSummary {
  readonly tables: number;
  readonly jobs: number;
  readonly files: number;
  /** The schema version afterwards. */
  readonly schemaVersion: number;
}

type CopyWriter = ReturnType<ReturnType<SQL.Query<unknown>['writable']>['getWriter']>;

const JOBS_PER_INSERT = 500;

/**
 * Makes a data folder out of a backup, also of one that an older release wrote: the schema is brought to the
 * backup's version first, then the rows come in, then it is brought to the present one.
 *
 * Everything is made beside the folder and renamed into its place at the end, so a restore that is killed leaves
 * the folder as empty as it was.
 */
export async function restore(options: RestoreOptions): Promise<RestoreSummary> {
  const dataDir = resolve(options.dataDir);
  await refuseUnlessEmpty(dataDir);
  await mkdir(dirname(dataDir), { recursive: true });
  await removeUnfinished(dataDir);
  const draft = `${dataDir}.restoring-${randomToken(systemRandom, 6)}`;
  try {
    const summary = await restoreInto(draft, options);
    await rmdir(dataDir).catch(ignoreMissing);
    await rename(draft, dataDir);
    options.log.info({ ...summary, dataDir }, 'backup restored');
    return summary;
  } catch (error) {
    await rm(draft, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  }
}

async function restoreInto(draft: string, options: RestoreOptions): Promise<RestoreSummary> {
  const { log } = options;
  await using lock = await acquireDataLock(draft);
  await using server = await startEmbeddedPostgres({ lock, log });
  await using database = openDatabase({ url: server.url, maxConnections: 2, log });
  const loader = new SQL(server.url, { max: 1 });
  try {
    const restoring = new Restoring(loader, options, draft);
    await restoring.run(database);
    const schemaVersion = await migrate({ database, log, ...folderOf(options) });
    await database.driver.unsafe('analyze');
    return { ...restoring.counts, schemaVersion };
  } finally {
    await loader.close({ timeout: 1 });
  }
}

const folderOf = ({ migrationsFolder }: RestoreOptions) =>
  migrationsFolder === undefined ? {} : { folder: migrationsFolder };

class Restoring {
  readonly counts = { tables: 0, jobs: 0, files: 0 };
  readonly #loader: SQL;
  readonly #options: RestoreOptions;
  readonly #draft: string;
  #copying: { name: string; writer: CopyWriter } | undefined;
  #jobs: JobStream | undefined;
  #header: BackupHeader | undefined;

  constructor(loader: SQL, options: RestoreOptions, draft: string) {
    this.#loader = loader;
    this.#options = options;
    this.#draft = draft;
  }

  async run(database: { readonly driver: Driver }): Promise<void> {
    try {
      await this.#readAll(database);
      await this.#endCopy();
    } catch (error) {
      // A COPY that is left open keeps its connection.
      await this.#copying?.writer.abort(error).catch(() => undefined);
      throw error;
    } finally {
      await this.#endJobs();
    }
    if (!this.#header) throw notABackup(this.#options.archive);
  }

  async #readAll(database: { readonly driver: Driver }): Promise<void> {
    for await (const entry of readArchive(this.#options.archive)) {
      if (entry.name === 'header.json') await this.#begin(entry, database);
      else if (!this.#header) throw notABackup(this.#options.archive);
      else if (entry.name.startsWith('tables/')) await this.#rows(entry);
      else if (entry.name.startsWith('jobs/')) await this.#waitingJobs(entry, database.driver);
      else await this.#file(entry);
    }
  }

  async #begin(entry: ArchiveEntry, database: { readonly driver: Driver }): Promise<void> {
    const header: BackupHeader = JSON.parse(new TextDecoder().decode(await readAll(entry.content)));
    await checkHeader(header, this.#options);
    const upTo = Math.max(0, ...header.migrations.map(({ version }) => version));
    await migrate({ database, log: this.#options.log, upTo, ...folderOf(this.#options) });
    // The rows were whole when they were written, so the order of the tables does not matter.
    await this.#loader.unsafe('set session_replication_role = replica');
    if (header.tables.length > 0) {
      // Migrations may have put rows there themselves.
      await this.#loader.unsafe(`truncate ${header.tables.map(nameOf).join(', ')}`);
    }
    for (const { value, called, ...sequence } of header.sequences) {
      await this.#loader`select setval(${nameOf(sequence)}::regclass, ${value}::int8, ${called})`;
    }
    this.#header = header;
  }

  async #rows(entry: ArchiveEntry): Promise<void> {
    const name = entry.name.slice('tables/'.length, entry.name.lastIndexOf('/'));
    if (this.#copying?.name !== name) {
      await this.#endCopy();
      const table = this.#header?.tables.find((table) => `${table.schema}.${table.name}` === name);
      if (!table) throw notABackup(this.#options.archive);
      const statement = `copy ${nameOf(table)} (${columnsOf(table)}) from stdin`;
      this.#copying = { name, writer: this.#loader.unsafe(statement).writable().getWriter() };
      this.counts.tables += 1;
    }
    await this.#copying?.writer.write(await Bun.zstdDecompress(await readAll(entry.content)));
  }

  async #endCopy(): Promise<void> {
    await this.#copying?.writer.close();
    this.#copying = undefined;
  }

  async #waitingJobs(entry: ArchiveEntry, driver: Driver): Promise<void> {
    await this.#endCopy();
    this.#jobs ??= await JobStream.open(driver, this.#header?.queues ?? [], this.#options.log);
    await this.#jobs.write(await Bun.zstdDecompress(await readAll(entry.content)));
  }

  async #endJobs(): Promise<void> {
    this.counts.jobs = (await this.#jobs?.end()) ?? 0;
    this.#jobs = undefined;
  }

  async #file(entry: ArchiveEntry): Promise<void> {
    const { mediaFolder = 'media', keysFolder = 'keys' } = this.#options;
    const [kind = '', ...rest] = entry.name.split('/');
    const folder = { media: mediaFolder, keys: keysFolder }[kind];
    if (folder === undefined) throw notABackup(this.#options.archive);
    const path = pathWithin(join(this.#draft, folder), rest.join('/'));
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await pipeline(entry.content, createWriteStream(path, { mode: entry.mode, flags: 'wx' }));
    await utimes(path, entry.mtime, entry.mtime);
    this.counts.files += 1;
  }
}

interface WaitingJob {
  readonly queue: string;
  readonly data: object | null;
  readonly priority: number;
  readonly key: string | null;
  readonly startAfter: string;
  readonly retryLimit: number;
}

/** Enqueues the archived jobs with pg-boss's own statements, whatever release of it wrote them. */
class JobStream {
  readonly #boss: PgBoss;
  #rest = '';
  #batch: WaitingJob[] = [];
  #count = 0;

  private constructor(boss: PgBoss) {
    this.#boss = boss;
  }

  static async open(driver: Driver, queues: BackupHeader['queues'], log: Logger): Promise<JobStream> {
    const boss = new PgBoss({
      db: fromBunSql(driver),
      schema: 'pgboss',
      supervise: false,
      schedule: false,
      registerInstance: false,
    });
    // Its own chores, which nothing here waits for; without a listener their errors would end the process.
    boss.on('error', (error) => log.warn({ err: error }, 'job queue'));
    await boss.start();
    for (const { name, policy, retryLimit, heartbeatSeconds } of queues) {
      const heartbeat = heartbeatSeconds === null ? {} : { heartbeatSeconds };
      await boss.createQueue(name, { policy, retryLimit, ...heartbeat });
    }
    return new JobStream(boss);
  }

  async write(chunk: Uint8Array): Promise<void> {
    const lines = (this.#rest + Buffer.from(chunk).toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      this.#batch.push(JSON.parse(Buffer.from(line, 'hex').toString('utf8')));
      if (this.#batch.length >= JOBS_PER_INSERT) await this.#flush();
    }
  }

  async end(): Promise<number> {
    await this.#flush();
    await this.#boss.stop({ graceful: false, close: false });
    return this.#count;
  }

  async #flush(): Promise<void> {
    const byQueue = Map.groupBy(this.#batch, ({ queue }) => queue);
    for (const [queue, jobs] of byQueue) {
      const inserts = jobs.map(({ data, priority, key, startAfter, retryLimit }) => ({
        ...(data && { data }),
        ...(key !== null && { singletonKey: key }),
        priority,
        startAfter,
        retryLimit,
      }));
      await this.#boss.insert(queue, inserts);
    }
    this.#count += this.#batch.length;
    this.#batch = [];
  }
}

async function checkHeader(header: BackupHeader, options: RestoreOptions): Promise<void> {
  if (header.format > BACKUP_FORMAT) {
    throw new StartError(
      `the backup has format ${header.format}, this release reads up to ${BACKUP_FORMAT}`,
      `Restore it with release ${header.program} or a newer one.`,
    );
  }
  const known = new Map(
    (await readMigrations(options.migrationsFolder)).map(({ version, checksum }) => [version, checksum]),
  );
  for (const { version, checksum } of header.migrations) {
    if (known.get(version) === checksum) continue;
    throw new StartError(
      `the backup has migration ${version}, which this release does not know in that form`,
      `Restore it with release ${header.program} or a newer one.`,
    );
  }
}

async function refuseUnlessEmpty(dataDir: string): Promise<void> {
  const names = await readdir(dataDir).catch((error: unknown) => {
    ignoreMissing(error);
    return [];
  });
  if (names.length === 0) return;
  throw new StartError(
    `${dataDir} is not empty`,
    'Restore into an empty folder, or move that one away first.',
  );
}

async function removeUnfinished(dataDir: string): Promise<void> {
  const prefix = `${basename(dataDir)}.restoring-`;
  for (const name of await readdir(dirname(dataDir))) {
    if (!name.startsWith(prefix)) continue;
    const draft = join(dirname(dataDir), name);
    // Throws when that restore is still running; a dead one has left its PostgreSQL behind.
    await using lock = await acquireDataLock(draft);
    await stopOrphan(lock);
    await rm(draft, { recursive: true, force: true, maxRetries: 5 });
  }
}

function notABackup(archive: string): StartError {
  return new StartError(`${archive} is not a backup of H-Video`, 'Name a file that `hvideo backup` wrote.');
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
