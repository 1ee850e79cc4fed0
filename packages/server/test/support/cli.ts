import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { markerOf } from '../../src/adapters/postgres/cluster.ts';
import { clusterProcesses } from '../../src/adapters/postgres/processes.ts';
import { eventually } from './eventually.ts';

const server = join(import.meta.dir, '..', '..');

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Start by Node, as npm does, instead of directly; `parent`: by one that cannot become the program itself. */
  readonly byNode?: boolean | 'parent';
  /** Start it under a shell, as npm runs scripts; the process is then the shell. */
  readonly byShell?: boolean;
  /** It is killed after so long. */
  readonly timeoutMs?: number;
}

export interface CliProcess {
  readonly pid: number;
  readonly output: { stdout: string; stderr: string };
  readonly exited: Promise<number>;
  kill(signal: NodeJS.Signals): void;
}

/** Node 22.15 and later replace themselves; earlier ones stay as the parent. */
const withoutExecve = ['--import', 'data:text/javascript,process.execve=undefined'];

/** A command of the program as a process of its own; killed when it takes longer than any of them may. */
export function hvideo(args: readonly string[], options: CliOptions = {}): CliProcess {
  const start = options.byNode
    ? ['node', ...(options.byNode === 'parent' ? withoutExecve : []), join(server, 'bin', 'hvideo.mjs')]
    : [process.execPath, join(server, 'src', 'main.ts')];
  const env = Object.entries(process.env).filter(([name]) => !name.startsWith('HVIDEO_'));
  // What follows the command keeps the shell from becoming it.
  const shell = options.byShell ? ['sh', '-c', '"$@"; exit $?', 'sh'] : [];
  const child = Bun.spawn([...shell, ...start, ...args], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: options.timeoutMs ?? 60_000,
    env: {
      ...Object.fromEntries(env),
      HVIDEO_LOG_LEVEL: 'warn',
      npm_lifecycle_event: 'start',
      ...options.env,
    },
  });
  const output = { stdout: '', stderr: '' };
  const collect = async (name: 'stdout' | 'stderr') => {
    const decoder = new TextDecoder();
    for await (const chunk of child[name]) output[name] += decoder.decode(chunk, { stream: true });
  };
  const collected = Promise.all([collect('stdout'), collect('stderr')]);
  const exited = (async () => {
    const code = await child.exited;
    // A grandchild that is left alive would hold the pipes; whoever waits here wants to know of the process.
    await Promise.race([collected, Bun.sleep(1_000)]);
    return code;
  })();
  return { pid: child.pid, output, exited, kill: (signal) => child.kill(signal) };
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function run(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = hvideo(args, options);
  const code = await child.exited;
  return { code, ...child.output };
}

/** The address that `serve` prints when it is ready. */
export function readyUrl(child: CliProcess): Promise<string> {
  return eventually(async () => /^ready (\S+)$/m.exec(child.output.stdout)?.[1], 30_000);
}

/** The PostgreSQL processes of a data folder. */
export async function databaseProcesses(dataDir: string) {
  const home = join(dataDir, 'postgres');
  const exists = await stat(home).catch(() => undefined);
  return exists ? clusterProcesses(await markerOf(home)) : [];
}

export async function postmastersOf(dataDir: string): Promise<number[]> {
  return (await databaseProcesses(dataDir)).filter(({ postmaster }) => postmaster).map(({ pid }) => pid);
}
