import { writeFile } from 'node:fs/promises';

export interface BareServer extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** Bun’s server in a process of its own with this `fetch` and nothing else: the most that the runtime can do here. */
export async function openBareServer(path: string, fetchSource: string): Promise<BareServer> {
  await writeFile(
    path,
    `const server = Bun.serve({ port: 0, hostname: '127.0.0.1', maxRequestBodySize: 2 ** 40, fetch: ${fetchSource} });
    console.log(server.port);`,
  );
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
