import { afterEach, describe, expect, test } from 'bun:test';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TranscodeProgress } from '@hvideo/protocol';
import { AppError } from '../../src/kernel/errors.ts';
import { eventually } from '../support/eventually.ts';
import {
  call,
  publish,
  storedKeys,
  untilStatus,
  type VideoStack,
  type VideoStackOptions,
  videoStack,
} from '../support/video-stack.ts';

let stack: VideoStack;
let author: string;

async function open(options: VideoStackOptions = {}) {
  stack = await videoStack(options);
  author = await stack.graph.person();
}
afterEach(() => stack[Symbol.asyncDispose]());

/** Holds the transcoder up before a step; answers when it got there, and lets it go on. */
function gate(at: string) {
  const reached = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  stack.fake.before = async (step, signal) => {
    if (step !== at) return;
    reached.resolve();
    const aborted = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
    );
    await Promise.race([go.promise, aborted]);
  };
  return { reached: reached.promise, open: go.resolve };
}

const videoKeys = async (id: string) =>
  (await storedKeys(stack.store)).filter((key) => key.startsWith(`videos/${id}/`));
const rowOf = async (id: string) =>
  (
    await stack.db
      .sql`select status, attempt, failure_code, renditions, upload_id from video where id = ${id}`
  )[0];
const nothingLeft = (id: string) =>
  eventually(async () => {
    const folders = await readdir(stack.workDir);
    return (await videoKeys(id)).length === 0 && !folders.includes(id);
  });

/** All events until the stream ends. */
async function progressOf(id: string, seen: TranscodeProgress[] = []): Promise<TranscodeProgress[]> {
  const response = await fetch(`${stack.url}/api/v1/videos/${id}/progress`, {
    headers: { authorization: `Bearer ${author}` },
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += new TextDecoder().decode(chunk);
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const data = /^event: progress\ndata: (.*)$/.exec(part)?.[1];
      if (data) seen.push(JSON.parse(data));
    }
  }
  return seen;
}

describe('the way of a video', () => {
  test('playable and published after the first rendition, growing, then ready', async () => {
    await open();
    const held = gate('480p');
    const { body } = await publish(stack, author);
    expect(body).toMatchObject({ status: 'processing', playlistUrl: null, publishedAt: null });
    await held.reached;
    const playable = await untilStatus(stack, author, body.id, 'playable');
    const { playlistUrl, publishedAt } = playable.body.video;
    expect(publishedAt).not.toBeNull();
    const master = await call(stack, undefined, 'GET', playlistUrl);
    expect(master.body).toContain('1/240p/index.m3u8');
    expect(master.body).not.toContain('480p');
    expect(master.headers.get('cache-control')).toBe('public, max-age=2');
    const events: TranscodeProgress[] = [];
    const stream = progressOf(body.id, events);
    await eventually(async () => events.length > 0);
    held.open();
    await stream;
    expect(events[0]).toMatchObject({ status: 'playable', renditions: ['240p'] });
    expect(events.at(-1)).toMatchObject({
      status: 'ready',
      stage: 'done',
      percent: 100,
      renditions: ['240p', '480p'],
    });
    const percents = events.map(({ percent }) => percent);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    const done = await untilStatus(stack, author, body.id, 'ready');
    expect(done.body.video.publishedAt).toBe(publishedAt);
    expect((await call(stack, undefined, 'GET', playlistUrl)).body).toContain('1/480p/index.m3u8');
    expect(done.body.video.sprite.url).toEndWith('/1/sprite.jpg');
    expect(await progressOf(body.id)).toHaveLength(1);
    expect(await readdir(stack.workDir)).not.toContain(body.id);
  });

  test('the original is kept, or not, by the setting; a cover can be cut either way', async () => {
    await open({ keepOriginals: false });
    const { body } = await publish(stack, author);
    await untilStatus(stack, author, body.id, 'ready');
    await eventually(async () => !(await storedKeys(stack.store)).some((key) => key.startsWith('uploads/')));
    expect(await rowOf(body.id)).toMatchObject({ upload_id: null });
    await call(stack, author, 'PATCH', `/api/v1/videos/${body.id}`, { coverTimeMs: 4321 });
    await eventually(async () => {
      const { body: now } = await call(stack, author, 'GET', `/api/v1/videos/${body.id}`);
      return (await call(stack, undefined, 'GET', now.video.coverUrl)).body === 'still at 4321';
    });
  });
});

