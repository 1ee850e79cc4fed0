import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { HistoryEntry, OwnVideo, VideoDetail } from '@hvideo/protocol';
import { ApiUser, eventually } from '../support/api.ts';
import { type RunningApplication, runApplication } from '../support/application.ts';
import { makeClip } from '../support/media-samples.ts';

let t: RunningApplication;
let clip: Uint8Array<ArrayBuffer>;
let author: ApiUser;
let video: VideoDetail['video'];
let people = 0;

const newcomer = () => new ApiUser(t.url).join(`viewer${people++}`);

beforeAll(async () => {
  t = await runApplication();
  clip = await Bun.file(await makeClip({ path: join(t.folder, 'clip.mp4') })).bytes();
  author = await new ApiUser(t.url).join('author', '/instance/setup');
}, 60_000);

afterAll(() => t[Symbol.asyncDispose]());

beforeEach(async () => {
  video = await publish();
}, 60_000);

async function publish(visibility = 'public'): Promise<VideoDetail['video']> {
  const uploadId = await author.beginUpload(clip.length);
  await author.append(uploadId, clip);
  const made = await author.call<OwnVideo>('POST', '/videos', {
    body: { uploadId, title: 'A clip', visibility },
  });
  const detail = () => author.call<VideoDetail>('GET', `/videos/${made.body.id}`);
  return (await eventually(detail, ({ body }) => body.video.status === 'ready')).body.video;
}

/** As a player does: the playlist, a rendition, its first segment. */
async function fetchSegment(): Promise<void> {
  const lineOf = async (url: URL) => {
    const lines = (await (await fetch(url)).text())
      .split('\n')
      .filter((line) => line && !line.startsWith('#'));
    return new URL(lines[0] ?? '', url);
  };
  const segment = await lineOf(await lineOf(new URL(video.playlistUrl ?? '', t.url)));
  expect((await fetch(segment)).status).toBe(200);
}

const report = (viewer: ApiUser, body: object = { watchedMs: 1_000 }) =>
  viewer.call('POST', `/videos/${video.id}/views`, { body });

const counted = () =>
  t.features.counters.read([
    { id: video.id, metric: 'views' },
    { id: video.id, metric: 'viewers' },
  ]);

/** A fold takes what no transaction, of anybody on the database server, can still add to. */
async function foldedTo(expected: number[]): Promise<void> {
  const fold = async () => {
    await t.features.counters.fold();
    return await counted();
  };
  expect(await eventually(fold, (got) => got[1] === expected[1], 5_000)).toEqual(expected);
}

const historyOf = async (viewer: ApiUser) =>
  (await viewer.call<{ items: HistoryEntry[] }>('GET', '/users/me/history')).body.items;

