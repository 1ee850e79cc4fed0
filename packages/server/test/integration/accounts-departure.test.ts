import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account, OwnVideo, Page, UserProfile } from '@hvideo/protocol';
import { runFfmpeg } from '../../src/adapters/ffmpeg/run.ts';
import { ApiUser, passwordOf } from '../support/api.ts';
import { type RunningApplication, runApplication } from '../support/application.ts';
import { eventually } from '../support/eventually.ts';
import { makeClip } from '../support/media-samples.ts';
import { unzipStored } from '../support/zip.ts';

/** A name that nobody may take, and a number that is counted about no more. */
const kept = ['public.counter_gone', 'public.retired_username'];

let t: RunningApplication;
let clip: Uint8Array<ArrayBuffer>;
let picture: Uint8Array<ArrayBuffer>;
let admin: ApiUser;
let anna: ApiUser;
let bert: ApiUser;

beforeAll(async () => {
  t = await runApplication();
  const bytesOf = async (path: string) => new Uint8Array(await Bun.file(path).arrayBuffer());
  clip = await bytesOf(
    await makeClip({ path: join(t.folder, 'clip.mp4'), seconds: 1, width: 128, height: 128, fps: 10 }),
  );
  await runFfmpeg(
    ['-f', 'lavfi', '-i', 'testsrc2=size=64x64', '-frames:v', '1', join(t.folder, 'picture.png')],
    { timeoutMs: 20_000 },
  );
  picture = await bytesOf(join(t.folder, 'picture.png'));
  admin = await new ApiUser(t.url).join('the_admin', '/instance/setup');
  anna = await new ApiUser(t.url).join('anna');
  bert = await new ApiUser(t.url).join('bert');
}, 60_000);
afterAll(async () => t[Symbol.asyncDispose]());

/** Everything that a person can leave behind here. */
async function live(user: ApiUser, other: ApiUser, title: string): Promise<OwnVideo> {
  const avatar = await user.call('PUT', '/users/me/avatar', {
    raw: picture,
    headers: { 'content-type': 'image/png' },
  });
  expect(avatar.status).toBe(200);
  const bio = `I am ${user.id}`;
  const key = { 'idempotency-key': `bio-of-${user.id}` };
  expect((await user.call('PATCH', '/users/me', { body: { bio }, headers: key })).status).toBe(200);
  for (const edge of ['follow', 'mute'])
    expect((await user.call('PUT', `/users/${other.id}/${edge}`)).status).toBe(204);
  expect((await user.call('PUT', `/users/${admin.id}/block`)).status).toBe(204);
  const draft = await user.beginUpload(clip.length);
  await user.append(draft, clip.slice(0, 100));
  const uploadId = await user.beginUpload(clip.length);
  expect((await user.append(uploadId, clip)).status).toBe(204);
  const made = await user.call<OwnVideo>('POST', '/videos', {
    body: { uploadId, title, visibility: 'private' },
  });
  expect(made.status).toBe(202);
  return made.body;
}

/** The tables in whose rows the text stands. */
async function tablesNaming(text: string): Promise<string[]> {
  const { sql } = t.db;
  const tables = await sql<{ name: string }>`
    select table_schema || '.' || table_name as name from information_schema.tables
    where table_schema in ('public', 'pgboss') and table_type = 'BASE TABLE' order by 1`;
  const found: string[] = [];
  for (const { name } of tables) {
    const [row] = await t.db.driver.unsafe(
      `select count(*)::int4 as n from ${name} as one where one::text like '%${text}%'`,
    );
    if (row.n > 0) found.push(name);
  }
  return found;
}

/** What the change feed has yet to hand on names them for a moment. */
const untilNamedOnlyIn = (id: string, tables: readonly string[]) =>
  eventually(async () => {
    const rows = (await tablesNaming(id)).filter((name) => name.startsWith('public.'));
    return rows.join() === tables.join();
  });
const untilOnlyKept = (id: string) => untilNamedOnlyIn(id, kept);

const filesNaming = async (text: string) =>
  (await readdir(join(t.folder, 'data', 'media'), { recursive: true })).filter((path) => path.includes(text));

async function exportOf(user: ApiUser): Promise<Map<string, Uint8Array>> {
  const response = await fetch(`${t.url}/api/v1/users/me/export`, {
    method: 'POST',
    headers: { authorization: `Bearer ${user.accessToken}` },
  });
  expect(response.headers.get('content-type')).toBe('application/zip');
  return unzipStored(await response.bytes());
}

