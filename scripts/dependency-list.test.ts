import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dir, '..');
const page = readFileSync(join(root, 'docs', 'dependencies.md'), 'utf8');

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** What every `package.json` of the repository asks for, without our own packages. */
function wanted(): string[] {
  const folders = ['.', ...readdirSync(join(root, 'packages')).map((name) => join('packages', name))];
  const names = folders.flatMap((folder) => {
    const manifest: Manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  });
  return [...new Set(names)].filter((name) => !name.startsWith('@hvideo/')).sort();
}

/** The rows of the page: package, what for, what else was considered. */
function listed(): string[][] {
  return [...page.matchAll(/^\| `([^`]+)` \|(.*)\|$/gm)].map(([, name = '', rest = '']) => [
    name,
    ...rest.split('|').map((cell) => cell.trim()),
  ]);
}

describe('the list of dependencies', () => {
  test('has one line for each dependency, and none for anything else', () => {
    expect(
      listed()
        .map(([name]) => name)
        .sort(),
    ).toEqual(wanted());
  });

  test('says for each what it is for and what else was considered', () => {
    const incomplete = listed().filter((cells) => cells.length !== 3 || cells.includes(''));
    expect(incomplete).toEqual([]);
  });
});
