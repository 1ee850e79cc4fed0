import { readdir, readFile } from 'node:fs/promises';
import type { Clock } from '../../kernel/clock.ts';

/**
 * Finds and ends the processes of one cluster.
 *
 * Every process of a cluster carries the cluster's marker: the postmaster in its arguments
 * (`cluster_name=MARKER`), its children in their titles (`postgres: MARKER: ...`). The marker is made of the device
 * and inode of the folder, so neither a reused process id nor a copied folder is ever mistaken for ours.
 */
export interface ClusterProcess {
  readonly pid: number;
  readonly postmaster: boolean;
}

export async function clusterProcesses(marker: string): Promise<ClusterProcess[]> {
  const setting = `cluster_name=${marker}`;
  const title = `postgres: ${marker}:`;
  const found: ClusterProcess[] = [];
  for (const { pid, words } of await listProcesses()) {
    if (pid === process.pid) continue;
    if (words.includes(setting)) found.push({ pid, postmaster: true });
    else if (words.join(' ').startsWith(title)) found.push({ pid, postmaster: false });
  }
  return found;
}

/** The processes whose arguments name this path: an initdb that outlived its parent. */
export async function processesNaming(path: string): Promise<number[]> {
  const all = await listProcesses();
  return all.filter(({ pid, words }) => pid !== process.pid && words.includes(path)).map(({ pid }) => pid);
}

interface Listed {
  readonly pid: number;
  readonly words: readonly string[];
}

async function listProcesses(): Promise<Listed[]> {
  if (process.platform === 'linux') return listFromProc();
  if (process.platform === 'win32') return [];
  const ps = Bun.spawn(['ps', '-axww', '-o', 'pid=,command='], { stdout: 'pipe', stderr: 'ignore' });
  const lines = (await new Response(ps.stdout).text()).split('\n');
  return lines.map((line) => {
    const [pid, ...words] = line.trim().split(/\s+/);
    return { pid: Number(pid), words };
  });
}

async function listFromProc(): Promise<Listed[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const listed = await Promise.all(
    names.map(async (name): Promise<Listed> => {
      // A process that ended meanwhile reads as one without arguments, just like a zombie.
      const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
      return { pid: Number(name), words: line.split('\0') };
    }),
  );
  return listed;
}

/** False when there is no such process any more. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

export interface StopDeadlines {
  /** For the fast shutdown, which writes a checkpoint. */
  readonly fastMs: number;
  /** For the immediate shutdown, which only ends the processes. */
  readonly immediateMs: number;
  /** For the kernel to bury what was killed. */
  readonly killMs: number;
}

/**
 * Ends a whole cluster: fast, then immediate, then by force. Resolves to false when something is still alive.
 * Backends of a dead postmaster notice by themselves; they hold the shared memory until they have gone.
 */
export async function stopCluster(marker: string, deadlines: StopDeadlines, clock: Clock): Promise<boolean> {
  const gone = async (withinMs: number) => {
    const deadline = clock.monotonicMs() + withinMs;
    while ((await clusterProcesses(marker)).length > 0) {
      if (clock.monotonicMs() > deadline) return false;
      await clock.sleep(20);
    }
    return true;
  };
  const signalAll = async (signal: NodeJS.Signals, onlyPostmaster: boolean) => {
    for (const { pid, postmaster } of await clusterProcesses(marker)) {
      if (postmaster || !onlyPostmaster) sendSignal(pid, signal);
    }
  };
  await signalAll('SIGINT', true);
  if (await gone(deadlines.fastMs)) return true;
  await signalAll('SIGQUIT', false);
  if (await gone(deadlines.immediateMs)) return true;
  await signalAll('SIGKILL', false);
  return gone(deadlines.killMs);
}
