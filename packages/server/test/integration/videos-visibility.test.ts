import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { OwnVideo } from '@hvideo/protocol';
import { eventually } from '../support/eventually.ts';
import {
  call,
  publish,
  storedKeys,
  untilStatus,
  upload,
  type VideoStack,
  videoStack,
} from '../support/video-stack.ts';

let stack: VideoStack;
let author: string;
let follower: string;
let stranger: string;
let moderator: string;

beforeAll(async () => {
  stack = await videoStack({ uploads: { maxUnfinished: 1000 } });
  [author, follower, stranger, moderator] = (await Promise.all(
    Array.from({ length: 4 }, () => stack.graph.person()),
  )) as [string, string, string, string];
  stack.roles.set(moderator, 'moderator');
  await stack.graph.follow(follower, author);
});
afterAll(() => stack[Symbol.asyncDispose]());

const viewers = () => ({ author, follower, stranger, nobody: undefined });
type Who = 'author' | 'follower' | 'stranger' | 'nobody';

async function ready(fields: Record<string, unknown> = {}): Promise<OwnVideo> {
  const { body, status } = await publish(stack, author, fields);
  expect(status).toBe(202);
  return (await untilStatus(stack, author, body.id, 'ready')).body.own;
}

const statusOf = async (as: string | undefined, path: string) => (await call(stack, as, 'GET', path)).status;

/** Who finds the video by each way there is. */
async function seenBy(id: string, links: readonly string[]) {
  const ways = { detail: [] as Who[], list: [] as Who[], following: [] as Who[], latest: [] as Who[] };
  for (const [who, as] of Object.entries(viewers()) as [Who, string | undefined][]) {
    const holds = async (path: string) => {
      const { body } = await call(stack, as, 'GET', path);
      return (body.items ?? []).some((item: { id: string }) => item.id === id);
    };
    if ((await statusOf(as, `/api/v1/videos/${id}`)) === 200) ways.detail.push(who);
    if (await holds(`/api/v1/users/${author}/videos?limit=100`)) ways.list.push(who);
    if (as !== undefined && (await holds('/api/v1/feed/following?limit=100'))) ways.following.push(who);
    if (await holds('/api/v1/feed/latest?limit=100')) ways.latest.push(who);
    const progress = as === undefined ? 401 : await progressStatus(as, id);
    if (who !== 'author') expect(progress).toBe(as === undefined ? 401 : 404);
  }
  const media = await Promise.all(links.map((link) => statusOf(undefined, link)));
  return { ...ways, media };
}

async function progressStatus(as: string, id: string): Promise<number> {
  const abort = new AbortController();
  const response = await fetch(`${stack.url}/api/v1/videos/${id}/progress`, {
    headers: { authorization: `Bearer ${as}` },
    signal: abort.signal,
  });
  abort.abort();
  return response.status;
}

type Seen = Record<'detail' | 'list' | 'following' | 'latest', Who[]>;
const nobodySees: Seen = { detail: [], list: [], following: [], latest: [] };
const onlyAuthor: Seen = { detail: ['author'], list: ['author'], following: [], latest: [] };
const everybody: Who[] = ['author', 'follower', 'stranger', 'nobody'];

/** The links that the owner has, with the path of one segment. */
const linksOf = (own: OwnVideo) => {
  const base = (own.playlistUrl ?? '').replace(/master\.m3u8$/, '');
  return [`${base}master.m3u8`, `${base}1/240p/index.m3u8`, `${base}1/480p/seg-0.m4s`, own.coverUrl ?? ''];
};

