import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { AppError } from '../../src/kernel/errors.ts';
import type { Announcement } from '../../src/ports/announcements/port.ts';
import type { Fences } from '../../src/ports/fences/port.ts';
import { ApiUser } from '../support/api.ts';
import { type RunningApplication, runApplication } from '../support/application.ts';
import { Snowflakes } from '../support/snowflakes.ts';
import { call, publish, untilStatus, type VideoStack, videoStack } from '../support/video-stack.ts';

interface Row {
  key: string;
  author: string;
  video: string;
}

describe('what becomes visible is recorded with it, and announced before the answer', () => {
  let t: VideoStack;
  let author: string;
  const announced: Announcement[] = [];

  beforeAll(async () => {
    t = await videoStack();
    author = await t.graph.person();
    const announce = t.announcements.announce.bind(t.announcements);
    t.announcements.announce = async (records, options) => {
      announced.push(...records);
      await announce(records, options);
    };
  }, 60_000);
  afterAll(() => t[Symbol.asyncDispose]());
  beforeEach(() => {
    announced.length = 0;
  });

  const inFlight = (videoId: string) => t.db.sql<Row>`
    select key, author_id as author, video_id as video from fanout where video_id = ${videoId}`;
  const keyOf = async (videoId: string) =>
    (await t.db.sql<{ key: string }>`select feed_key as key from video where id = ${videoId}`)[0]?.key;
  const announcedOf = (videoId: string) =>
    announced.filter(({ text }) => text.endsWith(`:${videoId}`)).map(({ kind, text }) => `${kind} ${text}`);

  test('when its first rendition is there', async () => {
    const { id } = (await publish(t, author)).body;
    await untilStatus(t, author, id, 'ready');
    const key = await keyOf(id);
    expect(await inFlight(id)).toEqual([{ key: key!, author, video: id }]);
    expect(announcedOf(id)).toEqual([`entry ${key}:${author}:${id}`]);
  });

  test('when it is opened, and again for a repeated request', async () => {
    const { id } = (await publish(t, author, { visibility: 'private' })).body;
    await untilStatus(t, author, id, 'ready');
    expect(await inFlight(id)).toEqual([]);
    const open = () =>
      call(
        t,
        author,
        'PATCH',
        `/api/v1/videos/${id}`,
        { visibility: 'public' },
        { 'idempotency-key': 'one' },
      );
    expect((await open()).status).toBe(200);
    expect(await inFlight(id)).toHaveLength(1);
    const fact = `entry ${await keyOf(id)}:${author}:${id}`;
    expect(announcedOf(id)).toEqual([fact]);
    await open();
    expect(announcedOf(id)).toEqual([fact, fact]);
    // It has arrived everywhere: putting it back in flight would be for ever.
    await t.db.sql`delete from fanout where video_id = ${id}`;
    t.clock.aheadMs += 10_000;
    await open();
    expect(announcedOf(id)).toHaveLength(2);
  });

  test('when its time has come', async () => {
    const publishAt = new Date(t.clock.nowMs() + 3_600_000).toISOString();
    const { id } = (await publish(t, author, { publishAt })).body;
    await untilStatus(t, author, id, 'ready');
    expect(await inFlight(id)).toEqual([]);
    t.clock.aheadMs += 3_700_000;
    await t.videos.sweep(new AbortController().signal);
    expect(await inFlight(id)).toHaveLength(1);
    expect(announcedOf(id)).toHaveLength(1);
  });

  test('what is deleted is to be taken out of inboxes, with its reposts', async () => {
    const { id } = (await publish(t, author)).body;
    await untilStatus(t, author, id, 'ready');
    const [one, two] = [await t.graph.person(), await t.graph.person()];
    await t.engagement.reposts.add(one, id, undefined);
    await t.engagement.reposts.add(two, id, undefined);
    const entries = await inFlight(id);
    expect(entries.map((row) => row.author).sort()).toEqual([author, one, two].sort());
    expect((await call(t, author, 'DELETE', `/api/v1/videos/${id}`)).status).toBe(204);
    expect(await inFlight(id)).toEqual([]);
    const gone = await t.db.sql<Row>`
      select key, author_id as author, video_id as video from timeline_removal where video_id = ${id}`;
    const byKey = (a: Row, b: Row) => a.key.localeCompare(b.key);
    expect([...gone].sort(byKey)).toEqual([...entries].sort(byKey));
  });

  test('a takedown takes nothing out: the fence and the row hide it', async () => {
    const { id } = (await publish(t, author)).body;
    await untilStatus(t, author, id, 'ready');
    await t.videos.writes.takedown(author, id, 'spam');
    expect(await t.db.sql`select 1 from timeline_removal where video_id = ${id}`).toEqual([]);
  });
});

