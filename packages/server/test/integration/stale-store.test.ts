import { describe, expect, test } from 'bun:test';
import type { VideoDetail } from '@hvideo/protocol';
import { SQL } from 'bun';
import { ApiUser } from '../support/api.ts';
import { runApplication } from '../support/application.ts';
import { redisServerPath, TestRedis } from '../support/redis-server.ts';
import { Snowflakes } from '../support/snowflakes.ts';
import { locked } from '../support/table-locks.ts';

describe.skipIf(redisServerPath() === undefined)('a store of its own for stale values', () => {
  test('still has the page when the fresh one is empty and the database stuck', async () => {
    await using fresh = await TestRedis.start(['--appendonly', 'no']);
    await using stale = await TestRedis.start(['--appendonly', 'no']);
    await using t = await runApplication({ REDIS_URL: fresh.url, REDIS_STALE_URL: stale.url });
    await using other = new SQL(t.databaseUrl, { max: 2 });
    const creator = await new ApiUser(t.url).join('creator', '/instance/setup');
    const videoId = new Snowflakes().next();
    await t.db.sql`
      insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
      values (${videoId}, ${creator.id}, 'A clip', '', '{}', 'public', 'ready', ${videoId}, 1000, 360, 640)`;
    await t.db.sql`update account_counts set videos = 1 where account_id = ${creator.id}`;
    t.features.exists.noteRows([`video:id=${videoId}`]);
    const open = () => new ApiUser(t.url).call<VideoDetail>('GET', `/videos/${videoId}`);
    expect((await open()).body.stale).toEqual([]);
    await fresh.command('FLUSHALL');
    await using lock = await locked(other, 'account', 'comment');
    const { status, body } = await open();
    expect([status, body.video.title]).toEqual([200, 'A clip']);
    expect(body.stale).toContain('video');
    await lock.release();
    expect((await creator.call('DELETE', `/videos/${videoId}`)).status).toBe(204);
    expect((await open()).status).toBe(404);
  }, 60_000);
});
