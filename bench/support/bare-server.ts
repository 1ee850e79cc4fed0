import { writeFile } from 'node:fs/promises';

export interface BareServer extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** Bun’s server in a process of its own with this `fetch` and nothing else: the most that the runtime can do here. */
export function openBareServer(path: string, fetchSource: string): Promise<BareServer> {
  return openBareProgram(
    path,
    `const server = Bun.serve({ port: 0, hostname: '127.0.0.1', maxRequestBodySize: 2 ** 40, fetch: ${fetchSource} });
    console.log(server.port);`,
  );
}

/** A program that writes the port it listens on to standard output. */
export async function openBareProgram(path: string, source: string): Promise<BareServer> {
  await writeFile(path, source);
  const child = Bun.spawn([process.execPath, path], { stdout: 'pipe', stderr: 'inherit' });
  const { value } = await child.stdout.getReader().read();
  return {
    port: Number(new TextDecoder().decode(value).trim()),
    pid: child.pid,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await child.exited;
    },
  };
}
