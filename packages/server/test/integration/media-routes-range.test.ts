import { afterAll, beforeAll, expect, test } from 'bun:test';
import fc from 'fast-check';
import { call, publish, untilStatus, type VideoStack, videoStack } from '../support/video-stack.ts';

let stack: VideoStack;
let author: string;
let base: string;
let segment: string;
const content = new Uint8Array(20_000).map((_, index) => (index * 31) % 256);

beforeAll(async () => {
  stack = await videoStack();
  author = await stack.graph.person();
  const { body } = await publish(stack, author);
  const ready = await untilStatus(stack, author, body.id, 'ready');
  base = `${stack.url}${ready.body.video.playlistUrl}`.replace(/master\.m3u8$/, '');
  await stack.store.put(`videos/${body.id}/1/240p/seg-9.m4s`, content);
  segment = `${base}1/240p/seg-9.m4s`;
});
afterAll(() => stack[Symbol.asyncDispose]());

test('a range is the slice it names, whatever it is', async () => {
  const edge = fc.oneof(fc.nat(30_000), fc.nat(10), fc.integer({ min: 19_990, max: 20_010 }));
  await fc.assert(
    fc.asyncProperty(fc.option(edge), fc.option(edge), async (first, last) => {
      const response = await fetch(segment, { headers: { range: `bytes=${first ?? ''}-${last ?? ''}` } });
      const bytes = await response.bytes();
      const size = content.length;
      const start = first ?? Math.max(0, size - (last ?? 0));
      const end = first === null || last === null ? size : Math.min(size, last + 1);
      if ((first === null && last === null) || (first !== null && last !== null && last < first)) {
        expect(response.status).toBe(200);
        expect(bytes).toEqual(content);
      } else if (start >= size) {
        expect(response.status).toBe(416);
        expect(response.headers.get('content-range')).toBe(`bytes */${size}`);
      } else {
        expect(response.status).toBe(206);
        expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${size}`);
        expect(response.headers.get('content-length')).toBe(String(end - start));
        expect(bytes).toEqual(content.slice(start, end));
      }
    }),
    { numRuns: 150 },
  );
});

test('conditions: If-None-Match, If-Range, several ranges, HEAD', async () => {
  const whole = await fetch(segment);
  expect(await whole.bytes()).toEqual(content);
  const etag = whole.headers.get('etag') ?? '';
  const get = (headers: Record<string, string>, method = 'GET') => fetch(segment, { method, headers });
  expect((await get({ 'if-none-match': `"x", ${etag}` })).status).toBe(304);
  expect((await get({ 'if-none-match': '"x"' })).status).toBe(200);
  expect((await get({ range: 'bytes=1-2', 'if-range': etag })).status).toBe(206);
  for (const headers of [{ range: 'bytes=1-2', 'if-range': '"x"' }, { range: 'bytes=1-2,5-6' }]) {
    const answer = await get(headers);
    expect(answer.status).toBe(200);
    expect(await answer.bytes()).toEqual(content);
  }
  const head = await get({ range: 'bytes=1-2' }, 'HEAD');
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(content.length)]);
  expect((await get({}, 'POST')).status).toBe(405);
});

test('headers that keep a browser from taking the bytes for anything else', async () => {
  const types: Record<string, string> = {
    'master.m3u8': 'application/vnd.apple.mpegurl',
    '1/240p/index.m3u8': 'application/vnd.apple.mpegurl',
    '1/240p/init.mp4': 'video/mp4',
    '1/240p/seg-0.m4s': 'video/iso.segment',
    '1/cover.jpg': 'image/jpeg',
    '1/cover-2.jpg': 'image/jpeg',
    '1/sprite.jpg': 'image/jpeg',
  };
  for (const [file, type] of Object.entries(types)) {
    const { status, headers } = await fetch(base + file);
    expect([file, status, headers.get('content-type')]).toEqual([file, 200, type]);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain('sandbox');
    expect(headers.get('cache-control')).toBe('public, max-age=600');
    expect(headers.get('etag')).toMatch(/^"[^"]+"$/);
  }
});

test('the playlist lists what is there, by paths that are there', async () => {
  const text = await (await fetch(`${base}master.m3u8`)).text();
  const uris = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(uris).toEqual(['1/240p/index.m3u8', '1/480p/index.m3u8']);
  for (const uri of uris) expect((await fetch(base + uri)).status).toBe(200);
});

test('paths that are not files of the video, and tokens that are none', async () => {
  const paths = [
    '',
    'x.html',
    '../../x',
    '1/240p/../../../x',
    '%2e%2e/x',
    '1/240p/seg-0.m4s%00',
    '1//sprite.jpg',
    '2/sprite.jpg',
  ];
  for (const path of paths) expect([path, (await fetch(base + path)).status]).toEqual([path, 404]);
  const [, , , token = '', id = ''] = new URL(base).pathname.split('/');
  const { body } = await publish(stack, author);
  await untilStatus(stack, author, body.id, 'ready');
  for (const path of [
    `/media/v/${token}/${body.id}/master.m3u8`,
    `/media/v/${token}x/${id}/master.m3u8`,
    `/media/v//${id}/master.m3u8`,
    `/media/v/${token}/x/master.m3u8`,
    `/media/v/${token}/99999999999999999999/master.m3u8`,
    '/media/',
    '/media/uploads/1',
    '/media/avatars/1/..%2f..%2fuploads',
    '/media/avatars/1/none.jpg',
  ])
    expect([path, (await call(stack, undefined, 'GET', path)).status]).toEqual([path, 404]);
});

test('an expired link says so; caches never keep one for longer than it is valid', async () => {
  const path = new URL(`${base}1/sprite.jpg`).pathname;
  stack.clock.aheadMs += 4 * 3_600_000;
  const answer = await call(stack, undefined, 'GET', path);
  expect([answer.status, answer.body.code]).toEqual([403, 'link-expired']);
  stack.clock.aheadMs = 0;
  const hours = Number.parseInt(path.split('/')[3]?.split('.')[0] ?? '', 36);
  stack.clock.aheadMs = hours * 3_600_000 - Date.now() - 60_000;
  const late = await fetch(stack.url + path);
  expect(late.status).toBe(200);
  const maxAge = Number(/max-age=(\d+)/.exec(late.headers.get('cache-control') ?? '')?.[1]);
  expect(maxAge).toBeWithin(50, 61);
  stack.clock.aheadMs = 0;
});

test('avatars are kept for ever', async () => {
  await stack.store.put(`avatars/${author}/00ff.jpg`, Buffer.from('picture'));
  const answer = await call(stack, undefined, 'GET', `/media/avatars/${author}/00ff.jpg`);
  expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect(answer.headers.get('content-type')).toBe('image/jpeg');
});
