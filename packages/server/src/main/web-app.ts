import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../kernel/log.ts';
import { StaticFiles } from '../transport/http/static-files.ts';

const root = join(import.meta.dir, '..', '..', '..', '..');
const distFolder = join(root, 'packages', 'web', 'dist');

/** The built web app; `npm ci` has made it, and where it has not it is built now. */
export async function loadWebApp(log: Logger): Promise<StaticFiles | undefined> {
  if (!existsSync(join(distFolder, 'index.html'))) await build(log);
  if (existsSync(join(distFolder, 'index.html'))) return new StaticFiles(distFolder);
  log.warn('the web app is not built: only the API is served; "npm ci && npm run build" makes it');
  return undefined;
}

async function build(log: Logger): Promise<void> {
  log.info('building the web app');
  const child = Bun.spawn([process.execPath, join(root, 'scripts', 'build-web.mjs')], {
    cwd: root,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'inherit',
    timeout: 120_000,
  });
  if ((await child.exited) !== 0) log.warn({ exitCode: child.exitCode }, 'the web app could not be built');
}
