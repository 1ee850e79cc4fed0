import { spawn } from 'node:child_process';

export interface ProcessOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Each line of standard output as it comes. Answer `false` to stop the process: enough is known. */
  readonly onLine?: ((line: string) => boolean | undefined) | undefined;
  /** Standard output is kept up to this; one byte more ends the process. Not used with `onLine`. */
  readonly maxOutputBytes?: number;
}

export type ProcessEnd = 'exit' | 'timeout' | 'output-limit' | 'stopped';

export interface ProcessResult {
  readonly end: ProcessEnd;
  readonly exitCode: number | null;
  readonly exitSignal: string | null;
  readonly stdout: Buffer;
  /** The last part of standard error. */
  readonly stderr: string;
}

const maxStderrChars = 16_384;
const maxLineChars = 65_536;

/**
 * Runs a program in a process group of its own and takes the whole group down on abort, timeout or too much output.
 * Rejects with the signal's reason when aborted, after the process is gone: nothing is written from then on.
 */
export async function runProcess(
  command: readonly [string, ...string[]],
  options: ProcessOptions,
): Promise<ProcessResult> {
  const { signal, onLine, maxOutputBytes = 1 << 20 } = options;
  signal?.throwIfAborted();
  const [file, ...args] = command;
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...(options.env ?? process.env) },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  let end: ProcessEnd = 'exit';
  const stop = (why: ProcessEnd) => {
    if (end === 'exit') end = why;
    killGroup(child.pid);
  };
  const timer = setTimeout(() => stop('timeout'), options.timeoutMs);
  const onAbort = () => stop('stopped');
  signal?.addEventListener('abort', onAbort, { once: true });

  const output = collector(onLine, maxOutputBytes, stop);
  child.stdout.on('data', output.push);
  let stderr = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => {
    stderr = (stderr + text).slice(-maxStderrChars);
  });
  try {
    const [exitCode, exitSignal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, exitSignal) => resolve([code, exitSignal]));
    });
    signal?.throwIfAborted();
    output.finish();
    return { end, exitCode, exitSignal, stdout: output.bytes(), stderr };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function collector(onLine: ProcessOptions['onLine'], maxBytes: number, stop: (why: ProcessEnd) => void) {
  const chunks: Buffer[] = [];
  let size = 0;
  let rest = '';
  let stopped = false;
  const line = (text: string) => {
    if (!stopped && onLine?.(text) === false) {
      stopped = true;
      stop('stopped');
    }
  };
  return {
    push(chunk: Buffer) {
      if (stopped) return;
      if (!onLine) {
        size += chunk.byteLength;
        if (size <= maxBytes) chunks.push(chunk);
        else stop('output-limit');
        return;
      }
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > maxLineChars) {
        stopped = true;
        stop('output-limit');
      }
      lines.forEach(line);
    },
    finish() {
      if (onLine && rest !== '') line(rest);
    },
    bytes: () => Buffer.concat(chunks),
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch (error) {
    // It had just ended by itself.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
