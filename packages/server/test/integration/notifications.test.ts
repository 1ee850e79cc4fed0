import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import type { Comment, Notification, Page } from '@hvideo/protocol';
import { MAX_NOTIFICATIONS } from '../../src/features/notifications/index.ts';
import { ApiUser } from '../support/api.ts';
import type { RunningApplication } from '../support/application.ts';
import { depart, newcomers, runCommunity } from '../support/community.ts';
import { eventually } from '../support/eventually.ts';
import { Snowflakes } from '../support/snowflakes.ts';

let t: RunningApplication;
let author: ApiUser;
let lin: ApiUser;
let wei: ApiUser;
let videoId: string;
const ids = new Snowflakes();

beforeAll(async () => {
  t = await runCommunity();
}, 60_000);

afterAll(() => t[Symbol.asyncDispose]());

beforeEach(async () => {
  [author, lin, wei] = await newcomers(t.url, 'author', 'lin', 'wei');
  videoId = await publish(author.id);
}, 30_000);

async function publish(authorId: string): Promise<string> {
  const id = ids.next();
  await t.db.sql`
    insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
    values (${id}, ${authorId}, 'A clip', '', '{}', 'public', 'ready', ${id}, 1000, 360, 640)`;
  await t.db.sql`update account_counts set videos = videos + 1 where account_id = ${authorId}`;
  t.features.exists.noteRows([`video:id=${id}`]);
  return id;
}

/** Everything committed has been handled. */
const settled = () =>
  eventually(async () => {
    const left = await t.db.sql`select 1 as one from change_log limit 1`;
    return left.length === 0;
  });

async function inboxOf(user: ApiUser, query = ''): Promise<Notification[]> {
  await settled();
  return (await user.call<Page<Notification>>('GET', `/notifications${query}`)).body.items;
}

const unreadOf = async (user: ApiUser) => {
  await settled();
  return (await user.call<{ count: number }>('GET', '/notifications/unread')).body.count;
};

const done = async (user: ApiUser, method: string, path: string) =>
  expect([path, (await user.call(method, path)).status]).toEqual([path, 204]);
const like = (user: ApiUser) => done(user, 'PUT', `/videos/${videoId}/like`);
const unlike = (user: ApiUser) => done(user, 'DELETE', `/videos/${videoId}/like`);
const say = async (user: ApiUser, text: string, replyTo?: string) =>
  (
    await user.call<Comment>('POST', `/videos/${videoId}/comments`, {
      body: { text, ...(replyTo && { replyTo }) },
    })
  ).body;
const read = async (user: ApiUser, body: object = {}) =>
  expect((await user.call('POST', '/notifications/read', { body })).status).toBe(204);
const actorsOf = (notification: Notification | undefined) => notification?.actors.map(({ id }) => id);

describe('each kind is told to whom it concerns', () => {
  test('likes, reposts and follows', async () => {
    await like(lin);
    await done(lin, 'POST', `/videos/${videoId}/repost`);
    await done(lin, 'PUT', `/users/${author.id}/follow`);
    const told = await inboxOf(author);
    expect(told).toMatchObject([
      { kind: 'follow', count: 1, video: null, comment: null, read: false },
      { kind: 'repost', count: 1, video: { id: videoId, title: 'A clip', coverUrl: null }, comment: null },
      { kind: 'like', count: 1, video: { id: videoId }, actors: [{ id: lin.id }] },
    ]);
    expect(await unreadOf(author)).toBe(3);
    expect((await inboxOf(author, '?kind=likes')).map(({ kind }) => kind)).toEqual(['repost', 'like']);
    expect((await inboxOf(author, '?kind=follows')).map(({ kind }) => kind)).toEqual(['follow']);
    expect(await inboxOf(author, '?kind=comments')).toEqual([]);
    await done(author, 'PUT', `/users/${lin.id}/follow`);
    expect((await inboxOf(author))[0]?.actors[0]?.relation).toMatchObject({
      following: true,
      followedBy: true,
    });
    expect(await inboxOf(lin)).toMatchObject([{ kind: 'follow' }]);
  });

  test('a comment, to each person once: whom it answers, whom it names, whose video it is', async () => {
    const root = await say(lin, 'what a clip');
    const answer = await say(wei, `@${lin.username} and @${author.username} look`, root.id);
    expect(await inboxOf(lin)).toMatchObject([
      {
        kind: 'reply',
        actors: [{ id: wei.id }],
        comment: { id: answer.id, text: answer.text, rootId: root.id },
      },
    ]);
    expect((await inboxOf(author)).map(({ kind, comment }) => [kind, comment?.id])).toEqual([
      ['mention', answer.id],
      ['comment', root.id],
    ]);
    expect(await inboxOf(wei)).toEqual([]);
    await done(author, 'PUT', `/comments/${root.id}/like`);
    expect((await inboxOf(lin))[0]).toMatchObject({
      kind: 'comment-like',
      actors: [{ id: author.id }],
      video: { id: videoId },
      comment: { id: root.id, text: 'what a clip', rootId: null },
    });
  });

  test('but not to oneself', async () => {
    await like(author);
    const own = await say(author, `mine, says @${author.username}`);
    await say(author, 'and again', own.id);
    await done(author, 'PUT', `/comments/${own.id}/like`);
    expect(await inboxOf(author)).toEqual([]);
  });

  test('and to nobody else', async () => {
    await like(lin);
    expect(await inboxOf(wei)).toEqual([]);
    expect((await new ApiUser(t.url).call('GET', '/notifications')).status).toBe(401);
    await read(wei);
    expect(await unreadOf(author)).toBe(1);
  });
});

