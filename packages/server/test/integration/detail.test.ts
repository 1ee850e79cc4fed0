import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import type { Comment, VideoDetail } from '@hvideo/protocol';
import fc from 'fast-check';
import { mayWatch, visibleTo } from '../../src/features/videos/index.ts';
import { ApiUser, eventually } from '../support/api.ts';
import { type RunningApplication, runApplication } from '../support/application.ts';
import { Snowflakes } from '../support/snowflakes.ts';

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
  videoId = await publish(creator.id);
});

async function publish(authorId: string, title = 'A clip'): Promise<string> {
  const id = ids.next();
  await t.db.sql`
    insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
    values (${id}, ${authorId}, ${title}, '', '{}', 'public', 'ready', ${id}, 1000, 360, 640)`;
  await t.db.sql`update account_counts set videos = videos + 1 where account_id = ${authorId}`;
  // Its id is older than any that the server makes: until it is told, there can be no such video.
  t.features.exists.noteRows([`video:id=${id}`]);
  return id;
}

const open = (user: ApiUser) => user.call<VideoDetail>('GET', `/videos/${videoId}`);
const guest = () => new ApiUser(t.url);

describe('the page of a video', () => {
  test('holds everything in one answer', async () => {
    const other = await publish(creator.id, 'Another');
    const comment = await lin.call<Comment>('POST', `/videos/${videoId}/comments`, { body: { text: 'hi' } });
    await lin.call('PUT', `/comments/${comment.body.id}/like`);
    await lin.call('PUT', `/videos/${videoId}/like`);
    const { body } = await open(lin);
    expect(body.video).toMatchObject({
      id: videoId,
      counts: { likes: 1, comments: 1 },
      viewer: { liked: true },
    });
    expect(body.comments?.items).toMatchObject([
      { text: 'hi', viewer: { own: true, liked: true, mayDelete: true, mayPin: false } },
    ]);
    expect(body.related?.map(({ id }) => id)).toContain(other);
    expect(body).toMatchObject({ degraded: [], stale: [], relation: { following: false } });
    const seen = (await open(guest())).body;
    expect(seen).toMatchObject({ relation: null, video: { viewer: { liked: false } } });
    expect(seen.comments?.items[0]?.viewer).toEqual({
      own: false,
      liked: false,
      mayDelete: false,
      mayPin: false,
    });
    expect((await open(creator)).body.comments?.items[0]?.viewer).toMatchObject({
      mayDelete: true,
      mayPin: true,
    });
  });

  test('shows people what they have just done, and what others have', async () => {
    await open(lin);
    await open(creator);
    for (const on of [true, false, true]) {
      await lin.call(on ? 'PUT' : 'DELETE', `/videos/${videoId}/favorite`);
      expect((await open(lin)).body.video.viewer.favorited).toBe(on);
      await lin.call(on ? 'PUT' : 'DELETE', `/users/${creator.id}/follow`);
      expect((await open(lin)).body.relation?.following).toBe(on);
    }
    await lin.call('DELETE', `/users/${creator.id}/follow`);
    await creator.call('PATCH', `/videos/${videoId}`, { body: { title: 'A new title' } });
    expect((await open(lin)).body.video.title).toBe('A new title');
    await creator.call('PATCH', '/users/me', { body: { displayName: 'A new name' } });
    expect((await open(lin)).body.author.displayName).toBe('A new name');
    const { body: comment } = await creator.call<Comment>('POST', `/videos/${videoId}/comments`, {
      body: { text: 'soon gone' },
    });
    expect((await open(lin)).body.comments?.items).toHaveLength(1);
    await creator.call('DELETE', `/comments/${comment.id}`);
    expect((await open(lin)).body.comments?.items).toHaveLength(0);
  });

  test('follows changes that nobody told of', async () => {
    await open(lin);
    await t.db.sql`update video set title = 'Behind the back' where id = ${videoId}`;
    await t.db.sql`insert into video_like values (1, ${lin.id}, ${videoId}, now())`;
    const { body } = await eventually(
      () => open(lin),
      ({ body }) => body.video.title === 'Behind the back' && body.video.viewer.liked,
      10_000,
    );
    expect(body.stale).toEqual([]);
    await t.db.sql`delete from video_like where video_id = ${videoId}`;
  });

  test('follows the rows of everybody in it, whoever wrote them', async () => {
    const other = await new ApiUser(t.url).join(`other_${Date.now() % 1_000_000}`);
    const related = await publish(other.id, 'Related');
    await lin.call('POST', `/videos/${videoId}/comments`, { body: { text: 'hi' } });
    const first = (await open(lin)).body;
    expect(first.comments?.items[0]?.author.displayName).toBe('lin_1');
    expect(first.related?.find(({ id }) => id === related)?.title).toBe('Related');
    await t.db.sql`update account set display_name = 'Lin' where id = ${lin.id}`;
    await t.db.sql`update account set display_name = 'Other' where id = ${other.id}`;
    await t.db.sql`update video set title = 'Renamed' where id = ${related}`;
    await eventually(
      () => open(lin),
      ({ body }) => {
        const shown = body.related?.find(({ id }) => id === related);
        const names = [body.comments?.items[0]?.author.displayName, shown?.author.displayName, shown?.title];
        return names.join() === 'Lin,Other,Renamed' && body.stale.length === 0;
      },
      // Less than any of these parts is fresh.
      8_000,
    );
    await t.db.sql`update account set display_name = 'lin_1' where id = ${lin.id}`;
  }, 30_000);

  test('is gone with the next request after a removal', async () => {
    for (const remove of [
      () => creator.call('POST', `/videos/${videoId}/takedown`, { body: { reason: 'x' } }),
      () => creator.call('DELETE', `/videos/${videoId}`),
      () => creator.call('PUT', `/users/${lin.id}/block`),
      () => creator.call('PATCH', `/videos/${videoId}`, { body: { visibility: 'private' } }),
    ]) {
      videoId = await publish(creator.id);
      await Promise.all(Array.from({ length: 50 }, () => open(lin)));
      expect((await remove()).status).toBeLessThan(300);
      expect((await open(lin)).status).toBe(404);
      await creator.call('DELETE', `/users/${lin.id}/block`);
    }
  });

  test('a fence holds even when the cache has heard of nothing', async () => {
    await open(lin);
    await t.features.fences.raise([`video:${videoId}`]);
    expect((await open(lin)).status).toBe(404);
  });
});

