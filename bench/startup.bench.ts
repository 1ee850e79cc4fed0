import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '../packages/server/test/support/server.ts';
import type { Benchmark } from './main.ts';

export const benchmark: Benchmark = {
  about:
    'Milliseconds from the start of the process to its ready line; the yardstick is Bun running an empty file.',
  async run() {
    const folder = await mkdtemp(join(tmpdir(), 'hvideo-bench-'));
    const dataDir = join(folder, 'data');
    try {
      const firstMs = await readyMs(dataDir, 'SIGTERM');
      const secondMs = await readyMs(dataDir, 'SIGKILL');
      const afterKillMs = await readyMs(dataDir, 'SIGTERM');
      const bareMs = await bareRuntimeMs(join(folder, 'empty.ts'));
      const ratio = Number((secondMs / bareMs).toFixed(1));
      return { firstMs, secondMs, afterKillMs, bareRuntimeMs: bareMs, secondToBareRuntime: ratio };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function readyMs(dataDir: string, end: NodeJS.Signals): Promise<number> {
  const server = await startServer(dataDir);
  await server.kill(end);
  return server.readyMs;
}

async function bareRuntimeMs(path: string): Promise<number> {
  await Bun.write(path, '');
  const startedAtMs = performance.now();
  await Bun.spawn([process.execPath, path]).exited;
  return Math.max(1, Math.round(performance.now() - startedAtMs));
}
