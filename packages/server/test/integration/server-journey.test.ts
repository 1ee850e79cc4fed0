import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  AuthSession,
  OwnVideo,
  Page,
  Session,
  UserProfile,
  VideoCard,
  VideoDetail,
} from '@hvideo/protocol';
import { ApiUser, eventually, passwordOf } from '../support/api.ts';
import { makeClip } from '../support/media-samples.ts';
import { type RunningServer, startServer } from '../support/server.ts';

let folder: string;
let server: RunningServer;
let clip: Uint8Array<ArrayBuffer>;
let author: ApiUser;
let reader: ApiUser;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hvideo-journey-'));
  const path = await makeClip({ path: join(folder, 'clip.mp4'), seconds: 2, width: 360, height: 640 });
  clip = new Uint8Array(await Bun.file(path).arrayBuffer());
  server = await startServer(join(folder, 'data'), { env: { HVIDEO_LIMITS: 'false' } });
  author = await new ApiUser(server.url).join('author', '/instance/setup');
  reader = await new ApiUser(server.url).join('reader');
}, 60_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const visitor = () => new ApiUser(server.url);

async function publish(fields: Record<string, unknown> = {}): Promise<OwnVideo> {
  const uploadId = await author.beginUpload(clip.length);
  expect((await author.append(uploadId, clip)).status).toBe(204);
  const made = await author.call<OwnVideo>('POST', '/videos', {
    body: { uploadId, title: 'A clip', ...fields },
  });
  expect(made.status).toBe(202);
  return made.body;
}

const statusOf = async (id: string) =>
  (await author.call<VideoDetail>('GET', `/videos/${id}`)).body.video?.status;

const playlistOf = async (user: ApiUser, id: string) =>
  (await user.call<VideoDetail>('GET', `/videos/${id}`)).body.video?.playlistUrl;

describe('the main path', () => {
  test('a clip goes from its file to a follower’s feed, plays, and is gone when it is deleted', async () => {
    const video = await publish();
    expect(video.status).toBe('processing');
    expect((await reader.call('PUT', '/users/@author/follow')).status).toBe(204);
    await eventually(
      () => statusOf(video.id),
      (status) => status === 'ready',
    );

    const feed = await reader.call<Page<VideoCard>>('GET', '/feed/following');
    expect(feed.body.items.map(({ id }) => id)).toEqual([video.id]);
    const playlistUrl = feed.body.items[0]?.playlistUrl ?? '';
    const master = await fetch(server.url + playlistUrl);
    expect(master.headers.get('content-type')).toContain('mpegurl');
    const rungs = (await master.text()).split('\n').filter((line) => line.endsWith('.m3u8'));
    expect(rungs.length).toBe(2);
    const rungUrl = new URL(rungs[0] ?? '', server.url + playlistUrl);
    const segment =
      (await (await fetch(rungUrl)).text()).split('\n').find((line) => line.endsWith('.m4s')) ?? '';
    const part = await fetch(new URL(segment, rungUrl), { headers: { range: 'bytes=4-11' } });
    expect(part.status).toBe(206);
    expect((await part.bytes()).length).toBe(8);

    expect((await author.call('DELETE', `/videos/${video.id}`)).status).toBe(204);
    expect((await reader.call('GET', `/videos/${video.id}`)).status).toBe(404);
    expect((await fetch(new URL(segment, rungUrl))).status).toBe(404);
    expect((await reader.call<Page<VideoCard>>('GET', '/feed/following')).body.items).toEqual([]);
  }, 60_000);

  test('what was acknowledged survives kill -9 during upload and transcoding, and the job ends', async () => {
    const half = Math.floor(clip.length / 2);
    const uploadId = await author.beginUpload(clip.length);
    await author.append(uploadId, clip.slice(0, half));
    const video = await publish({ title: 'Killed while transcoding' });
    await server.kill('SIGKILL');
    server = await startServer(join(folder, 'data'), { env: { HVIDEO_LIMITS: 'false' } });
    author = moved(author);
    reader = moved(reader);
    const head = await author.call('HEAD', `/uploads/${uploadId}`, { headers: { 'tus-resumable': '1.0.0' } });
    expect(head.headers.get('upload-offset')).toBe(String(half));
    expect((await author.append(uploadId, clip, half)).status).toBe(204);
    await eventually(
      () => statusOf(video.id),
      (status) => status === 'ready',
      45_000,
    );
    expect((await author.call('DELETE', `/videos/${video.id}`)).status).toBe(204);
  }, 120_000);
});

/** The same person at the server's new address. */
function moved(user: ApiUser): ApiUser {
  const next = new ApiUser(server.url);
  next.accessToken = user.accessToken;
  next.refreshToken = user.refreshToken;
  next.id = user.id;
  return next;
}

