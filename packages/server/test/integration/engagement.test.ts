import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import type { Comment, Folder, ListSettings, Page, VideoCard, VideoDetail } from '@hvideo/protocol';
import { SQL } from 'bun';
import fc from 'fast-check';
import { ApiUser, eventually } from '../support/api.ts';
import { type RunningApplication, runApplication } from '../support/application.ts';
import { Snowflakes } from '../support/snowflakes.ts';

let t: RunningApplication;
let creator: ApiUser;
let lin: ApiUser;
let wei: ApiUser;
let moderator: ApiUser;
let videoId: string;
const ids = new Snowflakes();

beforeAll(async () => {
  t = await runApplication();
  creator = await new ApiUser(t.url).join('creator', '/instance/setup');
  lin = await new ApiUser(t.url).join('lin_1');
  wei = await new ApiUser(t.url).join('wei_1');
  moderator = await new ApiUser(t.url).join('mod_1');
  await t.features.accounts.administration.setRole(moderator.id, 'moderator');
  const again = await moderator.call<{ accessToken: string }>('POST', '/auth/login', {
    body: { login: 'mod_1', password: 'the long word of mod_1' },
  });
  moderator.accessToken = again.body.accessToken;
}, 60_000);

afterAll(() => t[Symbol.asyncDispose]());

beforeEach(async () => {
  videoId = await publish(creator.id);
});

/** A finished video, by its row. */
async function publish(authorId: string, visibility = 'public'): Promise<string> {
  const id = ids.next();
  await t.db.sql`
    insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
    values (${id}, ${authorId}, 'A clip', '', '{}', ${visibility}, 'ready', ${id}, 1000, 360, 640)`;
  await t.db.sql`update account_counts set videos = videos + 1 where account_id = ${authorId}`;
  // Its id is older than any that the server makes: until it is told, there can be no such video.
  t.features.exists.noteRows([`video:id=${id}`]);
  return id;
}

/** With everything in it: on a busy machine counts may be late, and are left out then. */
const seenBy = async (user: ApiUser) => {
  const { body } = await eventually(
    () => user.call<VideoDetail>('GET', `/videos/${videoId}`),
    ({ body }) => body.degraded.length === 0,
  );
  return body.video;
};
const say = async (user: ApiUser, text: string, replyTo?: string) =>
  user.call<Comment>('POST', `/videos/${videoId}/comments`, { body: { text, ...(replyTo && { replyTo }) } });
const commentsOf = async (user: ApiUser, query = '') =>
  (await user.call<Page<Comment>>('GET', `/videos/${videoId}/comments${query}`)).body;
const textsOf = (page: Page<Comment>) => page.items.map(({ text }) => text);
const noDrift = async () => expect(await t.features.engagement.audit()).toEqual([]);