describe('views', () => {
  test('of those who fetched nothing are taken and not counted', async () => {
    expect((await report(await newcomer())).status).toBe(202);
    expect(await counted()).toEqual([0, 0]);
  });

  test('count once for each viewer, however often they tell, and at once', async () => {
    await fetchSegment();
    const viewers = await Promise.all([newcomer(), newcomer(), newcomer()]);
    const visitor = new ApiUser(t.url);
    const everybody = [...viewers, visitor];
    const answers = await Promise.all(
      [...everybody, ...everybody, ...everybody].map((viewer) => report(viewer)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect((await counted())[0]).toBe(4);
    await foldedTo([4, 4]);
    const { body } = await author.call<VideoDetail>('GET', `/videos/${video.id}`);
    expect(body.video.counts).toMatchObject({ views: 4, viewers: 4 });
    await t.db.sql`update view_claim set half_hour = half_hour - 1 where video_id = ${video.id}`;
    await report(viewers[0]!);
    await foldedTo([5, 4]);
  });

  test('are refused for a video that the viewer may not see', async () => {
    video = await publish('private');
    const answer = await report(await newcomer());
    expect([answer.status, answer.body.code]).toEqual([404, 'not-found']);
  });

  test('of another half hour count again, and old claims are cleaned', async () => {
    await fetchSegment();
    const viewer = await newcomer();
    await report(viewer);
    await t.db.sql`update view_claim set half_hour = half_hour - 2 where video_id = ${video.id}`;
    await report(viewer);
    expect((await counted())[0]).toBe(2);
    await t.features.history.clean();
    const claims = await t.db.sql`select 1 as one from view_claim where video_id = ${video.id}`;
    expect(claims.length).toBe(1);
  });
});

describe('history', () => {
  test('keeps the last place of each video, the last watched first', async () => {
    const viewer = await newcomer();
    const first = video;
    await report(viewer, { watchedMs: 500, positionMs: 500 });
    video = await publish();
    await report(viewer, { watchedMs: 900, positionMs: 900 });
    await report(viewer, { watchedMs: 2_000, positionMs: 1_900, completed: true });
    expect(await historyOf(viewer)).toMatchObject([
      { video: { id: video.id }, positionMs: 1_900, completed: true },
      { video: { id: first.id }, positionMs: 500, completed: false },
    ]);
    const place = (id: string) =>
      viewer.call<{ positionMs: number; completed: boolean }>('GET', `/users/me/history/${id}`);
    expect((await place(first.id)).body).toEqual({ positionMs: 500, completed: false });
    expect((await place('123')).body).toEqual({ positionMs: 0, completed: false });
    const one = await viewer.call<{ items: HistoryEntry[]; nextCursor: string }>(
      'GET',
      '/users/me/history?limit=1',
    );
    const next = await viewer.call<{ items: HistoryEntry[]; nextCursor: null }>(
      'GET',
      `/users/me/history?limit=1&cursor=${encodeURIComponent(one.body.nextCursor)}`,
    );
    expect([one, next].map(({ body }) => body.items[0]?.video.id)).toEqual([video.id, first.id]);
    expect(next.body.nextCursor).toBeNull();
  }, 30_000);

  test('is nobody else’s, can be paused, and erased in part or whole', async () => {
    const [viewer, other] = [await newcomer(), await newcomer()];
    await report(viewer, { watchedMs: 1, positionMs: 1 });
    expect(await historyOf(other)).toEqual([]);
    expect((await new ApiUser(t.url).call('GET', '/users/me/history')).status).toBe(401);
    const paused = await viewer.call('PUT', '/users/me/history-settings', { body: { paused: true } });
    expect(paused.body).toEqual({ paused: true } as never);
    await report(viewer, { watchedMs: 1, positionMs: 700 });
    expect(await historyOf(viewer)).toMatchObject([{ positionMs: 1 }]);
    await viewer.call('DELETE', `/users/me/history/${video.id}`);
    expect(await historyOf(viewer)).toEqual([]);
    await viewer.call('PUT', '/users/me/history-settings', { body: { paused: false } });
    await report(viewer, { watchedMs: 1, positionMs: 7 });
    expect((await historyOf(viewer)).length).toBe(1);
    expect((await viewer.call('DELETE', '/users/me/history')).status).toBe(204);
    expect(await historyOf(viewer)).toEqual([]);
  });

  test('is shown to others if its owner wants it: what is meant to be found, without the places', async () => {
    const [viewer, other] = [await newcomer(), await newcomer()];
    const open = video;
    await report(viewer, { watchedMs: 1, positionMs: 1 });
    video = await publish('unlisted');
    await report(viewer, { watchedMs: 1, positionMs: 2 });
    const shown = () => other.call<{ items: object[] }>('GET', `/users/${viewer.id}/history`);
    expect((await shown()).status).toBe(403);
    await viewer.call('PATCH', '/users/me/list-settings', { body: { history: true } });
    const { items } = (await shown()).body;
    expect(items).toMatchObject([{ id: open.id }]);
    expect(items[0]).not.toHaveProperty('positionMs');
    await viewer.call('PATCH', '/users/me/list-settings', { body: { history: false } });
    expect((await shown()).status).toBe(403);
  }, 30_000);

  test('a video that was deleted while reports were on their way fails nobody else', async () => {
    await fetchSegment();
    const gone = video;
    video = await publish();
    await fetchSegment();
    const [viewer, other] = [await newcomer(), await newcomer()];
    const told = [
      viewer.call('POST', `/videos/${gone.id}/views`, { body: { watchedMs: 1, positionMs: 1 } }),
      author.call('DELETE', `/videos/${gone.id}`),
      report(other, { watchedMs: 1, positionMs: 3 }),
    ];
    const [first, , second] = await Promise.all(told);
    expect([202, 404]).toContain(first?.status ?? 0);
    expect(second?.status).toBe(202);
    expect(await historyOf(other)).toMatchObject([{ positionMs: 3 }]);
    expect(await historyOf(viewer)).toEqual([]);
  }, 30_000);
});
