import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SUPERUSER } from './cluster.ts';
import { StartError } from './start-error.ts';

/** Lines of `postmaster.pid`, from 0: process id, folder, start time, port. */
const PORT_LINE = 3;

/**
 * The address of the embedded server that another process of ours runs on this data folder, for commands that work
 * beside it. Whoever may read the folder's password may connect.
 */
export async function runningServerUrl(dataDir: string): Promise<string> {
  const home = join(dataDir, 'postgres');
  try {
    const [password, pidFile] = await Promise.all([
      readFile(join(home, 'password'), 'utf8'),
      readFile(join(home, 'cluster', 'postmaster.pid'), 'utf8'),
    ]);
    const port = Number(pidFile.split('\n')[PORT_LINE]);
    if (!Number.isInteger(port) || port < 1) throw new Error('postmaster.pid names no port');
    return `postgres://${SUPERUSER}:${password.trim()}@127.0.0.1:${port}/postgres?sslmode=disable`;
  } catch (error) {
    throw new StartError(
      `a server is running on ${dataDir}, but its database cannot be found`,
      'It may be just starting or stopping: try again in a few seconds.',
      error,
    );
  }
}
