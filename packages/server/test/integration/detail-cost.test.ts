import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import type { VideoDetail } from '@hvideo/protocol';
import { SQL } from 'bun';
import { ApiUser, eventually } from '../support/api.ts';
import { type RunningApplication, runApplication } from '../support/application.ts';
import { Snowflakes } from '../support/snowflakes.ts';
import { locked, waitingFor } from '../support/table-locks.ts';

/** What the page of a video costs the database when it is not there, slow, or nobody waits for it any more. */
let t: RunningApplication;
let other: SQL;
let creator: ApiUser;
let lin: ApiUser;
let videoId: string;
const ids = new Snowflakes();

beforeAll(async () => {
  t = await runApplication({ HVIDEO_DATABASE_CONNECTIONS: '16' });
  other = new SQL(t.databaseUrl, { max: 4 });
  creator = await new ApiUser(t.url).join('creator', '/instance/setup');
  lin = await new ApiUser(t.url).join('lin_1');
  await t.features.exists.refresh();
}, 60_000);

afterAll(async () => {
  await other.close();
  await t[Symbol.asyncDispose]();
});

beforeEach(async () => {
  videoId = ids.next();
  await t.db.sql`
    insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
    values (${videoId}, ${creator.id}, 'A clip', '', '{}', 'public', 'ready', ${videoId}, 1000, 360, 640)`;
  t.features.exists.noteRows([`video:id=${videoId}`]);
});

const page = (user: ApiUser, id = videoId, signal?: AbortSignal) =>
  fetch(`${t.url}/api/v1/videos/${id}`, {
    ...(user.accessToken && { headers: { authorization: `Bearer ${user.accessToken}` } }),
    ...(signal && { signal }),
  });
const guest = () => new ApiUser(t.url);

describe('the page of a video', () => {
  test('10,000 unknown ids cost no query', async () => {
    expect((await page(lin)).status).toBe(200);
    // Whoever reads one of these now waits, and answers 503 in the end.
    await using _ = await locked(
      other,
      'video',
      'account',
      'comment',
      'video_like',
      'follow',
      'block',
      'counter',
    );
    const future = 9_000_000_000_000_000_000n;
    const unknown = Array.from({ length: 10_000 }, (_, at) =>
      String(at % 2 === 0 ? BigInt(at) * 7_919n + 5_000_000_000n : future - BigInt(at)),
    );
    const statuses = new Map<number, number>();
    for (let from = 0; from < unknown.length; from += 500) {
      const answers = await Promise.all(
        unknown.slice(from, from + 500).map((id) => page(from % 1_000 === 0 ? lin : guest(), id)),
      );
      for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect(Object.fromEntries(statuses)).toEqual({ 404: 10_000 });
  }, 60_000);

  test('closing the browser ends the statement that nobody waits for any more', async () => {
    await using lock = await locked(other, 'account');
    const closing = new AbortController();
    const asked = page(guest(), videoId, closing.signal);
    await eventually(
      () => waitingFor(other, 'account'),
      (count) => count > 0,
    );
    closing.abort();
    await expect(asked).rejects.toThrow();
    await eventually(
      () => waitingFor(other, 'account'),
      (count) => count === 0,
      2_000,
    );
    await lock.release();
    expect((await page(guest())).status).toBe(200);
  });

  test('a second viewer who waits for the same load still gets it', async () => {
    await using lock = await locked(other, 'account');
    const closing = new AbortController();
    const first = page(guest(), videoId, closing.signal);
    const loads = () => t.features.cache.snapshot().caches.find(({ name }) => name === 'video-page')!;
    await eventually(
      () => waitingFor(other, 'account'),
      (count) => count > 0,
    );
    const before = loads().coalesced;
    const second = page(guest());
    await eventually(
      async () => loads().coalesced,
      (count) => count > before,
    );
    closing.abort();
    await expect(first).rejects.toThrow();
    expect(await waitingFor(other, 'account')).toBeGreaterThan(0);
    await lock.release();
    const answer = await second;
    expect(answer.status).toBe(200);
    expect((await answer.json()) as VideoDetail).toMatchObject({ video: { id: videoId } });
  });

  test('a critical part that fails ends the statements of the others', async () => {
    await using follows = await locked(other, 'follow');
    await using videos = await locked(other, 'video');
    const asked = page(lin);
    await eventually(
      () => waitingFor(other, 'from video v join account'),
      (count) => count > 0,
    );
    await eventually(
      () => waitingFor(other, 'follow'),
      (count) => count > 0,
    );
    // The video goes while its page is being read: there is nothing to show.
    await videos.session`delete from video where id = ${videoId}`;
    await videos.release();
    const { status } = await asked;
    expect(status).toBe(404);
    // What the viewer is to the author is still locked, and nobody asks any more.
    await eventually(
      () => waitingFor(other, 'follow'),
      (count) => count === 0,
      1_000,
    );
    await follows.release();
  });

  test('optional parts that are late are left out, and said to be', async () => {
    await using lock = await locked(other, 'comment');
    const body = (await (await page(guest())).json()) as VideoDetail;
    expect(body).toMatchObject({ video: { id: videoId }, comments: null });
    expect(body.degraded).toContain('comments');
    await lock.release();
  });
});
