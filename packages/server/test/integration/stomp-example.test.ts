import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { ApiUser, passwordOf } from '../support/api.ts';
import { type RunningApplication, runApplication } from '../support/application.ts';

let app: RunningApplication;
beforeAll(async () => {
  app = await runApplication();
}, 60_000);
afterAll(() => app[Symbol.asyncDispose]());

test('the example of the documentation runs as it is', async () => {
  await new ApiUser(app.url).join('walter', '/instance/setup');
  await new ApiUser(app.url).join('gundel');
  const script = join(import.meta.dir, '..', '..', '..', '..', 'docs', 'examples', 'stomp-client.mjs');
  const logins = ['walter', 'gundel'].flatMap((name) => [name, passwordOf(name)]);
  const child = Bun.spawn([process.execPath, script, app.url, ...logins], { stdout: 'pipe', stderr: 'pipe' });
  const [output, complaint] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect([await child.exited, complaint]).toEqual([0, '']);
  expect(output).toMatch(/stored as 1 at 20/);
  expect(output).toContain('sent again: 1, duplicate: true');
  expect(output).toMatch(/message 1 of \d+ from \d+: Hello, gundel/);
}, 30_000);
