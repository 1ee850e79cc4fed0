import { join } from 'node:path';
import { runChecks } from './check.ts';

/**
 * The whole test command: checks, then unit, contract and integration tests, then journeys in a browser.
 * `npm test -- PATH...` runs the named tests only. In CI a skipped test counts as a failure: a missing server or
 * browser must not look like success.
 */
const root = join(import.meta.dir, '..');
const isCi = process.env['CI'] === 'true';
const only = process.argv.slice(2);

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

const total: Tally = { passed: 0, failed: 0, skipped: 0 };

function add(tally: Partial<Tally>): void {
  total.passed += tally.passed ?? 0;
  total.failed += tally.failed ?? 0;
  total.skipped += tally.skipped ?? 0;
}

/** Runs `bun test` on `paths`, shows its output as it comes and reads its closing counts. */
async function runTests(paths: readonly string[], timeoutMs: number): Promise<Tally> {
  const child = Bun.spawn([process.execPath, 'test', `--timeout=${timeoutMs}`, ...paths], {
    cwd: root,
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'pipe',
    env: { ...process.env, NO_COLOR: '1' },
  });
  const decoder = new TextDecoder();
  let tail = '';
  for await (const chunk of child.stderr) {
    process.stderr.write(chunk);
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-4_000);
  }
  const exitCode = await child.exited;
  const count = (word: string) => Number(new RegExp(`^\\s*(\\d+) ${word}$`, 'm').exec(tail)?.[1] ?? 0);
  const tally = { passed: count('pass'), failed: count('fail'), skipped: count('skip') };
  // A runner that died, or found no test, has failed even if it counted no failure.
  if ((exitCode !== 0 || tally.passed === 0) && tally.failed === 0) tally.failed = 1;
  return tally;
}

if (only.length > 0) {
  add(await runTests(only, 60_000));
} else {
  add(await runChecks());
  add(await runTests(['packages', 'scripts', 'bench'], 60_000));
  add(await runTests(['e2e'], 180_000));
}

const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
if (isCi && total.skipped > 0) process.stdout.write('in CI a skipped test is a failure\n');
process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
process.exit(total.failed > 0 || (isCi && total.skipped > 0) ? 1 : 0);
