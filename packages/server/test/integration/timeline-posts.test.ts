import { expect, test } from 'bun:test';
import { ApiUser } from '../support/api.ts';
import { runApplication } from '../support/application.ts';
import { eventually } from '../support/eventually.ts';
import { Snowflakes } from '../support/snowflakes.ts';

test('what somebody publishes becomes a part of their rate once it has arrived everywhere', async () => {
  await using t = await runApplication();
  const { sql } = t.db;
  const creator = await new ApiUser(t.url).join('creator', '/instance/setup');
  const id = new Snowflakes().next();
  await sql`
    insert into video (id, author_id, title, description, tags, visibility, status, duration_ms, width, height)
    values (${id}, ${creator.id}, '', '', '{}', 'private', 'ready', 1000, 360, 640)`;
  expect((await creator.call('PATCH', `/videos/${id}`, { body: { visibility: 'public' } })).status).toBe(200);
  const postsOf = async () => {
    await t.features.tuning.creators.flush();
    const [row] = await sql<{ posts: number }>`
      select posts_per_day as posts from feed_creator where account_id = ${creator.id}`;
    return row?.posts ?? 0;
  };
  await eventually(async () => (await sql`select 1 from fanout where pass = 2`).length === 1);
  expect(await postsOf()).toBe(0);
  // As if its time of grace had passed.
  await sql`update fanout set due_at = now() - interval '1 second'`;
  await eventually(async () => (await postsOf()) > 0);
  expect(t.features.publishing.fanOut.counts.settled).toBe(1);
}, 60_000);