describe('reactions', () => {
  test.each([
    ['PUT', 'like', 'likes', 'liked'],
    ['PUT', 'favorite', 'favorites', 'favorited'],
    ['POST', 'repost', 'reposts', 'reposted'],
  ] as const)('%s %s counts once and can be taken back', async (method, path, count, state) => {
    for (let time = 0; time < 2; time++)
      expect((await lin.call(method, `/videos/${videoId}/${path}`)).status).toBe(204);
    const liked = await seenBy(lin);
    expect(liked.counts[count]).toBe(1);
    expect(liked.viewer[state]).toBe(true);
    expect((await seenBy(wei)).viewer[state]).toBe(false);
    for (let time = 0; time < 2; time++)
      expect((await lin.call('DELETE', `/videos/${videoId}/${path}`)).status).toBe(204);
    const unliked = await seenBy(lin);
    expect(unliked.counts[count]).toBe(0);
    expect(unliked.viewer[state]).toBe(false);
    await noDrift();
  });

  test('a share counts once for each person', async () => {
    for (const user of [lin, lin, wei]) await user.call('POST', `/videos/${videoId}/shares`);
    expect((await seenBy(lin)).counts.shares).toBe(2);
  });

  test('nobody reacts to what they may not see, or to nothing', async () => {
    const hidden = await publish(creator.id, 'private');
    for (const id of [hidden, '1'])
      for (const [method, path] of [
        ['PUT', 'like'],
        ['PUT', 'favorite'],
        ['POST', 'repost'],
        ['POST', 'shares'],
        ['POST', 'comments'],
      ] as const) {
        const options = path === 'comments' ? { body: { text: 'x' } } : {};
        expect((await lin.call(method, `/videos/${id}/${path}`, options)).status).toBe(404);
      }
    const guest = new ApiUser(t.url);
    expect((await guest.call('PUT', `/videos/${videoId}/like`)).status).toBe(401);
  });

  test('of many at once, each is there or not and the counters agree', async () => {
    const people = [lin, wei, moderator, creator];
    const act = fc.record({
      who: fc.integer({ min: 0, max: people.length - 1 }),
      what: fc.constantFrom('like', 'favorite'),
      on: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 30 }), async (acts) => {
        videoId = await publish(creator.id);
        const statuses = await Promise.all(
          acts.map(async ({ who, what, on }) => {
            const answer = await people[who]!.call(on ? 'PUT' : 'DELETE', `/videos/${videoId}/${what}`);
            return answer.status;
          }),
        );
        expect(new Set(statuses)).toEqual(new Set([204]));
        await noDrift();
        await t.features.counters.fold();
        await noDrift();
        const cards = await Promise.all(people.map(seenBy));
        expect(cards[0]!.counts.likes).toBe(cards.filter(({ viewer }) => viewer.liked).length);
        expect(cards[0]!.counts.favorites).toBe(cards.filter(({ viewer }) => viewer.favorited).length);
      }),
      { numRuns: 10 },
    );
  }, 60_000);

  test('wait for no row of the popular video or person that they are about', async () => {
    await using other = new SQL(t.databaseUrl, { max: 1 });
    await other.begin(async (tx) => {
      await tx`select from account where id = ${creator.id} for no key update`;
      await tx`select from account_counts where account_id = ${creator.id} for update`;
      await tx`select from video where id = ${videoId} for no key update`;
      await tx`select from counter where id in (${creator.id}, ${videoId}) for update`;
      const writes = [
        lin.call('PUT', `/videos/${videoId}/like`),
        lin.call('PUT', `/videos/${videoId}/favorite`),
        lin.call('POST', `/videos/${videoId}/repost`),
        lin.call('POST', `/videos/${videoId}/shares`),
        say(lin, 'hi'),
        lin.call('PUT', `/users/${creator.id}/follow`),
      ];
      // While the rows are still locked: a write that waited for one would never end.
      const answers = await Promise.all(writes);
      expect(answers.map(({ status }) => Math.floor(status / 100))).toEqual(answers.map(() => 2));
    });
    expect((await seenBy(lin)).counts).toMatchObject({ likes: 1, favorites: 1, reposts: 1, comments: 1 });
    await lin.call('DELETE', `/users/${creator.id}/follow`);
    await noDrift();
  }, 20_000);

  test('the audit tells of a counter that is wrong', async () => {
    await lin.call('PUT', `/videos/${videoId}/like`);
    await t.db.sql`delete from video_like where video_id = ${videoId}`;
    expect(await t.features.engagement.audit()).toEqual([
      { id: videoId, metric: 'likes', rows: 0, counted: 1 },
    ]);
    await t.features.counters.add([{ id: videoId, metric: 'likes', delta: -1 }]);
    await noDrift();
  });
});