describe('acts on the same thing are gathered', () => {
  test('until they are read: then a new group begins', async () => {
    await like(lin);
    await like(wei);
    const [one, ...others] = await inboxOf(author);
    expect(others).toEqual([]);
    expect([one?.count, actorsOf(one)]).toEqual([2, [wei.id, lin.id]]);
    await read(author);
    await read(author);
    expect(await unreadOf(author)).toBe(0);
    const late = await new ApiUser(t.url).join('late_one');
    await like(late);
    expect(await inboxOf(author)).toMatchObject([
      { kind: 'like', count: 1, read: false, actors: [{ id: late.id }] },
      { id: one?.id ?? '', count: 2, read: true },
    ]);
  });

  test('shows three of many, and counts all', async () => {
    const crowd = await Promise.all(
      Array.from({ length: 5 }, (_, n) => new ApiUser(t.url).join(`crowd_${n}`)),
    );
    for (const one of crowd) await like(one);
    const [told] = await inboxOf(author);
    expect([told?.count, actorsOf(told)]).toEqual([
      5,
      crowd
        .slice(-3)
        .toReversed()
        .map(({ id }) => id),
    ]);
  });

  test('several comments of one person count once, and the last is shown', async () => {
    await say(lin, 'one');
    const last = await say(lin, 'two');
    expect(await inboxOf(author)).toMatchObject([{ kind: 'comment', count: 1, comment: { id: last.id } }]);
  });

  test('what came after the position that was seen stays unread', async () => {
    await like(lin);
    const [seen] = await inboxOf(author);
    await like(wei);
    await settled();
    await read(author, { upTo: seen?.position });
    expect(await inboxOf(author)).toMatchObject([{ id: seen?.id ?? '', count: 2, read: false }]);
    await done(wei, 'PUT', `/users/${author.id}/follow`);
    const [follow, likes] = await inboxOf(author);
    await read(author, { upTo: likes?.position });
    expect((await inboxOf(author)).map(({ id, read }) => [id, read])).toEqual([
      [follow?.id ?? '', false],
      [likes?.id ?? '', true],
    ]);
  });

  test('page by page', async () => {
    const videos = [videoId];
    for (let n = 0; n < 4; n++) videos.push(await publish(author.id));
    for (const id of videos) await done(lin, 'PUT', `/videos/${id}/like`);
    await settled();
    const seen: (string | undefined)[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = `limit=2${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`;
      const { body } = await author.call<Page<Notification>>('GET', `/notifications?${query}`);
      seen.push(...body.items.map(({ video }) => video?.id));
      cursor = body.nextCursor;
    }
    expect(seen).toEqual(videos.toReversed());
  });
});

describe('what is taken back is not told any more', () => {
  test('a like, and doing it again is not news', async () => {
    await like(lin);
    await like(wei);
    await settled();
    await unlike(lin);
    expect(await inboxOf(author)).toMatchObject([{ count: 1, actors: [{ id: wei.id }] }]);
    await read(author);
    await like(lin);
    expect(await inboxOf(author)).toMatchObject([{ count: 2, read: true }]);
    await unlike(lin);
    await unlike(wei);
    expect(await inboxOf(author)).toEqual([]);
  });

  test('a follow, a like of a comment, and at once a comment and a video', async () => {
    await done(lin, 'PUT', `/users/${author.id}/follow`);
    const comment = await say(author, 'mine');
    await done(lin, 'PUT', `/comments/${comment.id}/like`);
    const answer = await say(lin, 'yours', comment.id);
    expect((await inboxOf(author)).length).toBe(3);
    await done(lin, 'DELETE', `/comments/${answer.id}`);
    const { items } = (await author.call<Page<Notification>>('GET', '/notifications')).body;
    expect(items.map(({ kind }) => kind)).toEqual(['comment-like', 'follow']);
    await done(lin, 'DELETE', `/users/${author.id}/follow`);
    await done(lin, 'DELETE', `/comments/${comment.id}/like`);
    expect(await inboxOf(author)).toEqual([]);
    const said = await say(author, 'see');
    await say(lin, 'seen', said.id);
    expect(await unreadOf(author)).toBe(1);
    await done(author, 'DELETE', `/videos/${videoId}`);
    expect((await author.call<Page<Notification>>('GET', '/notifications')).body.items).toEqual([]);
  });

  test('acts of the blocked, the muted and the suspended, while they are', async () => {
    await like(lin);
    await like(wei);
    expect(await unreadOf(author)).toBe(1);
    await done(author, 'PUT', `/users/${lin.id}/mute`);
    expect(await inboxOf(author)).toMatchObject([{ count: 1, actors: [{ id: wei.id }] }]);
    await done(author, 'PUT', `/users/${wei.id}/block`);
    expect([await inboxOf(author), await unreadOf(author)]).toEqual([[], 0]);
    await done(author, 'DELETE', `/users/${lin.id}/mute`);
    expect(await inboxOf(author)).toMatchObject([{ count: 1, actors: [{ id: lin.id }] }]);
    await t.db.sql`update account set suspended_at = now(), suspension_reason = 'x' where id = ${lin.id}`;
    expect(await inboxOf(author)).toEqual([]);
  });

  test('a video that one may not see any more', async () => {
    const root = await say(lin, 'nice');
    await say(wei, 'true', root.id);
    expect(await unreadOf(lin)).toBe(1);
    await t.db.sql`update video set visibility = 'private' where id = ${videoId}`;
    expect([await inboxOf(lin), await unreadOf(lin)]).toEqual([[], 0]);
  });

  test('whoever has left, and what they were told', async () => {
    await like(lin);
    await like(wei);
    expect(await unreadOf(author)).toBe(1);
    expect((await depart(lin)).status).toBe(204);
    expect(await inboxOf(author)).toMatchObject([{ count: 1, actors: [{ id: wei.id }] }]);
    expect((await depart(author)).status).toBe(204);
    await settled();
    expect(await t.db.sql`select 1 as one from notification where recipient_id = ${author.id}`).toEqual([]);
    expect(await t.db.sql`select 1 as one from notification_act where recipient_id = ${author.id}`).toEqual(
      [],
    );
  });
});