describe('reposts', () => {
  let t: RunningApplication;
  let creator: ApiUser;
  let lin: ApiUser;
  let videoId: string;
  const ids = new Snowflakes();

  beforeAll(async () => {
    t = await runApplication();
    creator = await new ApiUser(t.url).join('creator', '/instance/setup');
    lin = await new ApiUser(t.url).join('lin_1');
  }, 60_000);
  afterAll(() => t[Symbol.asyncDispose]());
  beforeEach(async () => {
    videoId = ids.next();
    await t.db.sql`
      insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
      values (${videoId}, ${creator.id}, 'A clip', '', '{}', 'public', 'ready', ${videoId}, 1000, 360, 640)`;
    t.features.exists.noteRows([`video:id=${videoId}`]);
  });

  const repost = (body?: { comment: string }) =>
    lin.call('POST', `/videos/${videoId}/repost`, body && { body });
  const undo = () => lin.call('DELETE', `/videos/${videoId}/repost`);
  const stored = async () =>
    (
      await t.db.sql<{ id: string; comment: string | null }>`
        select id, comment from repost where video_id = ${videoId}`
    )[0];

  test('a comment can be added, changed and taken away; the entry stays', async () => {
    expect((await repost()).status).toBe(204);
    const first = await stored();
    expect(first?.comment).toBeNull();
    for (const [sent, kept] of [
      [{ comment: ' 看这个 ' }, '看这个'],
      [undefined, '看这个'],
      [{ comment: 'Look' }, 'Look'],
      [{ comment: '' }, null],
    ] as const) {
      expect((await repost(sent)).status).toBe(204);
      expect(await stored()).toEqual({ id: first!.id, comment: kept });
    }
    expect((await repost({ comment: 'x'.repeat(501) })).status).toBe(400);
    expect(await t.db.sql`select key from fanout where video_id = ${videoId}`).toEqual([{ key: first!.id }]);
    expect(await t.features.engagement.audit()).toEqual([]);
  });

  test('one that is taken back is fenced before the answer, and comes again as a new entry', async () => {
    await repost();
    const first = (await stored())!.id;
    expect((await undo()).status).toBe(204);
    expect(await t.features.fences.isRaised(`repost:${first}`)).toBe(true);
    expect(await t.db.sql`select name from fence where name = ${`repost:${first}`}`).toHaveLength(1);
    await repost();
    expect(BigInt((await stored())!.id)).toBeGreaterThan(BigInt(first));
    expect(await t.features.fences.isRaised(`repost:${(await stored())!.id}`)).toBe(false);
  });

  test('a fence that could not be raised is raised by the next request', async () => {
    await repost();
    const { id } = (await stored())!;
    const fences = t.features.fences as { raise: Fences['raise'] };
    const raise = fences.raise;
    const raised: string[] = [];
    fences.raise = async () => {
      throw new AppError('timeout');
    };
    expect((await undo()).status).toBe(503);
    fences.raise = async (names) => {
      raised.push(...names);
      await raise.call(fences, names);
    };
    expect((await undo()).status).toBe(204);
    fences.raise = raise;
    expect(raised).toContain(`repost:${id}`);
  });

  test('those of an account that leaves go with it', async () => {
    const wei = await new ApiUser(t.url).join('wei_1');
    await wei.call('POST', `/videos/${videoId}/repost`);
    const { id } = (await stored())!;
    const gone = await wei.call('DELETE', '/users/me', { body: { password: 'the long word of wei_1' } });
    expect(gone.status).toBe(204);
    expect(await t.db.sql`select key from timeline_removal where author_id = ${wei.id}`).toEqual([
      { key: id },
    ]);
    expect(await t.features.engagement.audit()).toEqual([]);
  });
});
