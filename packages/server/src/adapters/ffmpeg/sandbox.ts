import { chown, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type ProcessOptions, type ProcessResult, runProcess } from './process.ts';

/**
 * Runs ffmpeg and ffprobe on files that strangers made.
 *
 * What is always there: a process group that dies as a whole, a time limit, a minimal environment, no standard input.
 * With a POSIX shell: limits on address space, size of one file, CPU time, no core dumps, low priority.
 * On Linux with util-linux, as far as this machine allows (tried once, at the start):
 * - a network namespace of its own, so that no protocol bug reaches a network;
 * - no new privileges, no capabilities, and death together with the server (a killed server leaves no orphans);
 * - when the server is root, another user: `nobody`. A file that `nobody` cannot reach (a data folder below `/root`) is
 *   read by a root without capabilities instead, which can do no more than the owner of the files.
 *
 * There is no limit on the number of processes: it counts a user's processes everywhere, so it would hit
 * neighbours of the same user. ffmpeg starts none; its threads are bounded by `-threads` and by the address space.
 */
export interface SandboxLimits {
  readonly memoryBytes: number;
  readonly fileBytes: number;
}

export const defaultSandboxLimits: SandboxLimits = { memoryBytes: 6 * 2 ** 30, fileBytes: 2 ** 30 };

export interface SandboxedRun extends ProcessOptions {
  readonly user: SandboxUser;
}

export type SandboxUser = 'same' | 'nobody';

const nobody = 65534;
const privileges = ['--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--pdeathsig', 'KILL'];
const otherUser = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];

export class Sandbox {
  readonly #limits: SandboxLimits;
  readonly #network: readonly string[];
  readonly #setpriv: readonly string[] | undefined;
  readonly #canSwitchUser: boolean;
  readonly #hasShell: boolean;

  private constructor(
    limits: SandboxLimits,
    found: {
      hasShell: boolean;
      network: readonly string[];
      setpriv: readonly string[] | undefined;
      canSwitchUser: boolean;
    },
  ) {
    this.#limits = limits;
    this.#hasShell = found.hasShell;
    this.#network = found.network;
    this.#setpriv = found.setpriv;
    this.#canSwitchUser = found.canSwitchUser;
  }

  /** Finds out, by trying, what this machine offers. */
  static async detect(limits: SandboxLimits = defaultSandboxLimits): Promise<Sandbox> {
    const isRoot = process.getuid?.() === 0;
    const unshare = isRoot
      ? ['unshare', '--net', '--']
      : ['unshare', '--user', '--map-current-user', '--net', '--'];
    const setprivs = [
      ['setpriv', ...privileges],
      // Without root the bounding set cannot be changed, and there is nothing in it to lose.
      ['setpriv', '--no-new-privs', '--pdeathsig', 'KILL'],
    ];
    const network = (await works(unshare)) ? unshare : [];
    let setpriv: readonly string[] | undefined;
    for (const candidate of setprivs) if (!setpriv && (await works(candidate))) setpriv = candidate;
    return new Sandbox(limits, {
      hasShell: await works(['sh', '-c', 'exec "$@"', 'sh', 'nice', '-n', '10']),
      network,
      setpriv,
      canSwitchUser: isRoot && setpriv !== undefined && (await works([...setpriv, ...otherUser])),
    });
  }

  /** For `hvideo doctor`: what protects this machine. */
  get measures(): readonly string[] {
    return [
      'time limit',
      ...(this.#hasShell ? ['memory, CPU and file size limits'] : []),
      ...(this.#network.length > 0 ? ['no network'] : []),
      ...(this.#setpriv ? ['no new privileges'] : []),
      ...(this.#canSwitchUser ? ['other user'] : []),
    ];
  }

  /**
   * Who is to do a job: `nobody`, if that user can reach the programs and files it `reads`; it is then given the
   * folders that it `writes`, the outer before the inner ones. Asked once for a job, so that all its runs agree.
   */
  async chooseUser(reads: readonly string[], writes: readonly string[] = []): Promise<SandboxUser> {
    if (!this.#canSwitchUser) return 'same';
    for (const path of reads) if (!(await openTo(path, 0o004))) return 'same';
    const [outer] = writes;
    if (outer !== undefined && !(await openTo(dirname(outer), 0o001))) return 'same';
    for (const folder of writes) await chown(folder, nobody, nobody);
    return 'nobody';
  }

  async run(program: string, programArgs: readonly string[], run: SandboxedRun): Promise<ProcessResult> {
    const inner = [
      ...this.#network,
      ...(this.#setpriv ? [...this.#setpriv, ...(run.user === 'nobody' ? otherUser : [])] : []),
      program,
      ...programArgs,
    ];
    const [file = program, ...args] = this.#hasShell ? this.#withLimits(inner, run.timeoutMs) : inner;
    return await runProcess([file, ...args], { ...run, env: environment() });
  }

  #withLimits(command: readonly string[], timeoutMs: number): string[] {
    const cpuSeconds = Math.ceil((timeoutMs / 1000) * Math.max(1, navigator.hardwareConcurrency));
    const limits = [
      'ulimit -c 0',
      `ulimit -t ${cpuSeconds}`,
      // In blocks of 512 bytes.
      `ulimit -f ${Math.ceil(this.#limits.fileBytes / 512)}`,
      // macOS cannot limit the address space and says so; the rest still counts.
      `{ ulimit -v ${Math.ceil(this.#limits.memoryBytes / 1024)} 2>/dev/null || :; }`,
    ];
    return ['sh', '-c', `${limits.join(' && ')} && exec nice -n 10 "$@"`, 'sh', ...command];
  }
}

/** Whether `nobody` has these permissions (of the last three bits) on a path and may walk through all folders above. */
async function openTo(path: string, permissions: number): Promise<boolean> {
  const { mode, uid } = await stat(path);
  const granted = uid === nobody ? mode >> 6 : mode;
  if ((granted & permissions) !== permissions) return false;
  const parent = dirname(path);
  return parent === path || (await openTo(parent, 0o001));
}

async function works(prefix: readonly string[]): Promise<boolean> {
  const [file, ...args] = prefix;
  const program = file === undefined ? null : Bun.which(file);
  if (!program) return false;
  return (await runProcess([program, ...args, 'true'], { timeoutMs: 5_000 })).exitCode === 0;
}

function environment(): Record<string, string> {
  const kept: Record<string, string> = { LC_ALL: 'C', HOME: '/nonexistent', AV_LOG_FORCE_NOCOLOR: '1' };
  // One heap arena for each thread would use up the address space on a machine with many cores.
  kept['MALLOC_ARENA_MAX'] = '4';
  for (const name of ['PATH', 'LD_LIBRARY_PATH', 'SystemRoot']) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}