describe('one’s own data', () => {
  test('is all in the archive, with files, and nobody else’s is', async () => {
    const video = await live(anna, bert, 'Anna’s private clip');
    const others = await live(bert, anna, 'Bert’s private clip');
    await bert.call('DELETE', `/users/${anna.id}/mute`);
    const files = await exportOf(anna);
    const json = (path: string) => JSON.parse(new TextDecoder().decode(files.get(path) ?? new Uint8Array()));
    expect(json('account.json')).toMatchObject({ id: anna.id, username: 'anna', bio: `I am ${anna.id}` });
    expect(json('sessions.json')).toMatchObject([{ address: '127.0.0.1' }]);
    expect(json('graph.json')).toMatchObject({
      following: [{ id: bert.id }],
      muted: [{ id: bert.id }],
      blocked: [{ id: admin.id }],
    });
    expect(json('videos.json')).toMatchObject([{ id: video.id, title: 'Anna’s private clip' }]);
    expect(json('uploads.json').length).toBe(2);
    const originals = [...files.keys()].filter((path) => path.startsWith('originals/'));
    expect(originals.length).toBe(2);
    const whole = originals.map((path) => files.get(path)).find((bytes) => bytes?.length === clip.length);
    expect(whole && Buffer.compare(whole, clip)).toBe(0);
    expect(files.get('avatar.jpg')?.subarray(0, 2)).toEqual(new Uint8Array([0xff, 0xd8]));

    const everything = [...files].map(([path, bytes]) => `${path}\n${Buffer.from(bytes).toString('latin1')}`);
    const text = everything.join('\n');
    for (const secret of [others.id, `I am ${bert.id}`, 'Bert', 'argon2', anna.refreshToken ?? ''])
      expect([secret, text.includes(secret)]).toEqual([secret, false]);
  }, 30_000);

  test('is given to its owner only', async () => {
    const answer = await new ApiUser(t.url).call('POST', '/users/me/export');
    expect(answer.body.code).toBe('unauthenticated');
  });
});

describe('what belongs to somebody else', () => {
  test('does not exist for another person, whatever they try', async () => {
    const [video] = (await bert.call<Page<OwnVideo>>('GET', '/users/me/videos')).body.items;
    const [upload] = await t.db.sql<{ id: string }>`
      select id from upload where account_id = ${bert.id} order by id limit 1`;
    const tus = { 'tus-resumable': '1.0.0' };
    const bytes = {
      ...{
        raw: clip,
        headers: { ...tus, 'upload-offset': '100', 'content-type': 'application/offset+octet-stream' },
      },
    };
    const attempts = [
      ['GET', `/videos/${video?.id}`, {}],
      ['PATCH', `/videos/${video?.id}`, { body: { title: 'mine', visibility: 'public' } }],
      ['DELETE', `/videos/${video?.id}`, {}],
      ['GET', `/videos/${video?.id}/progress`, {}],
      ['HEAD', `/uploads/${upload?.id}`, { headers: tus }],
      ['PATCH', `/uploads/${upload?.id}`, bytes],
      ['DELETE', `/uploads/${upload?.id}`, { headers: tus }],
      ['POST', '/videos', { body: { uploadId: upload?.id, title: 'mine' } }],
    ] as const;
    for (const [method, path, options] of attempts) {
      expect([method, path, (await anna.call(method, path, options)).status]).toEqual([method, path, 404]);
      const visitor = await new ApiUser(t.url).call(method, path, options);
      expect([401, 404]).toContain(visitor.status);
    }
    const withRefreshToken = await new ApiUser(t.url).call('GET', '/users/me', {
      headers: { authorization: `Bearer ${bert.refreshToken}` },
    });
    expect(withRefreshToken.body.code).toBe('token-invalid');
    expect((await bert.call<Page<OwnVideo>>('GET', '/users/me/videos')).body.items[0]?.title).toBe(
      video?.title ?? '',
    );
  });
});