test('the two forms of the rule of visibility agree', async () => {
  const { sql } = t.db;
  const nowMs = Date.now();
  const time = fc.constantFrom(null, new Date(nowMs - 60_000), new Date(nowMs + 60_000));
  const state = fc.record({
    visibility: fc.constantFrom('public', 'followers', 'unlisted', 'private'),
    status: fc.constantFrom('processing', 'playable', 'ready', 'failed'),
    published: fc.boolean(),
    takenDown: fc.boolean(),
    publishAt: time,
    suspended: fc.boolean(),
    suspendedUntil: time,
    follows: fc.boolean(),
    blocks: fc.boolean(),
    blockedBy: fc.boolean(),
    viewer: fc.constantFrom('lin', 'creator', 'guest'),
  });
  await fc.assert(
    fc.asyncProperty(state, async (s) => {
      const id = ids.next();
      const viewerId = s.viewer === 'guest' ? undefined : s.viewer === 'lin' ? lin.id : creator.id;
      const agreed = await t.db.transaction(async (tx) => {
        await tx`
          insert into video (id, author_id, title, description, tags, visibility, status, failure_code, feed_key,
            publish_at, taken_down_at, takedown_reason, duration_ms, width, height)
          values (${id}, ${creator.id}, '', '', '{}', ${s.visibility}, ${s.status},
            ${s.status === 'failed' ? 'internal' : null}, ${s.published ? id : null}, ${s.publishAt},
            ${s.takenDown ? new Date() : null}, ${s.takenDown ? 'x' : null}, 1, 1, 1)`;
        await tx`update account set suspended_at = ${s.suspended ? new Date() : null},
          suspended_until = ${s.suspended ? s.suspendedUntil : null} where id = ${creator.id}`;
        await tx`delete from follow`;
        await tx`delete from block`;
        if (s.follows) await tx`insert into follow values (1, ${lin.id}, ${creator.id}, now())`;
        if (s.blocks) await tx`insert into block values (1, ${lin.id}, ${creator.id}, now())`;
        if (s.blockedBy) await tx`insert into block values (2, ${creator.id}, ${lin.id}, now())`;
        const seen = await tx`
          select 1 as one from video v where v.id = ${id} and ${visibleTo(tx, viewerId, new Date(nowMs))}`;
        const page = {
          row: {
            authorId: creator.id,
            feedKey: s.published ? id : null,
            publishAt: s.publishAt,
            status: s.status as 'ready',
            takedownReason: s.takenDown ? 'x' : null,
            visibility: s.visibility as 'public',
          },
          suspension: s.suspended ? { untilMs: s.suspendedUntil?.getTime() ?? null } : null,
        };
        const viewing = { following: s.follows, blocked: s.blocks, blockedBy: s.blockedBy };
        const isLin = viewerId === lin.id;
        const none = { following: false, blocked: false, blockedBy: false };
        await tx`delete from video where id = ${id}`;
        await tx`update account set suspended_at = null, suspended_until = null where id = ${creator.id}`;
        await tx`delete from follow`;
        await tx`delete from block`;
        return (
          seen.length > 0 ===
          mayWatch(page, viewerId, viewerId === undefined ? undefined : isLin ? viewing : none, nowMs)
        );
      });
      expect(agreed).toBe(true);
    }),
    { numRuns: 300 },
  );
  expect(await sql`select 1 from follow`).toEqual([]);
});

test('the text of a hot page says what the page says', async () => {
  videoId = await publish(creator.id);
  const { body: comment } = await lin.call<Comment>('POST', `/videos/${videoId}/comments`, {
    body: { text: '"hi"' },
  });
  await lin.call('PUT', `/videos/${videoId}/like`);
  const other = await new ApiUser(t.url).join('other_1');
  await other.call('PUT', `/comments/${comment.id}/like`);
  const isHot = () =>
    t.features.cache
      .snapshot()
      .hotKeys.some(({ key }) => key.startsWith('video-page') && key.endsWith(videoId));
  const heat = () =>
    Promise.all([lin, other, guest()].flatMap((user) => Array.from({ length: 60 }, () => open(user))));
  await eventually(heat, isHot, 20_000);
  for (const viewer of [lin, other, undefined]) {
    const as = viewer && { accountId: viewer.id, role: 'user' as const };
    await heat();
    const [text, page] = await Promise.all([
      t.features.detail.text(as, videoId),
      t.features.detail.page(as, videoId),
    ]);
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(page)));
  }
});