describe('who may see what', () => {
  test('public', async () => {
    const own = await ready({ visibility: 'public' });
    const seen = await seenBy(own.id, linksOf(own));
    const followed = { following: ['follower'] as Who[] };
    expect(seen).toEqual({
      detail: everybody,
      list: everybody,
      latest: everybody,
      ...followed,
      media: [200, 200, 200, 200],
    });
    expect(own.playlistUrl).toContain('.p.');
  });

  test('followers', async () => {
    const own = await ready({ visibility: 'followers' });
    const two: Who[] = ['author', 'follower'];
    expect(await seenBy(own.id, [])).toEqual({
      detail: two,
      list: two,
      following: ['follower'],
      latest: [],
      media: [],
    });
    const theirs = (await call(stack, follower, 'GET', `/api/v1/videos/${own.id}`)).body.video.playlistUrl;
    expect(theirs).toContain(`.${follower}.`);
    const answer = await call(stack, undefined, 'GET', theirs);
    expect(answer.headers.get('cache-control')).toStartWith('private');
    await stack.graph.unfollow(follower, author);
    expect(await statusOf(undefined, theirs)).toBe(404);
    expect(await statusOf(undefined, own.playlistUrl ?? '')).toBe(200);
    await stack.graph.follow(follower, author);
    expect(await statusOf(undefined, theirs)).toBe(200);
  });

  test('unlisted: by its link only', async () => {
    const own = await ready({ visibility: 'unlisted' });
    const seen = await seenBy(own.id, linksOf(own));
    expect(seen).toEqual({ ...onlyAuthor, detail: everybody, media: [200, 200, 200, 200] });
    expect(own.publishedAt).toBeNull();
  });

  test('private, and what was made private', async () => {
    const own = await ready({ visibility: 'private' });
    expect(await seenBy(own.id, [])).toEqual({ ...onlyAuthor, media: [] });
    expect(await statusOf(undefined, own.playlistUrl ?? '')).toBe(200);
    const shown = await ready({ visibility: 'public' });
    const links = linksOf(shown);
    await call(stack, author, 'PATCH', `/api/v1/videos/${shown.id}`, { visibility: 'private' });
    expect(await seenBy(shown.id, links)).toEqual({ ...onlyAuthor, media: [404, 404, 404, 404] });
    const again = await call(stack, author, 'PATCH', `/api/v1/videos/${shown.id}`, { visibility: 'public' });
    expect(again.body.publishedAt).toBe(shown.publishedAt);
  });

  test('scheduled: nobody before its time, everybody after it, also when the job was lost', async () => {
    const at = new Date(stack.clock.nowMs() + 3_600_000).toISOString();
    const own = await ready({ publishAt: at });
    expect(own.publishAt).toBe(at);
    expect(await seenBy(own.id, [])).toEqual({ ...onlyAuthor, media: [] });
    stack.clock.aheadMs += 3_601_000;
    await stack.videos.sweep(new AbortController().signal);
    expect((await seenBy(own.id, [])).detail).toEqual(everybody);
    stack.clock.aheadMs -= 3_601_000;
  });

  test('scheduled: the job publishes at the time, and a scheduled video may be published now', async () => {
    const soon = await ready({ publishAt: new Date(stack.clock.nowMs() + 1500).toISOString() });
    expect(soon.publishedAt).toBeNull();
    await eventually(async () => (await statusOf(undefined, `/api/v1/videos/${soon.id}`)) === 200);
    const later = await ready({ publishAt: new Date(stack.clock.nowMs() + 86_400_000).toISOString() });
    expect(await statusOf(undefined, `/api/v1/videos/${later.id}`)).toBe(404);
    const now = await call(stack, author, 'PATCH', `/api/v1/videos/${later.id}`, { publishAt: null });
    expect(now.body.publishedAt).not.toBeNull();
    expect(await statusOf(undefined, `/api/v1/videos/${later.id}`)).toBe(200);
    const back = { publishAt: new Date(stack.clock.nowMs() + 86_400_000).toISOString() };
    expect((await call(stack, author, 'PATCH', `/api/v1/videos/${later.id}`, back)).body.code).toBe(
      'publish-time-passed',
    );
  });

  test('a blocked person, a blocking one, and a suspended author', async () => {
    const own = await ready({});
    const detail = `/api/v1/videos/${own.id}`;
    await stack.graph.block(author, stranger);
    expect(await statusOf(stranger, detail)).toBe(404);
    await stack.graph.unblock(author, stranger);
    await stack.graph.block(stranger, author);
    expect(await statusOf(stranger, detail)).toBe(404);
    await stack.graph.unblock(stranger, author);
    expect(await statusOf(stranger, detail)).toBe(200);
    const links = linksOf(own);
    await stack.graph.suspend(author, true);
    expect(await statusOf(stranger, detail)).toBe(404);
    expect(await statusOf(undefined, links[2] ?? '')).toBe(404);
    await stack.graph.suspend(author, false);
    expect(await statusOf(undefined, links[2] ?? '')).toBe(200);
  });

  test('withdrawn: gone for everybody, and the author learns why', async () => {
    const own = await ready({});
    const path = `/api/v1/videos/${own.id}`;
    const body = { reason: 'It is not yours' };
    expect((await call(stack, stranger, 'POST', `${path}/takedown`, body)).status).toBe(403);
    expect((await call(stack, moderator, 'POST', `${path}/takedown`, body)).status).toBe(204);
    expect(await seenBy(own.id, linksOf(own))).toEqual({ ...nobodySees, media: [404, 404, 404, 404] });
    expect((await call(stack, author, 'PATCH', path, { title: 'Again' })).status).toBe(404);
    const { body: list } = await call(stack, author, 'GET', '/api/v1/users/me/videos');
    const mine = list.items.find((item: OwnVideo) => item.id === own.id);
    expect(mine).toMatchObject({ takenDown: body, playlistUrl: null, coverUrl: null });
    expect((await call(stack, moderator, 'POST', `${path}/takedown`, body)).status).toBe(204);
    expect((await call(stack, moderator, 'POST', '/api/v1/videos/1/takedown', body)).status).toBe(404);
  });

  test('deleted: gone for everybody from the next request on, and its files soon', async () => {
    const own = await ready({});
    const links = linksOf(own);
    const [{ upload_id: uploadId }] = (await stack.db
      .sql`select upload_id from video where id = ${own.id}`) as [{ upload_id: string }];
    expect((await call(stack, stranger, 'DELETE', `/api/v1/videos/${own.id}`)).status).toBe(404);
    expect((await call(stack, author, 'DELETE', `/api/v1/videos/${own.id}`)).status).toBe(204);
    expect(await seenBy(own.id, links)).toEqual({ ...nobodySees, media: [404, 404, 404, 404] });
    await eventually(async () => {
      const keys = await storedKeys(stack.store);
      return !keys.some((key) => key.startsWith(`videos/${own.id}/`) || key === `uploads/${uploadId}`);
    });
    expect(await stack.db.sql`select 1 from upload where id = ${uploadId}`).toEqual([]);
  });
});

