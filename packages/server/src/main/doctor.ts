import { existsSync, readFileSync } from 'node:fs';
import { readdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { SQL } from 'bun';
import { findBinaries } from '../adapters/ffmpeg/binaries.ts';
import { acquireDataLock } from '../adapters/postgres/data-lock.ts';
import { readMigrations } from '../adapters/postgres/migrate.ts';
import { findNativeFiles } from '../adapters/postgres/native-files.ts';
import { StartError } from '../adapters/postgres/start-error.ts';
import { findLargeShelves, MAX_SHELF_MEMBERS } from '../adapters/redis/large-shelves.ts';
import { type Config, InvalidSettings, roles } from '../config/config.ts';
import { keysPath, problemOfKeys } from '../config/secrets.ts';
import { ffmpegUnusable } from './ffmpeg-unusable.ts';
import { type OutputOptions, print } from './output.ts';
import { looksAtFiles } from './transcoder.ts';

type Verdict = 'good' | 'warning' | 'bad';

interface Finding {
  readonly verdict: Verdict;
  readonly detail: string;
  /** What to do about it; absent when nothing is to be done. */
  readonly mend?: string;
}

const good = (detail: string): Finding => ({ verdict: 'good', detail });
const warning = (detail: string, mend: string): Finding => ({ verdict: 'warning', detail, mend });
const bad = (detail: string, mend: string): Finding => ({ verdict: 'bad', detail, mend });

const lowDiskBytes = 5 * 1024 ** 3;
const noDiskBytes = 500 * 1024 ** 2;
const largestClockErrorMs = 2_000;
const connectSeconds = 5;
const oldestPostgres = 160_000;

/** Checks everything that `serve` needs, changes nothing, and exits 1 when something would stop it. */
export async function doctor(readConfig: () => Config, options: OutputOptions): Promise<void> {
  const findings: Record<string, Finding> = {};
  const config = readSettings(readConfig, findings);
  if (config) {
    const running = await checkDataFolder(config, findings);
    checkKeys(config, findings);
    findings['disk'] = await examined(() => checkDisk(config));
    if (looksAtFiles(config.HVIDEO_ROLES)) findings['ffmpeg'] = await examined(() => checkFfmpeg(config));
    findings['database'] = await examined(() => checkDatabase(config));
    const urls = config.REDIS_URL;
    if (urls !== undefined) findings['redis'] = await examined(() => checkRedis(urls));
    findings['port'] = await examined(() => checkPort(config, running));
    findings['clock'] = await examined(() => checkClock(config));
  }
  const isWell = Object.values(findings).every(({ verdict }) => verdict !== 'bad');
  print(options, { ok: isWell, checks: findings }, report(findings));
  process.exit(isWell ? 0 : 1);
}

/** A check that fails in an unforeseen way is a finding too. */
async function examined(check: () => Promise<Finding>): Promise<Finding> {
  try {
    return await check();
  } catch (error) {
    if (error instanceof StartError) return bad(error.message, error.mend);
    return bad(error instanceof Error ? error.message : String(error), 'Mend what the message says.');
  }
}

function report(findings: Record<string, Finding>): string {
  const marks = { good: 'ok  ', warning: 'warn', bad: 'BAD ' };
  return Object.entries(findings)
    .map(([check, { verdict, detail, mend }]) => {
      const line = `${marks[verdict]}  ${check.padEnd(9)} ${detail}`;
      return mend ? `${line}\n                -> ${mend}` : line;
    })
    .join('\n');
}

function readSettings(readConfig: () => Config, findings: Record<string, Finding>): Config | undefined {
  try {
    const config = readConfig();
    findings['settings'] = good(settingsOf(config));
    return config;
  } catch (error) {
    if (!(error instanceof InvalidSettings)) throw error;
    const faults = error.faults.map(({ name, problem }) => `${name} ${problem}`).join('; ');
    findings['settings'] = bad(
      faults,
      'Correct the settings named here; docs/operating/settings.md lists them all.',
    );
    return undefined;
  }
}

function settingsOf({ HVIDEO_ROLES: chosen, profile }: Config): string {
  const left = roles.filter((role) => !chosen.includes(role));
  if (left.length === 0) return `${profile} profile, every role`;
  return `${profile} profile, roles ${chosen.join(', ')}; ${left.join(', ')} must run elsewhere`;
}

/** Answers whether a server is running on the folder. */
async function checkDataFolder(config: Config, findings: Record<string, Finding>): Promise<boolean> {
  const folder = config.HVIDEO_DATA;
  if (!existsSync(folder)) {
    findings['data'] = good(`${folder} does not exist yet: the first start makes it`);
    return false;
  }
  try {
    const probe = join(folder, `.doctor-${process.pid}`);
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    findings['data'] = bad(
      `${folder} cannot be written: ${reason}`,
      'Give the user who runs the server write access.',
    );
    return false;
  }
  if (config.profile === 'cluster') {
    findings['data'] = good(`${folder} can be written`);
    return false;
  }
  try {
    await using _lock = await acquireDataLock(folder);
    findings['data'] = good(`${folder} can be written, and no server is running on it`);
    return false;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    findings['data'] = good(error.message);
    return true;
  }
}

function checkKeys(config: Config, findings: Record<string, Finding>): void {
  const path = keysPath(config.HVIDEO_DATA);
  if (config.HVIDEO_KEYS !== undefined) findings['keys'] = good('given by HVIDEO_KEYS');
  else if (existsSync(path)) {
    const problem = problemOfKeys(readFileSync(path, 'utf8'));
    findings['keys'] = problem
      ? bad(`${path} ${problem}`, 'Put the file back from a backup, or delete it to end every login.')
      : good(path);
  }
}

async function checkDisk(config: Config): Promise<Finding> {
  const folder = existsSync(config.HVIDEO_DATA) ? config.HVIDEO_DATA : '.';
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  const detail = `${(freeBytes / 1024 ** 3).toFixed(1)} GiB free`;
  const mend = 'Make room, or put HVIDEO_DATA on a larger disk.';
  if (freeBytes < noDiskBytes) return bad(detail, mend);
  return freeBytes < lowDiskBytes ? warning(detail, mend) : good(detail);
}

async function checkFfmpeg(config: Config): Promise<Finding> {
  const choice = { ffmpeg: config.HVIDEO_FFMPEG, ffprobe: config.HVIDEO_FFPROBE };
  const found = await findBinaries(choice).catch((error: unknown) => {
    throw ffmpegUnusable(error);
  });
  const detail = `${found.ffmpegVersion} (${found.source}: ${found.ffmpeg})`;
  if (found.source !== 'npm') return good(detail);
  return warning(detail, 'Works, but an ffmpeg of your system gets security updates: install one.');
}

async function checkDatabase(config: Config): Promise<Finding> {
  if (config.DATABASE_URL === undefined) {
    const native = await findNativeFiles();
    return good(`embedded PostgreSQL ${native.version}`);
  }
  const mend = 'Check DATABASE_URL, that the server runs, and that it lets this user in.';
  await using sql = new SQL(config.DATABASE_URL, { max: 1, connectionTimeout: connectSeconds });
  try {
    const [row] = await sql`select current_setting('server_version_num')::int4 as version,
      to_regclass('schema_migration') is not null as migrated`;
    if (row.version < oldestPostgres) return bad(`PostgreSQL ${row.version}`, 'Use PostgreSQL 16 or newer.');
    if (!row.migrated) return good(`PostgreSQL ${row.version}, empty: the first start makes the schema`);
    const [{ newest }] = await sql`select coalesce(max(version), 0)::int4 as newest from schema_migration`;
    const known = (await readMigrations()).at(-1)?.version ?? 0;
    if (newest > known)
      return bad(`schema ${newest} is newer than this program (${known})`, 'Run the newer release.');
    return good(`PostgreSQL ${row.version}, schema ${newest} of ${known}`);
  } catch (error) {
    return bad(`cannot be reached: ${error instanceof Error ? error.message : String(error)}`, mend);
  }
}

/** Shelves larger than any can become through this program hold up the server whenever they are read. */
async function checkRedis(urls: readonly string[]): Promise<Finding> {
  const found = await Promise.all(urls.map(findLargeShelves));
  const large = found.flatMap((each) => each.large);
  const looked = found.reduce((sum, each) => sum + each.looked, 0);
  if (large.length > 0) {
    const mend = 'Delete these keys (UNLINK): timelines are made anew from the database.';
    return warning(`timelines with more than ${MAX_SHELF_MEMBERS} members: ${large.join(', ')}`, mend);
  }
  const all = found.every(({ isComplete }) => isComplete) ? 'all' : 'some';
  return good(`can be reached; ${all} timelines there were looked at (${looked}), none is too large`);
}

async function checkPort(config: Config, running: boolean): Promise<Finding> {
  const { HVIDEO_HOST: host, HVIDEO_PORT: port } = config;
  if (port === 0) return good('any free one');
  const { promise, resolve } = Promise.withResolvers<Finding>();
  const server = createServer();
  server.once('error', (error: NodeJS.ErrnoException) => {
    const detail = `${host}:${port} ${error.code === 'EADDRINUSE' ? 'is taken' : error.message}`;
    resolve(
      running && error.code === 'EADDRINUSE'
        ? good(`${detail}, by the running server`)
        : bad(detail, 'Stop what listens there, or choose another with --port.'),
    );
  });
  server.listen({ host, port, exclusive: true }, () =>
    server.close(() => resolve(good(`${host}:${port} is free`))),
  );
  return promise;
}

/** A clock that runs behind what the data folder has seen would order new clips before old ones. */
async function checkClock(config: Config): Promise<Finding> {
  const mend = 'Set the machine’s clock and let NTP keep it.';
  const nowMs = Date.now();
  if (config.DATABASE_URL !== undefined) {
    await using sql = new SQL(config.DATABASE_URL, { max: 1, connectionTimeout: connectSeconds });
    const [{ ms }] = await sql`select extract(epoch from clock_timestamp()) * 1000 as ms`;
    const errorMs = Math.round(Math.abs(Number(ms) - Date.now()));
    const detail = `${errorMs} ms apart from the database’s`;
    return errorMs > largestClockErrorMs ? bad(detail, mend) : good(detail);
  }
  const newestMs = await newestChangeMs(config.HVIDEO_DATA);
  if (newestMs - nowMs > largestClockErrorMs) {
    return bad(`the data folder was changed ${Math.round((newestMs - nowMs) / 1000)} s in the future`, mend);
  }
  return good(new Date(nowMs).toISOString());
}

async function newestChangeMs(folder: string): Promise<number> {
  if (!existsSync(folder)) return 0;
  const names = await readdir(folder);
  const times = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).mtimeMs));
  return Math.max(0, ...times);
}
