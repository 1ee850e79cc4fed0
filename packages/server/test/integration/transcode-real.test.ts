import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFfmpegTranscoder } from '../../src/adapters/ffmpeg/transcoder.ts';
import { eventually } from '../support/eventually.ts';
import { hostileFiles, makeClip } from '../support/media-samples.ts';
import {
  call,
  storedKeys,
  tusHeaders,
  untilStatus,
  upload,
  type VideoStack,
  videoStack,
} from '../support/video-stack.ts';

let stack: VideoStack;
let author: string;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hvideo-real-'));
  stack = await videoStack({ transcoder: await openFfmpegTranscoder(), uploads: { maxUnfinished: 100 } });
  author = await stack.graph.person();
}, 30_000);
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test('a real clip becomes a stream whose every file can be fetched', async () => {
  const path = await makeClip({ path: join(folder, 'clip.mp4'), seconds: 3, width: 360, height: 640 });
  const uploadId = await upload(stack, author, await readFile(path));
  const { body } = await call(stack, author, 'POST', '/api/v1/videos', { uploadId, title: 'Real' });
  const { body: detail } = await untilStatus(stack, author, body.id, 'ready', 60_000);
  const base = detail.video.playlistUrl.replace(/master\.m3u8$/, '');
  const get = async (path: string) => {
    const answer = await call(stack, undefined, 'GET', base + path);
    expect([path, answer.status]).toEqual([path, 200]);
    return answer;
  };
  const master = await get('master.m3u8');
  const variants = (master.body as string).split('\n').filter((line) => line.endsWith('index.m3u8'));
  expect(variants.length).toBeGreaterThan(0);
  for (const variant of variants) {
    const playlist = (await get(variant)).body as string;
    const below = variant.replace(/index\.m3u8$/, '');
    const header = /#EXT-X-MAP:URI="([^"]+)"/.exec(playlist)?.[1];
    const segments = playlist.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(segments.length).toBeGreaterThan(0);
    for (const file of [header, ...segments])
      expect((await get(below + file)).body.length).toBeGreaterThan(100);
  }
  expect(detail.own.coverSuggestions).toHaveLength(3);
  for (const url of [detail.video.coverUrl, detail.video.sprite.url, detail.own.coverSuggestions[0].url]) {
    const picture = await (await fetch(stack.url + url)).bytes();
    expect([...picture.subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
  }
  expect(detail.video).toMatchObject({ width: 360, height: 640 });
  const off = { coverTimeMs: 1234 };
  const before = detail.video.coverUrl;
  await call(stack, author, 'PATCH', `/api/v1/videos/${body.id}`, off);
  await eventually(async () => {
    const now = (await call(stack, author, 'GET', `/api/v1/videos/${body.id}`)).body.video.coverUrl;
    return now !== before && (await fetch(stack.url + now)).status === 200;
  }, 30_000);
}, 120_000);

test('every hostile file gets its problem and leaves neither row nor bytes', async () => {
  const person = await stack.graph.person();
  const kept = await storedKeys(stack.store);
  const wrong: string[] = [];
  for (const file of hostileFiles()) {
    const bytes = await readFile(await file.make(folder));
    const response = await fetch(`${stack.url}/api/v1/uploads`, {
      method: 'POST',
      headers: {
        ...tusHeaders,
        authorization: `Bearer ${person}`,
        'upload-length': String(bytes.byteLength),
        'content-type': 'application/offset+octet-stream',
      },
      body: bytes,
    });
    const { code } = (await response.json().catch(() => ({}))) as { code?: string };
    const type = response.headers.get('content-type');
    if (response.status !== 422 || code !== file.code || type !== 'application/problem+json')
      wrong.push(`${file.name}: ${response.status} ${code}, not ${file.code}`);
  }
  expect(wrong).toEqual([]);
  expect(await stack.db.sql`select id from upload where account_id = ${person}`).toEqual([]);
  expect(await storedKeys(stack.store)).toEqual(kept);
}, 180_000);
