import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UserProfile } from '@hvideo/protocol';
import { packSdk } from '../../../../scripts/pack-sdk.ts';
import { ApiUser, passwordOf } from '../support/api.ts';
import { type RunningApplication, runApplication } from '../support/application.ts';
import { people } from '../support/stomp.ts';

const root = join(import.meta.dir, '..', '..', '..', '..');
const example = join(root, 'packages', 'client', 'examples', 'chat.ts');
const names = ['protocol', 'client'];

let app: RunningApplication;
/** A project of somebody else, which has the packages as npm would have put them there. */
let project: string;
const files = new Map<string, string[]>();

beforeAll(async () => {
  app = await runApplication();
  await new ApiUser(app.url).join('admin_of_all', '/instance/setup');
  project = await mkdtemp(join(tmpdir(), 'hvideo-project-'));
  const modules = join(project, 'node_modules');
  await mkdir(join(modules, '@types'), { recursive: true });
  for (const [at, archive] of (await packSdk(project)).entries()) {
    const target = join(modules, '@hvideo', names[at]!);
    await mkdir(target, { recursive: true });
    await run(['tar', '-xzf', archive, '--strip-components=1', '-C', target]);
    files.set(names[at]!, (await run(['tar', '-tzf', archive])).trim().split('\n'));
  }
  for (const name of [
    'zod',
    'ws',
    'react',
    '@types/ws',
    '@types/react',
    '@types/node',
    'csstype',
    'undici-types',
  ]) {
    await symlink(join(root, 'node_modules', name), join(modules, name));
  }
  await Bun.write(join(project, 'package.json'), '{ "name": "project", "private": true, "type": "module" }');
}, 120_000);
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await rm(project, { recursive: true, force: true });
});

async function run(command: string[], timeout = 60_000): Promise<string> {
  const child = Bun.spawn(command, {
    cwd: project,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout,
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

const toJavaScript = async (path: string) =>
  new Bun.Transpiler({ loader: 'ts', target: 'node' }).transform(await Bun.file(path).text());

test('they hold modules, types and the licence, and no sources or tests', () => {
  for (const name of names) {
    const all = files.get(name) ?? [];
    for (const file of ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']) {
      expect(all).toContain(`package/${file}`);
    }
    expect(all.filter((file) => /test|(?<!\.d)\.tsx?$/.test(file))).toEqual([]);
  }
  expect(files.get('client')).toContain('package/dist/react.js');
  expect(files.get('protocol')).toContain('package/dist/stomp/index.d.ts');
});

test('the example of the documentation runs in plain Node', async () => {
  await Bun.write(join(project, 'chat.js'), await toJavaScript(example));
  const [ann, bob] = await people(app.url, 2);
  const nameOf = async (user: ApiUser) => (await user.call<UserProfile>('GET', '/users/me')).body.username;
  const [annsName, bobsName] = [await nameOf(ann!), await nameOf(bob!)];
  const talk = (me: string, other: string, words: string) =>
    run(['node', 'chat.js', app.url, me, passwordOf(me), other, words, '2'], 30_000);
  const [one, two] = await Promise.all([
    talk(annsName, bobsName, 'Hello'),
    talk(bobsName, annsName, 'Good morning'),
  ]);
  expect(one).toBe(two);
  expect(one).toContain(`${annsName}: Hello`);
  expect(one).toContain(`${bobsName}: Good morning`);
}, 60_000);

test('in Node the socket of the package ws carries, also when nobody is there; without one, requests do', async () => {
  const [ann] = await people(app.url, 1);
  await Bun.write(
    join(project, 'status.js'),
    `import { createChat, createClient, memoryStore } from '@hvideo/client';
    import { WebSocket } from 'ws';
    const [baseUrl, accessToken, accountId, kind] = process.argv.slice(2);
    if (kind === 'requests') delete globalThis.WebSocket;
    const store = memoryStore({ accessToken, accessExpiresAtMs: Date.now() + 600_000, refreshKey: 'none' });
    const client = createClient({ baseUrl, session: { kind: 'token', store } });
    const options = kind === 'requests' ? {} : { WebSocket };
    const url = kind === 'nobody' ? { url: 'ws://127.0.0.1:1/ws' } : {};
    const limits = { backoffBaseMs: 10, backoffMaxMs: 50 };
    const chat = createChat({ client, accountId, limits, ...options, ...url });
    chat.on(({ type, status }) => {
      if (type !== 'status' || (status.phase !== 'online' && status.phase !== 'polling')) return;
      console.log(status.phase);
      chat.close();
    });`,
  );
  const phase = async (kind: string) =>
    (await run(['node', 'status.js', app.url, ann!.accessToken ?? '', ann!.id, kind], 30_000)).trim();
  expect(await phase('socket')).toBe('online');
  expect(await phase('nobody')).toBe('polling');
  expect(await phase('requests')).toBe('polling');
}, 60_000);

test('its types hold in a strict project, with React too', async () => {
  await cp(example, join(project, 'example.ts'));
  await Bun.write(
    join(project, 'view.ts'),
    `import type { Chat } from '@hvideo/client';
    import type { ChatMessage } from '@hvideo/protocol';
    import { useConversation } from '@hvideo/client/react';
    export function useTexts(chat: Chat, id: string): string[] {
      const { snapshot } = useConversation(chat, id);
      // @ts-expect-error a number is no text
      const wrong: string = snapshot.readSeq;
      return snapshot.messages.map(({ content }) => (content.type === 'text' ? content.text : wrong));
    }
    export const seqOf = ({ seq }: ChatMessage): number => seq;`,
  );
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const strict = ['--strict', '--target', 'ES2022', '--lib', 'ES2024,DOM', '--skipLibCheck', 'false'];
  const options = ['--noEmit', '--module', 'nodenext', '--types', 'node,react', ...strict];
  await run([tsc, ...options, 'example.ts', 'view.ts']);
}, 120_000);
