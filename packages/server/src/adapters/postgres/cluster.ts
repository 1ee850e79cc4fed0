import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import { randomToken, systemRandom } from '../../kernel/random.ts';
import { MOUNT_PLACES, openLauncher, removeMountPoint } from './launcher.ts';
import { type NativeFiles, POSTGRES_MAJOR } from './native-files.ts';
import { processesNaming, sendSignal } from './processes.ts';
import { StartError } from './start-error.ts';

/** The folder of one cluster: `cluster/` is PostgreSQL's own, `password` its superuser's password. */
export interface Cluster {
  readonly home: string;
  readonly marker: string;
  readonly password: string;
}

export const SUPERUSER = 'hvideo';

/** Opens the cluster below the data folder, and makes it first when there is none. */
export async function openCluster(dataDir: string, native: NativeFiles, clock: Clock): Promise<Cluster> {
  const home = join(dataDir, 'postgres');
  await removeUnfinished(home, clock);
  if (!(await exists(join(home, 'cluster', 'PG_VERSION')))) await makeCluster(home, native);
  const version = (await readFile(join(home, 'cluster', 'PG_VERSION'), 'utf8')).trim();
  if (version !== POSTGRES_MAJOR) {
    throw new StartError(
      `the data in ${home} was written by PostgreSQL ${version}, this program brings PostgreSQL ${POSTGRES_MAJOR}`,
      'Start the release that wrote it, run `hvideo backup` there and `hvideo restore` here.',
    );
  }
  const password = (await readFile(join(home, 'password'), 'utf8')).trim();
  return { home, marker: await markerOf(home), password };
}

/** Names this very folder, wherever it is mounted or moved; a copy of it has another one. */
export async function markerOf(home: string): Promise<string> {
  const { dev, ino } = await stat(home, { bigint: true });
  return `hvideo-${dev.toString(36)}-${ino.toString(36)}`;
}

/** Made beside its place and renamed into it: a kill in the middle never leaves half a cluster there. */
async function makeCluster(home: string, native: NativeFiles): Promise<void> {
  if (await exists(home)) {
    throw new StartError(
      `${home} exists but holds no database`,
      'Move it away, or restore a backup into an empty data folder.',
    );
  }
  const draft = `${home}.new-${randomToken(systemRandom, 6)}`;
  await mkdir(draft, { mode: 0o700 });
  await using launcher = await openLauncherFor(draft, native);
  await prepareFolder(draft, launcher.owner);
  const initdb = launcher.spawn('initdb', [
    ...['-D', join(launcher.home, 'cluster')],
    ...[`--username=${SUPERUSER}`, `--pwfile=${join(launcher.home, 'password')}`, '--auth=scram-sha-256'],
    // The builtin locale sorts by code point and never changes with the operating system's libraries,
    // which has broken indexes on upgrades of glibc.
    ...['--encoding=UTF8', '--no-locale', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    '--no-instructions',
  ]);
  const [, complaint, status] = await Promise.all([
    new Response(initdb.stdout).text(),
    new Response(initdb.stderr).text(),
    initdb.exited,
  ]);
  if (status !== 0) {
    await rm(draft, { recursive: true, force: true, maxRetries: 5 });
    throw new StartError(
      `the database cannot be made in ${dirname(home)}: ${complaint.trim().slice(-500)}`,
      'Check the free space and the rights of the data folder.',
    );
  }
  await rename(draft, home);
}

async function openLauncherFor(draft: string, native: NativeFiles) {
  // PostgreSQL's user, where there is one, passes through the folder but does not own it.
  if (process.getuid?.() === 0) await chmod(draft, 0o711);
  return openLauncher(native.dir, draft, await markerOf(draft));
}

async function prepareFolder(draft: string, owner: { uid: number; gid: number } | undefined): Promise<void> {
  const password = join(draft, 'password');
  await writeFile(password, `${randomToken(systemRandom)}\n`, { mode: 0o600 });
  await mkdir(join(draft, 'cluster'), { mode: 0o700 });
  if (!owner) return;
  await chown(password, owner.uid, owner.gid);
  await chown(join(draft, 'cluster'), owner.uid, owner.gid);
}

async function removeUnfinished(home: string, clock: Clock): Promise<void> {
  const prefix = `${basename(home)}.new-`;
  for (const name of await readdir(dirname(home))) {
    if (!name.startsWith(prefix)) continue;
    const draft = join(dirname(home), name);
    await endInitdb(draft, clock);
    await rm(draft, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** An initdb whose parent was killed goes on for a moment; it must not write into what is being removed. */
async function endInitdb(draft: string, clock: Clock): Promise<void> {
  const seenAs = [join(draft, 'cluster')];
  const marker = await markerOf(draft);
  for (const place of MOUNT_PLACES) seenAs.push(join(place, marker, 'data', 'cluster'));
  const deadline = clock.monotonicMs() + 5_000;
  while (clock.monotonicMs() < deadline) {
    const alive = (await Promise.all(seenAs.map(processesNaming))).flat();
    if (alive.length === 0) return removeMountPoint(marker);
    for (const pid of alive) sendSignal(pid, 'SIGKILL');
    await clock.sleep(20);
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
