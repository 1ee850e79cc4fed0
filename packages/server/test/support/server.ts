import { join } from 'node:path';

const root = join(import.meta.dir, '..', '..', '..', '..');

export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** From the spawn to the `ready` line. */
  readonly readyMs: number;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Starts `hvideo serve` as a process of its own and waits for its `ready` line. */
export async function startServer(
  dataDir: string,
  options: { args?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
): Promise<RunningServer> {
  const startedAtMs = performance.now();
  const child = Bun.spawn(
    [
      process.execPath,
      join(root, 'packages', 'server', 'src', 'main.ts'),
      ...['serve', '--data', dataDir, '--port', '0'],
      ...(options.args ?? []),
    ],
    {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
      env: { ...process.env, HVIDEO_LOG_LEVEL: 'warn', ...options.env },
    },
  );
  const complaint = new Response(child.stderr).text();
  const decoder = new TextDecoder();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  void (async () => {
    let output = '';
    for await (const chunk of child.stdout) {
      output += decoder.decode(chunk, { stream: true });
      const url = /^ready (\S+)$/m.exec(output)?.[1];
      if (url) resolve(url);
    }
    reject(new Error(`the server ended before it was ready: ${await complaint}`));
  })();
  const url = await promise;
  const kill = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await child.exited;
  };
  return {
    url,
    pid: child.pid,
    readyMs: Math.round(performance.now() - startedAtMs),
    kill,
    [Symbol.asyncDispose]: () => kill('SIGTERM'),
  };
}