describe('failures', () => {
  test('of the file: at any step, the video fails with its code and nothing is left', async () => {
    await open();
    for (const at of ['covers', '240p', '480p', 'sprite']) {
      stack.fake.before = async (step) => {
        if (step === at) throw new AppError('media-too-complex');
      };
      const { body } = await publish(stack, author);
      const failed = await untilStatus(stack, author, body.id, 'failed');
      expect(failed.body.own.failure).toMatchObject({ code: 'media-too-complex' });
      expect(failed.body.video).toMatchObject({ coverUrl: null, playlistUrl: null, sprite: null });
      expect((await progressOf(body.id)).at(-1)).toMatchObject({
        status: 'failed',
        failure: { code: 'media-too-complex' },
      });
      expect((await call(stack, undefined, 'GET', `/api/v1/videos/${body.id}`)).status).toBe(404);
      await nothingLeft(body.id);
      const [count] = await stack.db.sql`select videos from account_counts where account_id = ${author}`;
      expect(count).toEqual({ videos: 0 });
    }
    expect(await stack.db.sql`select id from upload`).toEqual([]);
  }, 20_000);

  test('that are not the file’s: tried again, from the start', async () => {
    await open();
    let left = 1;
    stack.fake.before = async (step) => {
      if (step === '480p' && left-- > 0) throw new AppError('no-space');
    };
    const { body } = await publish(stack, author);
    await untilStatus(stack, author, body.id, 'ready', 20_000);
    expect(await rowOf(body.id)).toMatchObject({ attempt: 2, failure_code: null });
    await eventually(async () =>
      (await videoKeys(body.id)).every((key) => key.startsWith(`videos/${body.id}/2/`)),
    );
  }, 30_000);
});

describe('ended from outside', () => {
  test('deleted in the middle: the work stops, and nothing is left', async () => {
    await open();
    const held = gate('480p');
    const { body } = await publish(stack, author);
    await held.reached;
    expect((await call(stack, author, 'DELETE', `/api/v1/videos/${body.id}`)).status).toBe(204);
    expect((await call(stack, author, 'GET', `/api/v1/videos/${body.id}/progress`)).status).toBe(404);
    await nothingLeft(body.id);
    expect(await storedKeys(stack.store)).toEqual([]);
  });

  test('taken over while the old worker lives: it can change nothing any more', async () => {
    await open();
    const held = gate('480p');
    const { body } = await publish(stack, author);
    await held.reached;
    await stack.db.sql`update video set attempt = attempt + 1 where id = ${body.id}`;
    held.open();
    await eventually(async () => (await videoKeys(body.id)).length === 0);
    expect(await rowOf(body.id)).toMatchObject({ status: 'playable', attempt: 2 });
    // Nobody works on it now: the sweep asks again once it has been silent for long.
    stack.clock.aheadMs += 3_600_000;
    await stack.videos.sweep(new AbortController().signal);
    await untilStatus(stack, author, body.id, 'ready');
    expect(await rowOf(body.id)).toMatchObject({ attempt: 3 });
  });

  test('a worker killed in the middle is taken over and the job ends', async () => {
    await open({ work: false });
    const { body } = await publish(stack, author);
    const script = join(import.meta.dir, '../support/hanging-worker.ts');
    const child = Bun.spawn([process.execPath, script, stack.databaseUrl, stack.folder], {
      stdout: 'pipe',
      stderr: 'inherit',
    });
    const reader = child.stdout.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('hanging\n');
    child.kill('SIGKILL');
    await child.exited;
    const { body: half } = await call(stack, author, 'GET', `/api/v1/videos/${body.id}`);
    expect(half.video.status).toBe('playable');
    expect(await readdir(stack.workDir)).toContain(body.id);
    await stack.jobs.reclaimAll();
    await stack.jobs.start();
    const done = await untilStatus(stack, author, body.id, 'ready', 20_000);
    expect(done.body.video.publishedAt).toBe(half.video.publishedAt);
    expect((await call(stack, undefined, 'GET', done.body.video.playlistUrl)).body).toContain(
      '2/480p/index.m3u8',
    );
    expect((await call(stack, undefined, 'GET', done.body.video.coverUrl)).status).toBe(200);
    await eventually(async () =>
      (await videoKeys(body.id)).every((key) => key.startsWith(`videos/${body.id}/2/`)),
    );
    expect(await readdir(stack.workDir)).not.toContain(body.id);
  }, 40_000);

  test('a server that drains ends the event streams', async () => {
    await open({ work: false });
    const { body } = await publish(stack, author);
    const events: TranscodeProgress[] = [];
    const stream = progressOf(body.id, events);
    await eventually(async () => events.length > 0);
    expect(events[0]).toMatchObject({ status: 'processing', stage: 'queued', percent: 0 });
    stack.videos.drain();
    await stream;
    expect(events).toHaveLength(1);
  });
});