describe('leaving', () => {
  test('takes everything along: rows, files, edges and logins; only the name stays reserved', async () => {
    const before = await tablesNaming(anna.id);
    for (const table of ['account', 'session', 'follow', 'block', 'upload', 'video', 'idempotency_key'])
      expect(before).toContain(`public.${table}`);
    expect(await filesNaming(anna.id)).not.toEqual([]);
    const uploads = await t.db.sql<{ id: string }>`select id from upload where account_id = ${anna.id}`;
    const [video] = (await anna.call<Page<OwnVideo>>('GET', '/users/me/videos')).body.items;
    const counts = async () => (await bert.call<UserProfile>('GET', '/users/me')).body.counts;
    expect(await counts()).toMatchObject({ followers: 1, following: 1 });

    const wrong = await anna.call('DELETE', '/users/me', { body: { password: 'a wrong word' } });
    expect(wrong.body.code).toBe('bad-credentials');
    const left = await anna.call('DELETE', '/users/me', { body: { password: passwordOf('anna') } });
    expect(left.status).toBe(204);

    expect((await anna.call('GET', '/users/me')).body.code).toBe('token-invalid');
    const visitor = new ApiUser(t.url);
    const login = { login: 'anna', password: passwordOf('anna') };
    expect((await visitor.call('POST', '/auth/login', { body: login })).body.code).toBe('bad-credentials');
    const refresh = { refreshToken: anna.refreshToken };
    expect((await visitor.call('POST', '/auth/refresh', { body: refresh })).body.code).toBe('token-invalid');
    expect((await bert.call('GET', '/users/@anna')).status).toBe(404);
    expect(await counts()).toMatchObject({ followers: 0, following: 0 });
    // Jobs name what they delete until it is deleted, and their queue keeps a trace for a while.
    await t.features.counters.fold();
    await untilOnlyKept(anna.id);
    const ids = [anna.id, video?.id ?? '', ...uploads.map(({ id }) => id)];
    for (const id of ids) await eventually(async () => (await filesNaming(id)).length === 0);
    const body = { username: 'anna', password: passwordOf('anna') };
    expect((await visitor.call('POST', '/auth/register', { body })).body.code).toBe('username-taken');
  }, 30_000);

  test('while others follow and block leaves no edge and no wrong count', async () => {
    const leaver = await new ApiUser(t.url).join('leaver');
    const others = await Promise.all(
      Array.from({ length: 6 }, (_, n) => new ApiUser(t.url).join(`other_${n}`)),
    );
    await Promise.all(others.map((other) => leaver.call('PUT', `/users/${other.id}/follow`)));
    const storm = others.flatMap((other, n) => [
      other.call('PUT', `/users/${leaver.id}/${n % 3 === 2 ? 'block' : 'follow'}`),
      leaver.call('PUT', `/users/${other.id}/mute`),
    ]);
    const [left] = await Promise.all([
      leaver.call('DELETE', '/users/me', { body: { password: passwordOf('leaver') } }),
      ...storm,
    ]);
    expect(left.status).toBe(204);
    const statuses = new Set((await Promise.all(storm)).map(({ status }) => status));
    for (const status of statuses) expect([204, 401, 404]).toContain(status);
    await t.features.counters.fold();
    await eventually(async () => (await t.db.sql`select 1 from counter_batch limit 1`).length === 0);
    // A fold that had begun before the end may have put a total back: what is done daily takes it away.
    await t.db.sql`update counter_gone set gone_at = now() - interval '2 days' where id = ${leaver.id}`;
    await t.features.counters.clean();
    await untilNamedOnlyIn(
      leaver.id,
      kept.filter((table) => table !== 'public.counter_gone'),
    );
    expect(
      await t.db.sql`
      select username from account join account_counts on account_id = account.id
        left join counter on counter.id = account.id and metric = 9
      where coalesce(total, 0) <> (select count(*) from follow where followee_id = account.id)
        or following <> (select count(*) from follow where follower_id = account.id)`,
    ).toEqual([]);
  }, 20_000);

  test('is refused to the last admin, and two who leave at once leave one', async () => {
    const leave = (user: ApiUser, name: string) =>
      user.call('DELETE', '/users/me', { body: { password: passwordOf(name) } });
    expect((await leave(admin, 'the_admin')).body.code).toBe('last-admin');
    const second = await new ApiUser(t.url).join('second_admin');
    await admin.call('PUT', `/users/${second.id}/role`, { body: { role: 'admin' } });
    const both = await Promise.all([leave(admin, 'the_admin'), leave(second, 'second_admin')]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([204, 409]);
    const rest = both[0].status === 204 ? second : admin;
    expect((await rest.call<Account>('GET', '/users/me')).body.role).toBe('admin');
  });
});
