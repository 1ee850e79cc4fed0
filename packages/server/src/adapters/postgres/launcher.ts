import { lstat, mkdir, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeReadableForAll } from './native-files.ts';
import { StartError } from './start-error.ts';

/**
 * Runs PostgreSQL's programs as a user that PostgreSQL accepts.
 *
 * PostgreSQL refuses to run as root. Started as root, we make one system user and run it as that. This user may not
 * be able to reach the folders at all (a checkout below /root, a data folder below a private temporary folder);
 * then the child gets a mount namespace of its own, in which both are mounted at a place that it can reach.
 */
export interface Launcher extends AsyncDisposable {
  readonly owner: Owner | undefined;
  /** The home folder as PostgreSQL sees it. */
  readonly home: string;
  /** `command` is the name of a program in the package's `bin` folder. */
  spawn(command: string, args: readonly string[]): PostgresProcess;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export type PostgresProcess = Bun.Subprocess<'ignore', 'pipe', 'pipe'>;

const SYSTEM_USER = 'hvideo-pg';
export const MOUNT_PLACES = [...new Set(['/run', '/tmp', tmpdir()])];

const ENTER = [
  'mount --bind "$1" "$3/native"',
  'mount --bind "$2" "$3/data"',
  'uid="$4" gid="$5"',
  'shift 5',
  'exec setpriv --reuid="$uid" --regid="$gid" --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$@"',
].join(' && ');

export async function openLauncher(nativeDir: string, home: string, marker: string): Promise<Launcher> {
  const owner = process.getuid?.() === 0 ? await systemUser() : undefined;
  if (!owner) return directLauncher(nativeDir, home, undefined);
  await makeReadableForAll(nativeDir);
  const blocked = unreachable(owner, nativeDir, home);
  if (!blocked) return directLauncher(nativeDir, home, owner);
  return namespaceLauncher(nativeDir, home, owner, marker, blocked);
}

function directLauncher(nativeDir: string, home: string, owner: Owner | undefined): Launcher {
  return {
    owner,
    home,
    spawn: (command, args) =>
      Bun.spawn([join(nativeDir, 'bin', command), ...args], { ...childOptions, ...(owner ?? {}) }),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function namespaceLauncher(
  nativeDir: string,
  home: string,
  owner: Owner,
  marker: string,
  blocked: string,
): Promise<Launcher> {
  const probe = Bun.spawnSync(['unshare', '--mount', '--propagation', 'private', 'setpriv', '--version']);
  if (!probe.success) {
    throw new StartError(
      `PostgreSQL runs as the user ${SYSTEM_USER}, who cannot reach ${blocked}`,
      `Run \`chmod o+x ${blocked}\`, start as a user other than root, or choose another data folder.`,
    );
  }
  // Named by the marker, so that a killed run leaves nothing that the next one does not use again.
  const mountPoint = join(await reachableFolder(), marker);
  await makePrivateFolder(mountPoint);
  await makePrivateFolder(join(mountPoint, 'native'));
  await makePrivateFolder(join(mountPoint, 'data'));
  const enter = ['unshare', '--mount', '--propagation', 'private', '/bin/sh', '-c', ENTER, 'sh'];
  const mounts = [nativeDir, home, mountPoint, String(owner.uid), String(owner.gid)];
  return {
    owner,
    home: join(mountPoint, 'data'),
    spawn: (command, args) =>
      Bun.spawn([...enter, ...mounts, join(mountPoint, 'native', 'bin', command), ...args], childOptions),
    async [Symbol.asyncDispose]() {
      await removeMountPoint(marker);
    },
  };
}

/**
 * For a cluster without processes: the mounts went with the last one, these are empty folders again. Never for one
 * that lives: removing the place of a mount takes the mount away in the other namespace.
 */
export async function removeMountPoint(marker: string): Promise<void> {
  for (const place of MOUNT_PLACES) {
    for (const folder of ['native', 'data', ''])
      await rmdir(join(place, marker, folder)).catch(ignoreMissing);
  }
}

/** A session of its own: Ctrl-C in the terminal must reach the program alone, which then drains. */
const childOptions = {
  cwd: '/',
  env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' },
  stdin: 'ignore',
  stdout: 'pipe',
  stderr: 'pipe',
  detached: true,
} as const;

async function systemUser(): Promise<Owner> {
  const known = lookUpUser();
  if (known) return known;
  const arguments_ = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'];
  const made = Bun.spawnSync(['useradd', ...arguments_, '--shell', '/usr/sbin/nologin', SYSTEM_USER]);
  // Another instance may have made it at the same moment: what counts is that it exists.
  const user = lookUpUser();
  if (user) return user;
  throw new StartError(
    `PostgreSQL does not run as root, and the user ${SYSTEM_USER} cannot be made: ${made.stderr.toString().trim()}`,
    `Start as a user other than root, or run \`useradd --system --user-group ${SYSTEM_USER}\`.`,
  );
}

function lookUpUser(): Owner | undefined {
  const id = (flag: string) => Bun.spawnSync(['id', flag, SYSTEM_USER]);
  const uid = id('-u');
  const gid = id('-g');
  if (!uid.success || !gid.success) return undefined;
  return { uid: Number(uid.stdout.toString()), gid: Number(gid.stdout.toString()) };
}

const FIND_BLOCKED = 'for path; do [ -x "$path" ] || { echo "$path"; exit 1; }; done';

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [...ancestors(parent), path];
}

/** The first folder that the owner cannot pass; asked of the kernel, because access lists count as well. */
function unreachable(owner: Owner, nativeDir: string, home: string): string | undefined {
  const result = Bun.spawnSync(
    ['/bin/sh', '-c', FIND_BLOCKED, 'sh', ...ancestors(nativeDir), ...ancestors(home)],
    {
      ...owner,
      cwd: '/',
    },
  );
  return result.success ? undefined : result.stdout.toString().trim() || home;
}

async function reachableFolder(): Promise<string> {
  for (const folder of MOUNT_PLACES) {
    const info = await lstat(folder).catch(() => undefined);
    if (info?.isDirectory() && (info.mode & 0o001) !== 0) return folder;
  }
  throw new StartError('neither /run nor /tmp can be used', 'Make /run a folder that everybody may enter.');
}

async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { mode: 0o755 }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
  const info = await lstat(path);
  if (!info.isDirectory() || info.uid !== 0) {
    throw new StartError(`${path} belongs to somebody else`, `Remove ${path} and start again.`);
  }
}

function ignoreMissing(error: unknown): void {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'EBUSY') throw error;
}