describe('missed changes', () => {
  test('are told by a rebuild, which changes nothing else', async () => {
    const { consumer } = t.features.notifications;
    const signal = new AbortController().signal;
    const root = await say(author, 'mine');
    const reply = await say(lin, 'yours', root.id);
    // Told as a reply; once what it answers is gone it would be one more reply to the same person, as a comment.
    await say(wei, 'and yours', reply.id);
    await like(lin);
    expect((await inboxOf(author)).map(({ kind }) => kind)).toEqual(['like', 'comment', 'reply']);
    await t.db.sql`update comment set reply_to = null where id = ${reply.id}`;
    await read(author);
    const before = await inboxOf(author);
    await consumer.rebuild(signal);
    expect(await inboxOf(author)).toEqual(before);
    await t.db.sql`delete from notification where recipient_id = ${author.id} and kind = 'like'`;
    await consumer.rebuild(signal);
    expect((await inboxOf(author))[0]).toMatchObject({ kind: 'like', count: 1, read: false });
    await consumer.rebuild(signal);
    expect((await inboxOf(author)).length).toBe(3);
  });

  test('that were takebacks are taken back', async () => {
    await like(lin);
    await settled();
    await unlike(lin);
    await settled();
    await t.db.sql`update notification_act set withdrawn = false where recipient_id = ${author.id}`;
    expect(await unreadOf(author)).toBe(1);
    await t.features.notifications.consumer.rebuild(new AbortController().signal);
    expect(await inboxOf(author)).toEqual([]);
  });

  test('of too long ago are not told', async () => {
    await like(lin);
    await like(wei);
    await settled();
    await t.db.sql`delete from notification where recipient_id = ${author.id}`;
    await t.db
      .sql`update video_like set created_at = now() - interval '91 days' where account_id = ${wei.id}`;
    await t.features.notifications.consumer.rebuild(new AbortController().signal);
    expect(await inboxOf(author)).toMatchObject([{ count: 1, actors: [{ id: lin.id }] }]);
  });
});

describe('they are bounded', () => {
  test('in age and in number', async () => {
    await like(lin);
    await settled();
    await t.db.sql`
      insert into notification (recipient_id, kind, subject_id, position, updated_at, read_at)
      select ${author.id}, 'follow', ${author.id}, n, now(), now() from generate_series(1, ${MAX_NOTIFICATIONS + 5}) n`;
    await t.db.sql`
      insert into notification (recipient_id, kind, subject_id, position, updated_at)
      values (${wei.id}, 'follow', ${wei.id}, 1, now() - interval '91 days')`;
    await t.features.notifications.clean();
    const left = (id: string) => t.db.sql`select 1 as one from notification where recipient_id = ${id}`;
    expect([(await left(author.id)).length, (await left(wei.id)).length]).toEqual([MAX_NOTIFICATIONS, 0]);
    expect((await inboxOf(author))[0]?.kind).toBe('like');
  });

  test('the account’s data hold them', async () => {
    await like(lin);
    await settled();
    const parts: unknown[] = [];
    for await (const part of t.features.notifications.accountPart.exportData(author.id)) parts.push(part);
    expect(parts).toMatchObject([
      { path: 'notifications.json', body: [{ kind: 'like', videoId, actors: [lin.id] }] },
    ]);
  });
});
