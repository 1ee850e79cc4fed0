import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dir, '..');
const server = join(root, 'packages', 'server', 'src');

/** Every page of the repository, as paths below its root. */
function pages(): string[] {
  const glob = new Bun.Glob('**/*.md');
  return [...glob.scanSync({ cwd: root, dot: true })].filter(
    (path) => !/(^|\/)(node_modules|\.git)\//.test(path),
  );
}

const fences = /^```[\s\S]*?^```/gm;

/** Where `[text](target)` leads, without what is elsewhere on the web. */
function linksOf(text: string): string[] {
  const targets = [...text.replaceAll(fences, '').matchAll(/\]\(<?([^)>\s]+)>?\)/g)].map(
    ([, target = '']) => target,
  );
  return targets.filter((target) => !/^[a-z]+:/i.test(target));
}

/** As GitHub makes them: lower case, without marks, with dashes. */
function anchorsOf(text: string): Set<string> {
  const headings = [...text.replaceAll(fences, '').matchAll(/^#+ (.+)$/gm)].map(
    ([, heading = '']) => heading,
  );
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Why a link of `page` leads nowhere; undefined when it leads somewhere. */
function problemOfLink(page: string, target: string): string | undefined {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? join(root, page) : join(root, dirname(page), decodeURIComponent(path));
  if (relative(root, file).startsWith('..')) return `${page}: ${target} leads out of the repository`;
  if (!existsSync(file)) return `${page}: ${target} does not exist`;
  if (anchor === undefined || anchorsOf(readFileSync(file, 'utf8')).has(anchor)) return undefined;
  return `${page}: ${target} has no such heading`;
}

const foldersOf = (path: string) =>
  readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const ownFolders = new Set(foldersOf(root).map(({ name }) => name));
const serverFolders = new Set(foldersOf(server).map(({ name }) => name));

/** What stands in backticks and begins like a path of the repository, or of the server's sources. */
function pathsOf(text: string): { base: string; path: string }[] {
  const spans = [...text.replaceAll(fences, '').matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return spans.flatMap((span) => {
    if (!/^[\w.@*{},-]+(\/[\w.@*{},-]*)+$/.test(span)) return [];
    const first = span.split('/')[0] ?? '';
    if (first === 'node_modules') return [];
    if (ownFolders.has(first)) return [{ base: root, path: span }];
    return serverFolders.has(first) ? [{ base: server, path: span }] : [];
  });
}

/** `NAME` and `NNNN_name.sql` stand for any name: something must fit. */
function exists(base: string, path: string): boolean {
  const segments = path.split('/').filter((segment) => segment !== '');
  const pattern = segments.map((segment) => (/^(NAME|NNNN)/.test(segment) ? '*' : segment)).join('/');
  if (!/[*{]/.test(pattern)) return existsSync(join(base, pattern));
  const found = new Bun.Glob(pattern).scanSync({ cwd: base, dot: true, onlyFiles: false });
  return found.next().done !== true;
}

describe('the pages', () => {
  test('are found', () => {
    expect(pages()).toEqual(expect.arrayContaining(['README.md', 'README.zh.md', 'docs/architecture.md']));
  });

  test('link to what exists', () => {
    const problems = pages().flatMap((page) =>
      linksOf(readFileSync(join(root, page), 'utf8')).map((target) => problemOfLink(page, target)),
    );
    expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
  });

  test('name paths that exist', () => {
    const missing = pages().flatMap((page) =>
      pathsOf(readFileSync(join(root, page), 'utf8'))
        .filter(({ base, path }) => !exists(base, path))
        .map(({ path }) => `${page}: ${path}`),
    );
    expect(missing).toEqual([]);
  });

  test('would be found out', () => {
    expect(problemOfLink('README.md', 'docs/nowhere.md')).toBe('README.md: docs/nowhere.md does not exist');
    expect(problemOfLink('README.md', '../elsewhere.md')).toContain('leads out of the repository');
    expect(problemOfLink('README.md', 'docs/architecture.md#nothing')).toContain('no such heading');
    expect(problemOfLink('docs/architecture.md', '#feeds')).toBeUndefined();
    const text = '`packages/server/src/nothing.ts`, `kernel/errors.ts`, `a/b`, `ports/NAME/port.ts`';
    const found = pathsOf(text).map(({ base, path }) => exists(base, path));
    expect(found).toEqual([false, true, true]);
  });
});
