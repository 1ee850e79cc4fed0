import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Instance, UserProfile, VideoCard } from '@hvideo/protocol';
import { ApiUser } from '../support/api.ts';
import { hvideo, run } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { startServer } from '../support/server.ts';

let root = '';
let data = '';

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'hvideo-demo-'));
  data = join(root, 'data');
});

afterAll(() => rm(root, { recursive: true, force: true }));

const clips = 2;

const feedOf = async (url: string) =>
  (await new ApiUser(url).call<{ items: VideoCard[] }>('GET', '/feed/latest?limit=50')).body.items;

test('an empty instance is filled while it serves; kill -9 in the middle neither loses nor doubles anything', async () => {
  const args = ['--demo', String(clips)];
  {
    await using server = await startServer(data, { args });
    const instance = await new ApiUser(server.url).call<Instance>('GET', '/instance');
    expect(instance.body.setupRequired).toBe(false);
    await eventually(async () => (await feedOf(server.url)).length > 0, 60_000);
    await server.kill('SIGKILL');
  }
  await using server = await startServer(data, { args });
  const anonymous = new ApiUser(server.url);
  await eventually(async () => (await feedOf(server.url)).length === clips, 90_000);
  const cards = await feedOf(server.url);
  expect(new Set(cards.map((card) => card.title)).size).toBe(clips);
  const seeded = JSON.parse((await run(['seed', '--clips', String(clips), '--data', data, '--json'])).stdout);
  expect(seeded).toMatchObject({ complete: true, clips: { made: clips, wanted: clips } });
  expect(seeded.people.made).toBe(seeded.people.wanted);

  const author = cards[0]?.author.username ?? '';
  const profile = await anonymous.call<UserProfile>('GET', `/users/@${author}`);
  expect(profile.body.avatarUrl).not.toBeNull();
  expect(profile.body.counts.followers + profile.body.counts.following).toBeGreaterThan(0);
}, 170_000);

test('where people live already, nothing is mixed in', async () => {
  const folder = join(root, 'lived-in');
  const { stdout } = await run(['admin', 'create', 'chief', '--data', folder, '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ username: 'chief' });
  const refused = await run(['seed', '--clips', '1', '--data', folder]);
  expect([refused.code, refused.stdout]).toEqual([1, '']);
  expect(refused.stderr).toContain('holds a community already');
  await using server = await startServer(folder, { args: ['--demo'] });
  expect(await feedOf(server.url)).toEqual([]);
  const status = await new ApiUser(server.url).call('GET', '/users/@lin_wanqiu');
  expect(status.status).toBe(404);
}, 60_000);

test('a number of clips that is none is refused in a sentence', async () => {
  const child = hvideo(['serve', '--data', join(root, 'none'), '--port', '0', '--demo', 'many']);
  expect(await child.exited).toBe(1);
  expect(child.output.stderr).toContain('"many" is not a number of clips');
  expect(await readFile(join(root, 'none', 'lock.json'), 'utf8').catch(() => 'none')).toBe('none');
});
