import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../adapters/postgres/start-error.ts';

const root = join(import.meta.dir, '..', '..', '..', '..');

/** The benchmarks stand outside of the program, which they start and load; the same as `npm run bench -- NAME`. */
export async function bench(name: string | undefined): Promise<void> {
  const script = join(root, 'bench', 'main.ts');
  if (!existsSync(script))
    throw new StartError('the benchmarks are not installed', 'Run this from a checkout of the sources.');
  const child = Bun.spawn([process.execPath, script, ...(name === undefined ? [] : [name])], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const code = await child.exited;
  if (code !== 0) process.exit(code);
}
