import { join } from 'node:path';

const root = join(import.meta.dir, '..');
const bin = (name: string) => join(root, 'node_modules', '.bin', name);

/** Format, lint and types: what needs no test to be run. */
const checks: readonly [name: string, command: readonly string[]][] = [
  ['format and lint', [bin('biome'), 'ci', '.', '--colors=off']],
  ['types', [bin('tsc'), '--project', '.']],
  ['types of the web app', [bin('tsc'), '--project', 'packages/web']],
  ['generated pages', [process.execPath, join(root, 'scripts', 'generate-docs.ts'), '--check']],
];

/** Runs every check and answers how many passed and failed. */
export async function runChecks(): Promise<{ passed: number; failed: number }> {
  let failed = 0;
  for (const [name, command] of checks) {
    const child = Bun.spawn([...command], { cwd: root, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    const isGood = (await child.exited) === 0;
    if (!isGood) failed += 1;
    process.stdout.write(`${isGood ? 'ok  ' : 'FAIL'} ${name}\n${isGood ? '' : stdout + stderr}`);
  }
  return { passed: checks.length - failed, failed };
}

if (import.meta.main) {
  const { failed } = await runChecks();
  process.exit(failed > 0 ? 1 : 0);
}