describe('publishing', () => {
  test('is idempotent, and takes an upload once', async () => {
    const uploadId = await upload(stack, author, Buffer.from('once'));
    const body = { uploadId, title: 'Once', tags: ['#Cats', 'cats', 'Ünï'] };
    const key = { 'idempotency-key': 'k1' };
    const [first, second] = await Promise.all([
      call(stack, author, 'POST', '/api/v1/videos', body, key),
      call(stack, author, 'POST', '/api/v1/videos', body, key),
    ]);
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.body.id).toBe(first.body.id);
    expect(first.body.tags).toEqual(['cats', 'ünï']);
    expect((await call(stack, author, 'POST', '/api/v1/videos', body)).body.code).toBe('upload-used');
    const other = { ...body, title: 'Twice' };
    expect((await call(stack, author, 'POST', '/api/v1/videos', other, key)).body.code).toBe(
      'idempotency-conflict',
    );
  });

  test('refuses times that are past, too far, or not times', async () => {
    const uploadId = await upload(stack, author, Buffer.from('times'));
    const codes = [];
    for (const ms of [-1000, 400 * 86_400_000]) {
      const publishAt = new Date(stack.clock.nowMs() + ms).toISOString();
      codes.push(
        (await call(stack, author, 'POST', '/api/v1/videos', { uploadId, title: 'T', publishAt })).body.code,
      );
    }
    codes.push(
      (await call(stack, author, 'POST', '/api/v1/videos', { uploadId, title: 'T', publishAt: 'noon' })).body
        .code,
    );
    expect(codes).toEqual(['publish-time-passed', 'publish-time-passed', 'invalid-request']);
  });

  test('keeps the author’s count of videos', async () => {
    const person = await stack.graph.person();
    const count = async () =>
      (
        await stack.db.sql<{ videos: number }>`select videos from account_counts where account_id = ${person}`
      )[0]?.videos;
    const made = [];
    for (const visibility of ['public', 'followers', 'private', 'unlisted']) {
      const { body } = await publish(stack, person, { visibility });
      await untilStatus(stack, person, body.id, 'ready');
      made.push(body.id);
    }
    expect(await count()).toBe(2);
    await call(stack, person, 'PATCH', `/api/v1/videos/${made[2]}`, { visibility: 'public' });
    expect(await count()).toBe(3);
    await call(stack, moderator, 'POST', `/api/v1/videos/${made[2]}/takedown`, { reason: 'No' });
    await call(stack, person, 'DELETE', `/api/v1/videos/${made[2]}`);
    expect(await count()).toBe(2);
    await call(stack, person, 'DELETE', `/api/v1/videos/${made[0]}`);
    await call(stack, person, 'PATCH', `/api/v1/videos/${made[1]}`, { visibility: 'private' });
    expect(await count()).toBe(0);
  });

  test('one’s own list pages through everything, without holes or doubles', async () => {
    const person = await stack.graph.person();
    const ids = [];
    for (let i = 0; i < 5; i++)
      ids.unshift((await publish(stack, person, { visibility: 'private' })).body.id);
    for (const path of ['/api/v1/users/me/videos', `/api/v1/users/${person}/videos`]) {
      const seen: string[] = [];
      let cursor = '';
      do {
        const { body } = await call(stack, person, 'GET', `${path}?limit=2${cursor}`);
        seen.push(...body.items.map((item: { id: string }) => item.id));
        cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
      } while (cursor !== '');
      expect(seen).toEqual(ids);
    }
  });
});

