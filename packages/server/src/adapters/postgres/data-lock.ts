import { Database } from 'bun:sqlite';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { StartError } from './start-error.ts';

/** The right to write a data folder, held by one process. */
export interface DataLock extends AsyncDisposable {
  readonly dataDir: string;
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
}

/**
 * Takes the data folder (made when missing) or throws a `StartError` that names the holder.
 *
 * SQLite's exclusive lock is an operating-system lock on every platform that Bun runs on. The kernel drops it when
 * the process dies, however it dies, and children do not inherit it, so an orphaned PostgreSQL never keeps it.
 */
export async function acquireDataLock(dataDir: string): Promise<DataLock> {
  const folder = resolve(dataDir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const holderFile = join(folder, 'lock.json');
  const database = new Database(join(folder, 'lock'), { create: true });
  try {
    database.run('PRAGMA busy_timeout = 0');
    database.run('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw await refusal(folder, holderFile, error);
  }
  const holder: Holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  await writeFile(holderFile, `${JSON.stringify(holder)}\n`, { mode: 0o600 });

  let released = false;
  const release = async () => {
    if (released) return;
    released = true;
    // First the note, then the lock: the note of the next holder must not be the one removed.
    await rm(holderFile, { force: true });
    database.run('ROLLBACK');
    database.close();
  };
  return { dataDir: folder, release, [Symbol.asyncDispose]: release };
}

async function refusal(folder: string, holderFile: string, error: unknown): Promise<StartError> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!code.startsWith('SQLITE_BUSY') && !code.startsWith('SQLITE_LOCKED')) {
    return new StartError(
      `the data folder ${folder} cannot be locked`,
      'Check that this user may write it and that its file system supports locks.',
      error,
    );
  }
  const holder = await readHolder(holderFile);
  const who = holder ? `process ${holder.pid} on ${holder.host} since ${holder.since}` : 'another process';
  return new StartError(
    `the data folder ${folder} is in use by ${who}`,
    'Stop that process, or start this one with another data folder.',
    error,
  );
}

async function readHolder(holderFile: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(holderFile, 'utf8'));
  } catch {
    // The holder is just starting or stopping: the lock itself is what counts, the note is a courtesy.
    return undefined;
  }
}