describe('what is not for everybody', () => {
  test('a private, a scheduled and a followers’ video are reachable for nobody else', async () => {
    const privateVideo = await publish({ visibility: 'private' });
    const scheduled = await publish({ publishAt: new Date(Date.now() + 3_600_000).toISOString() });
    const forFollowers = await publish({ visibility: 'followers' });
    for (const { id } of [privateVideo, scheduled, forFollowers]) {
      await eventually(
        () => statusOf(id),
        (status) => status === 'ready',
      );
      const stranger = await visitor().call('GET', `/videos/${id}`);
      expect(stranger.body.code).toBe('not-found');
      expect((await reader.call('DELETE', `/videos/${id}`)).status).toBe(404);
      expect((await reader.call('GET', `/videos/${id}/progress`)).status).toBe(404);
    }
    expect((await reader.call('GET', `/videos/${privateVideo.id}`)).status).toBe(404);
    expect((await reader.call('GET', `/videos/${scheduled.id}`)).status).toBe(404);
    const link = (await playlistOf(reader, forFollowers.id)) ?? '';
    expect((await fetch(server.url + link)).status).toBe(200);
    await reader.call('DELETE', '/users/@author/follow');
    expect((await fetch(server.url + link)).status).toBe(404);
    await reader.call('PUT', '/users/@author/follow');
  }, 90_000);

  test('another person’s upload does not exist', async () => {
    const uploadId = await author.beginUpload(clip.length);
    expect((await reader.append(uploadId, clip)).status).toBe(404);
    expect((await reader.call('POST', '/videos', { body: { uploadId, title: 'Mine' } })).status).toBe(404);
    expect((await visitor().append(uploadId, clip)).status).toBe(401);
  });

  test('a file that is no video is refused on its last byte, and gone', async () => {
    const text = new TextEncoder().encode('this is not a video\n'.repeat(100));
    const uploadId = await author.beginUpload(text.length);
    const answer = await author.append(uploadId, text);
    expect(answer.status).toBe(422);
    expect(answer.body.code).toBe('media-unreadable');
    const head = await author.call('HEAD', `/uploads/${uploadId}`, { headers: { 'tus-resumable': '1.0.0' } });
    expect(head.status).toBe(404);
  });
});

describe('accounts', () => {
  test('a refresh token works once; used again it ends the login, unless the request is the same one', async () => {
    const user = await visitor().join('rotating');
    const refresh = (token: string | undefined, key?: string) =>
      visitor().call<AuthSession & { code?: string }>('POST', '/auth/refresh', {
        body: { refreshToken: token },
        headers: key ? { 'idempotency-key': key } : {},
      });
    const first = await refresh(user.refreshToken, 'attempt-1');
    expect(first.status).toBe(200);
    expect((await refresh(user.refreshToken, 'attempt-1')).body.refreshToken).toBe(
      first.body.refreshToken ?? '',
    );
    const reused = await refresh(user.refreshToken);
    expect(reused.body.code).toBe('token-reused');
    expect((await refresh(first.body.refreshToken)).status).toBe(401);
    expect((await user.call('GET', '/users/me')).status).toBe(401);
  });

  test('devices are listed and can be logged out; nobody else’s', async () => {
    const user = await visitor().join('devices');
    const again = visitor();
    const login = await again.call<AuthSession>('POST', '/auth/login', {
      body: { login: 'devices', password: passwordOf('devices') },
    });
    again.accessToken = login.body.accessToken;
    const list = await user.call<Page<Session>>('GET', '/users/me/sessions');
    expect(list.body.items.length).toBe(2);
    const other = list.body.items.find(({ current }) => !current)?.id ?? '';
    expect((await reader.call('DELETE', `/users/me/sessions/${other}`)).status).toBe(404);
    expect((await user.call('DELETE', `/users/me/sessions/${other}`)).status).toBe(204);
    expect((await again.call('GET', '/users/me')).status).toBe(401);
  });

  test('two people who want one name at once: one gets it', async () => {
    const body = { username: 'wanted', password: passwordOf('wanted') };
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => visitor().call('POST', '/auth/register', { body })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
  });

  test('a suspended person is out at once', async () => {
    const user = await visitor().join('suspended_one');
    const target = `/users/${user.id}/suspension`;
    expect((await reader.call('PUT', target, { body: { reason: 'spam' } })).body.code).toBe('forbidden');
    expect((await author.call('PUT', target, { body: { reason: 'spam' } })).status).toBe(204);
    expect((await user.call('GET', '/users/me')).status).toBe(401);
    const body = { login: 'suspended_one', password: passwordOf('suspended_one') };
    expect((await visitor().call('POST', '/auth/login', { body })).body.code).toBe('suspended');
  });

  test('an account that is deleted is gone, and its followers’ counts are right', async () => {
    const user = await visitor().join('leaving');
    await user.call('PUT', `/users/${author.id}/follow`);
    const before = (await user.call<UserProfile>('GET', '/users/@author')).body.counts.followers;
    const wrong = await user.call('DELETE', '/users/me', { body: { password: 'not this one' } });
    expect(wrong.body.code).toBe('bad-credentials');
    const right = await user.call('DELETE', '/users/me', { body: { password: passwordOf('leaving') } });
    expect(right.status).toBe(204);
    expect((await reader.call('GET', '/users/@leaving')).status).toBe(404);
    expect((await reader.call<UserProfile>('GET', '/users/@author')).body.counts.followers).toBe(before - 1);
    const last = await author.call('DELETE', '/users/me', { body: { password: passwordOf('author') } });
    expect(last.body.code).toBe('last-admin');
  });
});