describe('comments', () => {
  test('make threads of two levels, and say whom a reply answers', async () => {
    const root = (await say(lin, 'first')).body;
    const reply = (await say(wei, 'second', root.id)).body;
    const nested = (await say(creator, 'third', reply.id)).body;
    expect(reply).toMatchObject({ rootId: root.id, replyTo: null, byCreator: false });
    expect(nested).toMatchObject({ rootId: root.id, replyTo: { id: wei.id }, byCreator: true });
    const page = await commentsOf(lin);
    expect(page.items).toHaveLength(1);
    expect(page.items[0]).toMatchObject({ id: root.id, replies: 2, viewer: { own: true, mayDelete: true } });
    const thread = await lin.call<Page<Comment>>('GET', `/comments/${root.id}/replies`);
    expect(textsOf(thread.body)).toEqual(['second', 'third']);
    expect((await seenBy(lin)).counts.comments).toBe(3);
  });

  test('come by heat or by time, page by page, the pinned one first', async () => {
    const made: Comment[] = [];
    for (let at = 0; at < 5; at++) made.push((await say(lin, `number ${at}`)).body);
    for (const user of [wei, creator]) await user.call('PUT', `/comments/${made[1]!.id}/like`);
    await say(wei, 'a reply', made[3]!.id);
    await wei.call('PUT', `/comments/${made[2]!.id}/like`);
    await wei.call('PUT', `/comments/${made[2]!.id}/like`);
    await creator.call('PUT', `/comments/${made[0]!.id}/pin`);
    await t.features.counters.fold();
    const walk = async (sort: string) => {
      const texts: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Page<Comment> = await commentsOf(
          lin,
          `?sort=${sort}&limit=2${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
        );
        texts.push(...textsOf(page));
        cursor = page.nextCursor;
      } while (cursor !== null);
      return texts.map((text) => Number(text.at(-1)));
    };
    expect(await walk('heat')).toEqual([0, 3, 1, 2, 4]);
    expect(await walk('time')).toEqual([0, 4, 3, 2, 1]);
    await wei.call('DELETE', `/comments/${made[1]!.id}/like`);
    await creator.call('DELETE', `/comments/${made[1]!.id}/like`);
    await creator.call('PUT', `/comments/${made[4]!.id}/pin`);
    await t.features.counters.fold();
    expect(await walk('heat')).toEqual([4, 3, 2, 1, 0]);
    await noDrift();
  });

  test('only the creator pins, and no reply', async () => {
    const root = (await say(lin, 'root')).body;
    const reply = (await say(lin, 'reply', root.id)).body;
    expect((await lin.call('PUT', `/comments/${root.id}/pin`)).body.code).toBe('forbidden');
    expect((await creator.call('PUT', `/comments/${reply.id}/pin`)).body.code).toBe('invalid-request');
  });

  test('are deleted with their thread by the writer, the creator and moderators', async () => {
    for (const user of [lin, creator, moderator]) {
      const root = (await say(lin, 'root')).body;
      await say(wei, 'reply', root.id);
      expect((await wei.call('DELETE', `/comments/${root.id}`)).body.code).toBe('forbidden');
      expect((await user.call('DELETE', `/comments/${root.id}`)).status).toBe(204);
      expect((await lin.call('GET', `/comments/${root.id}`)).status).toBe(404);
      expect((await say(wei, 'late', root.id)).body).toMatchObject({ code: 'comment-gone' });
    }
    const root = (await say(lin, 'stays')).body;
    const reply = (await say(wei, 'goes', root.id)).body;
    await wei.call('DELETE', `/comments/${reply.id}`);
    expect((await commentsOf(lin)).items).toMatchObject([{ id: root.id, replies: 0 }]);
    expect((await seenBy(lin)).counts.comments).toBe(1);
    await noDrift();
  });

  test('a repeated request writes one', async () => {
    const headers = { 'idempotency-key': 'one-comment' };
    const body = { text: 'once' };
    const first = await lin.call<Comment>('POST', `/videos/${videoId}/comments`, { body, headers });
    const second = await lin.call<Comment>('POST', `/videos/${videoId}/comments`, { body, headers });
    expect(second.body.id).toBe(first.body.id);
    expect((await commentsOf(lin)).items).toHaveLength(1);
  });

  test('of people between whom there is a block are not seen, answered or liked', async () => {
    const root = (await say(lin, 'from lin')).body;
    await lin.call('PUT', `/users/${wei.id}/block`);
    try {
      expect((await commentsOf(wei)).items).toEqual([]);
      expect((await say(wei, 'hey', root.id)).body).toMatchObject({ code: 'comment-gone' });
      expect((await wei.call('PUT', `/comments/${root.id}/like`)).status).toBe(404);
      expect((await commentsOf(creator)).items).toHaveLength(1);
    } finally {
      await lin.call('DELETE', `/users/${wei.id}/block`);
    }
  });
});

describe('own lists', () => {
  test('are private until their owner says otherwise', async () => {
    await lin.call('PUT', `/videos/${videoId}/like`);
    await lin.call('PUT', `/videos/${videoId}/favorite`);
    for (const list of ['likes', 'favorites', 'history']) {
      expect((await wei.call('GET', `/users/${lin.id}/${list}`)).body.code).toBe('list-private');
      expect((await lin.call('GET', `/users/${lin.id}/${list}`)).status).toBe(200);
    }
    const changed = await lin.call<ListSettings>('PATCH', '/users/me/list-settings', {
      body: { likes: true },
    });
    expect(changed.body).toEqual({ likes: true, favorites: false, history: false });
    const likes = await wei.call<Page<VideoCard>>('GET', `/users/@lin_1/likes`);
    expect(likes.body.items[0]).toMatchObject({ id: videoId, viewer: { liked: false } });
    expect((await wei.call<ListSettings>('GET', '/users/@lin_1/lists')).body).toEqual(changed.body);
    expect((await wei.call('GET', `/users/${lin.id}/favorites`)).body.code).toBe('list-private');
    await lin.call('PATCH', '/users/me/list-settings', { body: { likes: false } });
  });

  test('do not show others what was not meant to be found', async () => {
    const unlisted = await publish(creator.id, 'unlisted');
    await wei.call('PUT', `/videos/${unlisted}/like`);
    await wei.call('PATCH', '/users/me/list-settings', { body: { likes: true } });
    const idsOf = async (user: ApiUser) =>
      (await user.call<Page<VideoCard>>('GET', `/users/${wei.id}/likes`)).body.items.map(({ id }) => id);
    expect(await idsOf(wei)).toContain(unlisted);
    expect(await idsOf(lin)).not.toContain(unlisted);
  });

  test('favourites lie in folders, and outlive them', async () => {
    const folder = (await lin.call<Folder>('POST', '/users/me/folders', { body: { name: '旅行' } })).body;
    expect((await lin.call('POST', '/users/me/folders', { body: { name: '旅行' } })).body.code).toBe(
      'folder-exists',
    );
    await lin.call('PUT', `/videos/${videoId}/favorite?folder=${folder.id}`);
    await lin.call('PUT', `/videos/${videoId}/favorite`);
    const other = await publish(creator.id);
    await lin.call('PUT', `/videos/${other}/favorite`);
    const inFolder = await lin.call<Page<VideoCard>>('GET', `/users/${lin.id}/favorites?folder=${folder.id}`);
    expect(inFolder.body.items.map(({ id }) => id)).toEqual([videoId]);
    expect((await wei.call('PUT', `/videos/${videoId}/favorite?folder=${folder.id}`)).status).toBe(404);
    const count = async () =>
      (await lin.call<{ items: Folder[] }>('GET', '/users/me/folders')).body.items[0]?.count;
    expect((await lin.call('PUT', `/videos/${videoId}/favorite?folder=none`)).status).toBe(204);
    expect(await count()).toBe(0);
    await lin.call('PUT', `/videos/${videoId}/favorite?folder=${folder.id}`);
    await lin.call('PUT', `/videos/${videoId}/favorite`);
    expect(await count()).toBe(1);
    await t.db.sql`update video set cover_file = 'cover.jpg' where id = ${videoId}`;
    const { items } = (await lin.call<{ items: Folder[] }>('GET', '/users/me/folders')).body;
    expect(items).toMatchObject([{ name: '旅行', count: 1 }]);
    expect(items[0]?.coverUrl).toEndWith('/cover.jpg');
    const renamed = await lin.call<Folder>('PATCH', `/users/me/folders/${folder.id}`, {
      body: { name: 'b' },
    });
    expect(renamed.body).toMatchObject({ name: 'b', count: 1, coverUrl: items[0]?.coverUrl });
    await lin.call('DELETE', `/users/me/folders/${folder.id}`);
    const all = await lin.call<Page<VideoCard>>('GET', `/users/${lin.id}/favorites`);
    expect(all.body.items.map(({ id }) => id).slice(0, 2)).toEqual([other, videoId]);
  });
});

test('an account and a video that go take what was counted with them', async () => {
  const leaver = await new ApiUser(t.url).join('leaver');
  const theirs = await publish(leaver.id);
  const root = (await say(leaver, 'root')).body;
  await say(lin, 'under it', root.id);
  const kept = (await say(lin, 'kept')).body;
  await say(leaver, 'reply', kept.id);
  await leaver.call('PUT', `/comments/${kept.id}/like`);
  await leaver.call('PUT', `/videos/${videoId}/like`);
  await lin.call('PUT', `/videos/${theirs}/like`);
  const password = { body: { password: 'the long word of leaver' } };
  // A fold that had begun before the end of what it is about puts back what the daily cleaning takes away.
  await t.features.counters.fold();
  expect((await leaver.call('DELETE', '/users/me', password)).status).toBe(204);
  expect((await commentsOf(lin)).items).toMatchObject([{ id: kept.id, likes: 0, replies: 0 }]);
  expect((await seenBy(lin)).counts).toMatchObject({ likes: 0, comments: 1 });
  await t.features.counters.fold();
  expect((await creator.call('DELETE', `/videos/${videoId}`)).status).toBe(204);
  await noDrift();
  await t.features.counters.fold();
  await noDrift();
  const left = await t.db.sql`
    select id, metric, total from counter where id in (${videoId}, ${theirs}, ${root.id}, ${kept.id})`;
  expect(left).toEqual([]);
});
