#!/usr/bin/env node
// Builds the web app into packages/web/dist when it is missing or older than its sources.
// `npm ci` calls it (as `prepare`), and so does `serve` when there is no build, since npm may be told to run no scripts.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { argv, pid, stderr } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const web = join(root, 'packages/web');
const dist = join(web, 'dist');
const stampFile = join(dist, '.built');

/** Everything the result depends on, as paths below the root. */
const inputs = [
  'packages/web/src',
  'packages/web/public',
  'packages/web/build',
  'packages/web/index.html',
  'packages/web/embed.html',
  'packages/web/vite.config.ts',
  'packages/web/package.json',
  'packages/client/src',
  'packages/protocol/src',
  'package-lock.json',
];

function hashInputs() {
  const hash = createHash('sha256');
  for (const input of inputs) {
    const path = join(root, input);
    if (!existsSync(path)) continue;
    for (const file of filesBelow(path)) {
      if (/\.test\.tsx?$/.test(file)) continue;
      hash
        .update(`${file.slice(root.length)}\0`)
        .update(readFileSync(file))
        .update('\0');
    }
  }
  return hash.digest('hex');
}

function filesBelow(path) {
  try {
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .sort();
  } catch (error) {
    if (error.code === 'ENOTDIR') return [path];
    throw error;
  }
}

async function loadVite() {
  try {
    const path = createRequire(join(web, 'package.json')).resolve('vite');
    return await import(pathToFileURL(path).href);
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/**
 * Builds if need be, beside the old build and then in its place, so that a failure or a second builder harms nothing.
 * @param {{ force?: boolean }} [options]
 * @returns {Promise<'built' | 'fresh' | 'stale' | 'missing'>} `stale` and `missing`: Vite is not installed, and the
 *   build there is old or there is none.
 */
export async function buildWeb({ force = false } = {}) {
  const stamp = hashInputs();
  const isThere = existsSync(join(dist, 'index.html'));
  const isFresh = isThere && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp;
  if (isFresh && !force) return 'fresh';
  const vite = await loadVite();
  if (!vite) return isThere ? 'stale' : 'missing';
  const scratch = join(root, 'node_modules/.cache/hvideo-web', String(pid));
  const fresh = join(scratch, 'dist');
  const old = join(scratch, 'old');
  mkdirSync(scratch, { recursive: true });
  try {
    await vite.build({
      root: web,
      configFile: join(web, 'vite.config.ts'),
      logLevel: 'error',
      build: { outDir: fresh, emptyOutDir: true },
    });
    writeFileSync(join(fresh, '.built'), stamp);
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return 'built';
}

if (argv[1] && import.meta.url === pathToFileURL(argv[1]).href) {
  const result = await buildWeb({ force: argv.includes('--force') });
  if (result === 'missing' || result === 'stale') {
    stderr.write(
      'The web app was not built: Vite is not installed (npm was told to leave out development dependencies). ' +
        'The server runs without it; "npm ci" and then "npm run build" makes it.\n',
    );
  }
}