describe('covers', () => {
  test('a suggestion is taken at once, another moment is cut out, and the last choice wins', async () => {
    const own = await ready({ coverTimeMs: 3000 });
    const text = async (url: string | null) => (await call(stack, undefined, 'GET', url ?? '')).body;
    expect(await text(own.coverUrl)).toBe('cover at 3000');
    expect(own.coverSuggestions.map(({ timeMs }) => timeMs)).toEqual([1000, 5000, 9000]);
    const path = `/api/v1/videos/${own.id}`;
    const suggested = await call(stack, author, 'PATCH', path, { coverTimeMs: 5000 });
    expect(await text(suggested.body.coverUrl)).toBe('cover-2 at 3000');
    await call(stack, author, 'PATCH', path, { coverTimeMs: 7000 });
    await call(stack, author, 'PATCH', path, { coverTimeMs: 999_999 });
    await eventually(async () => {
      const { body } = await call(stack, author, 'GET', path);
      return (await text(body.video.coverUrl)) === 'still at 9900';
    });
  });
});

test('an account’s data can be taken away and erased', async () => {
  const person = await stack.graph.person();
  const { body } = await publish(stack, person, { title: 'Mine' });
  await untilStatus(stack, person, body.id, 'ready');
  const paths = new Map<string, unknown>();
  for (const part of [stack.videos.accountPart, stack.media.accountPart])
    for await (const entry of part.exportData(person)) paths.set(entry.path, entry.body);
  expect(paths.get('videos.json')).toMatchObject([{ id: body.id, title: 'Mine' }]);
  const [original] = [...paths].filter(([path]) => path.startsWith('originals/'));
  expect(await new Response(original?.[1] as Blob).text()).toStartWith('clip ');
  await stack.db.transaction(async (tx) => {
    await stack.videos.accountPart.erase(tx, person, () => {});
    await stack.media.accountPart.erase(tx, person);
    await tx`delete from account where id = ${person}`;
  });
  await eventually(async () => {
    const keys = await storedKeys(stack.store);
    return !keys.some(
      (key) => key.startsWith(`videos/${body.id}/`) || `originals/${key.slice(8)}` === original?.[0],
    );
  });
});
