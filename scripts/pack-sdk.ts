import { cp, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = join(import.meta.dir, '..');

/** In the order in which they need each other. */
const names = ['protocol', 'client'] as const;

const compiled = [
  ...['--target', 'ES2022', '--module', 'ESNext', '--moduleResolution', 'bundler'],
  ...['--lib', 'ESNext,ESNext.Disposable', '--types', 'bun', '--strict', '--exactOptionalPropertyTypes'],
  ...['--noUncheckedIndexedAccess', '--verbatimModuleSyntax', '--skipLibCheck'],
  ...['--declaration', '--rewriteRelativeImportExtensions'],
];

interface Manifest extends Readonly<Record<string, unknown>> {
  readonly name: string;
  readonly exports: Readonly<Record<string, string>>;
}

/**
 * Makes `@hvideo/protocol` and `@hvideo/client` as others install them: modules for Node 20, browsers and bundlers, with their
 * types. Here they are used from their sources, which Node cannot read. Answers the archives.
 */
export async function packSdk(folder: string): Promise<string[]> {
  const work = await mkdtemp(join(tmpdir(), 'hvideo-sdk-'));
  try {
    const manifests = await Promise.all(names.map(readManifest));
    await run(join(root, 'node_modules', '.bin', 'tsc'), [
      ...['--ignoreConfig', '--rootDir', 'packages', '--outDir', join(work, 'out'), ...compiled],
      ...manifests.flatMap(({ name, manifest }) =>
        Object.values(manifest.exports).map((entry) => join('packages', name, entry)),
      ),
    ]);
    const archives: string[] = [];
    for (const { name, manifest } of manifests) {
      const target = join(work, name);
      await layOut(join(work, 'out', name, 'src'), target, manifest);
      const printed = await run('npm', ['pack', '--json', '--pack-destination', resolve(folder), target]);
      const [{ filename }] = JSON.parse(printed);
      archives.push(join(resolve(folder), filename));
    }
    return archives;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function readManifest(name: (typeof names)[number]) {
  const manifest: Manifest = await Bun.file(join(root, 'packages', name, 'package.json')).json();
  return { name, manifest };
}

async function layOut(from: string, target: string, manifest: Manifest): Promise<void> {
  await mkdir(target);
  await rename(from, join(target, 'dist'));
  for (const file of await readdir(join(target, 'dist'), { recursive: true })) {
    if (file.endsWith('.d.ts')) await nameModules(join(target, 'dist', file));
  }
  const { private: _, ...rest } = manifest;
  const published = { ...rest, engines: { node: '>=20.3' }, exports: exportsOf(manifest) };
  await Bun.write(join(target, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
  await Bun.write(
    join(target, 'README.md'),
    `# ${manifest.name}\n\nOf H-Video. How it is used: docs/sdk.md there.\n`,
  );
  await cp(join(root, 'LICENSE'), join(target, 'LICENSE'));
}

/** The compiler leaves the names of sources in its types; older ones do not find the types by them. */
async function nameModules(path: string): Promise<void> {
  const text = await Bun.file(path).text();
  await Bun.write(path, text.replace(/((?:from |import\()['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2'));
}

function exportsOf({ exports }: Manifest): object {
  return Object.fromEntries(
    Object.entries(exports).map(([name, source]) => {
      const base = source.replace(/^\.\/src\//, './dist/').replace(/\.ts$/, '');
      return [name, { types: `${base}.d.ts`, default: `${base}.js` }];
    }),
  );
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const child = Bun.spawn([command, ...args], { cwd: root, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`${command} failed:\n${stdout}${stderr}`);
  return stdout;
}

if (import.meta.main) {
  for (const archive of await packSdk(process.argv[2] ?? '.')) process.stdout.write(`${archive}\n`);
}