describe('the graph', () => {
  test('follow and block are idempotent, keep counts and end each other', async () => {
    const ann = await visitor().join('graph_ann');
    const bob = await visitor().join('graph_bob');
    const counts = async (user: ApiUser) => (await user.call<UserProfile>('GET', '/users/me')).body.counts;
    await Promise.all(Array.from({ length: 5 }, () => ann.call('PUT', `/users/${bob.id}/follow`)));
    await bob.call('PUT', '/users/@graph_ann/follow');
    expect(await counts(bob)).toMatchObject({ followers: 1, following: 1 });
    const friends = await ann.call<Page<UserProfile>>('GET', '/users/me/friends');
    expect(friends.body.items.map(({ id }) => id)).toEqual([bob.id]);
    expect((await ann.call('PUT', `/users/${ann.id}/follow`)).body.code).toBe('cannot-target-self');
    await bob.call('PUT', `/users/${ann.id}/block`);
    expect(await counts(ann)).toMatchObject({ followers: 0, following: 0 });
    expect((await ann.call('GET', '/users/@graph_bob')).status).toBe(404);
    expect((await ann.call('PUT', `/users/${bob.id}/follow`)).status).toBe(404);
    expect((await bob.call('PUT', `/users/${ann.id}/follow`)).body.code).toBe('blocked');
  });
});

describe('requests', () => {
  test('a repeated write with one Idempotency-Key happens once', async () => {
    const uploadId = await author.beginUpload(clip.length);
    await author.append(uploadId, clip);
    const create = (title: string) =>
      author.call<OwnVideo & { code?: string }>('POST', '/videos', {
        body: { uploadId, title },
        headers: { 'idempotency-key': 'publish-once' },
      });
    const [one, two] = await Promise.all([create('Once'), create('Once')]);
    expect([one.status, two.status]).toEqual([202, 202]);
    expect(one.body.id).toBe(two.body.id);
    expect((await create('Another')).body.code).toBe('idempotency-conflict');
  });

  test('a write from another site with the session cookie is refused', async () => {
    const headers = { cookie: `hvideo_session=${author.accessToken}`, origin: 'https://evil.example' };
    const answer = await visitor().call('PUT', `/users/${reader.id}/follow`, { headers });
    expect(answer.body.code).toBe('cross-origin');
  });

  test.each([
    ['POST', '/auth/register', { body: { username: 'no', password: 'x' } }, 'invalid-request'],
    ['POST', '/auth/register', { body: { username: 'weak_one', password: 'password' } }, 'weak-password'],
    [
      'POST',
      '/auth/login',
      { body: { login: 'nobody_here', password: 'whatever it is' } },
      'bad-credentials',
    ],
    ['GET', '/users/0', {}, 'invalid-request'],
    ['GET', '/feed/latest?cursor=forged', {}, 'invalid-cursor'],
    ['GET', '/feed/latest?limit=1000', {}, 'invalid-request'],
    ['GET', '/feed/following', {}, 'unauthenticated'],
    ['GET', '/users/me', { headers: { authorization: 'Bearer nonsense' } }, 'token-invalid'],
    ['POST', '/instance/setup', { body: { username: 'second', password: 'long enough 1' } }, 'setup-done'],
    ['PUT', '/feed/latest', {}, 'method-not-allowed'],
    ['GET', '/nothing/here', {}, 'not-found'],
  ])('%s %s is refused with its code', async (method, path, options, code) => {
    const answer = await visitor().call(method, path, options);
    expect(answer.body.code).toBe(code);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });
});
