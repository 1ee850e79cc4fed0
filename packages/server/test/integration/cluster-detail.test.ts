import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { VideoDetail } from '@hvideo/protocol';
import { SQL } from 'bun';
import { smallestIdAt } from '../../src/kernel/ids.ts';
import { ApiUser } from '../support/api.ts';
import { Cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { redisServerPath } from '../support/redis-server.ts';
import { locked, waitingFor } from '../support/table-locks.ts';

/** How long a process that was not told may show a hot page, at most. */
const hotMs = 2_000;

/** Two processes that share a database and a Redis. */
describe.skipIf(redisServerPath() === undefined)('two processes', () => {
  let cluster: Cluster;
  let creators: ApiUser[];
  let videoId: string;
  let made = 0;

  beforeAll(async () => {
    cluster = await Cluster.start({ redis: ['--appendonly', 'yes', '--appendfsync', 'everysec'] });
    const creator = await new ApiUser(cluster.urls[0]!).join('creator', '/instance/setup');
    creators = cluster.urls.map((url) => {
      const here = new ApiUser(url);
      here.id = creator.id;
      here.accessToken = creator.accessToken;
      return here;
    });
  }, 60_000);

  afterAll(() => cluster[Symbol.asyncDispose](), 60_000);

  beforeEach(() => publish());

  async function publish(): Promise<void> {
    made += 1;
    videoId = String(BigInt(smallestIdAt(Date.now())) + BigInt(made));
    await cluster.shared.database.sql`
      insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
      values (${videoId}, ${creators[0]!.id}, '0', '', '{}', 'public', 'ready', ${videoId}, 1000, 360, 640)`;
    await cluster.shared.database.sql`
      update account_counts set videos = videos + 1 where account_id = ${creators[0]!.id}`;
  }

  const page = async (node: number) => {
    const response = await fetch(`${cluster.urls[node]}/api/v1/videos/${videoId}`, {
      signal: AbortSignal.timeout(10_000),
    });
    const body = response.ok ? ((await response.json()) as VideoDetail) : undefined;
    return { status: response.status, body };
  };
  const rename = (node: number, title: string) =>
    creators[node]!.call('PATCH', `/videos/${videoId}`, { body: { title } });

  /** The sum over both processes. */
  async function loads(): Promise<Record<string, number>> {
    const sums: Record<string, number> = {};
    for (const url of cluster.urls) {
      const text = await (await fetch(`${url}/metrics`)).text();
      for (const [, cache = '', count] of text.matchAll(
        /^hvideo_cache_loads_total\{cache="([^"]+)"\} (\d+)/gm,
      ))
        sums[cache] = (sums[cache] ?? 0) + Number(count);
    }
    return sums;
  }

  async function ask(count: number, paths: readonly string[]) {
    const script = join(import.meta.dir, '..', 'support', 'many-requests.ts');
    const child = Bun.spawn([process.execPath, script, String(count), ...paths], {
      ...{ stdin: 'ignore', stdout: 'pipe', stderr: 'inherit', timeout: 60_000 },
      env: { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: String(count) },
    });
    return JSON.parse(await new Response(child.stdout).text());
  }

  test('10,000 requests at once for a cold video load each part once', async () => {
    // The change feed has told of the new video, so that nothing invalidates it below.
    await eventually(
      async () => (await cluster.shared.database.sql`select 1 from change_log limit 1`).length === 0,
    );
    const before = await loads();
    const answer = await ask(
      10_000,
      cluster.urls.map((url) => `${url}/api/v1/videos/${videoId}`),
    );
    expect(answer.statuses).toEqual({ 200: 10_000 });
    const after = await loads();
    const freshMs = { 'video-page': 60_000, 'first-comments': 10_000, 'related-videos': 30_000 };
    for (const [part, ms] of Object.entries(freshMs)) {
      // Where the machine is so busy that a part outlives its freshness, it is loaded again.
      const most = 1 + Math.floor(answer.longestMs / (ms * 0.9));
      const loaded = (after[part] ?? 0) - (before[part] ?? 0);
      expect([part, loaded >= 1 && loaded <= most]).toEqual([part, true]);
    }
  }, 90_000);

  test('what one process writes it shows at once and the other soon; what it removes is gone from both at once', async () => {
    for (let at = 1; at <= 20; at += 1) {
      await Promise.all([page(0), page(1)]);
      expect((await rename(at % 2, String(at))).status).toBe(200);
      const isShown = async (node: number) => {
        const { body } = await page(node);
        return body?.video.title === String(at) && body.stale.length === 0;
      };
      expect(await isShown(at % 2)).toBe(true);
      await eventually(() => isShown(1 - (at % 2)), hotMs);
    }
    await Promise.all(Array.from({ length: 100 }, () => page(1)));
    expect((await creators[0]!.call('DELETE', `/videos/${videoId}`)).status).toBe(204);
    expect((await page(1)).status).toBe(404);
    expect((await page(0)).status).toBe(404);
  }, 30_000);

  test('who may see a video, and who is blocked, holds on the other process with the next request', async () => {
    const viewer = await new ApiUser(cluster.urls[1]!).join('viewer_1');
    const seen = async () => (await viewer.call('GET', `/videos/${videoId}`)).status;
    const set = async (visibility: string) =>
      expect((await creators[0]!.call('PATCH', `/videos/${videoId}`, { body: { visibility } })).status).toBe(
        200,
      );
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(Array.from({ length: 60 }, () => page(1)));
      expect([(await page(1)).status, await seen()]).toEqual([200, 200]);
      await set('private');
      expect([(await page(1)).status, await seen()]).toEqual([404, 404]);
      await set('public');
      expect([(await page(1)).status, await seen()]).toEqual([200, 200]);
      const block = `/users/${viewer.id}/block`;
      expect((await creators[0]!.call('PUT', block)).status).toBe(204);
      expect(await seen()).toBe(404);
      expect((await creators[0]!.call('DELETE', block)).status).toBe(204);
      expect(await seen()).toBe(200);
    }
  }, 60_000);

  test('without its database a community still shows what it knows, marked as stale, and catches up', async () => {
    await Promise.all([page(0), page(1)]);
    expect((await rename(0, 'Newer')).status).toBe(200);
    await using closed = await closeDatabase(cluster.shared.url);
    const answers = await Promise.all(Array.from({ length: 200 }, (_, at) => page(at % 2)));
    for (const { status, body } of answers) {
      expect([status, body?.video.title]).toEqual([200, '0']);
      expect(body?.stale).toContain('video');
    }
    await closed.open();
    await eventually(async () => {
      const { status, body } = await page(1);
      return status === 200 && body?.video.title === 'Newer' && body.stale.length === 0;
    }, 20_000);
  }, 60_000);

  test('a takedown holds on both, while Redis is away, and when it comes back empty', async () => {
    const gone = async () => expect([(await page(0)).status, (await page(1)).status]).toEqual([404, 404]);
    const takeDown = (node: number) =>
      creators[node]!.call('POST', `/videos/${videoId}/takedown`, { body: { reason: 'a test' } });
    const heat = () => Promise.all(Array.from({ length: 200 }, (_, at) => page(at % 2)));
    await heat();
    expect((await heat()).every(({ status }) => status === 200)).toBe(true);
    expect((await takeDown(0)).status).toBeLessThan(300);
    await gone();

    await publish();
    await heat();
    await cluster.redis.kill();
    try {
      const answer = await takeDown(1);
      expect([answer.status, answer.body.code]).toEqual([503, 'timeout']);
      // It was recorded before it was to be told: whoever cannot ask Redis asks the database.
      await gone();
      await cluster.redis.forgetFiles();
    } finally {
      await cluster.redis.restart();
    }
    await gone();
    for (const node of [0, 1]) await eventually(async () => (await takeDown(node)).status < 300);
    await gone();
    for (const url of cluster.urls)
      await eventually(async () =>
        (await (await fetch(`${url}/metrics`)).text()).includes('cache_store_breaker{state="closed"} 1'),
      );
  }, 60_000);

  test('reads of one trace end with it on the other process too, down to the statement', async () => {
    await using other = new SQL(cluster.shared.url, { max: 3 });
    const trace = (digit: string) => ({ traceparent: `00-${digit.repeat(32)}-${'1'.repeat(16)}-01` });
    const open = (node: number, id: string, headers: Record<string, string>, signal?: AbortSignal) =>
      fetch(`${cluster.urls[node]}/api/v1/videos/${id}`, { headers, ...(signal && { signal }) });
    const page = 'from video v join account';
    {
      await using lock = await locked(other, 'account');
      const asked = open(1, videoId, trace('a'));
      await eventually(async () => (await waitingFor(other, page)) > 0);
      // Of another trace, and then of this one: what has no page.
      expect((await open(0, '1', trace('b'))).status).toBe(404);
      expect(await waitingFor(other, page)).toBeGreaterThan(0);
      expect((await open(0, '1', trace('a'))).status).toBe(404);
      const answer = await asked;
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([499, 'cancelled']);
      await eventually(async () => (await waitingFor(other, page)) === 0);
      await lock.release();
    }
    await using lock = await locked(other, 'account');
    const leaving = new AbortController();
    const gone = open(0, videoId, trace('c'), leaving.signal);
    const left = open(1, String(BigInt(videoId) + 1n), trace('c'));
    await eventually(async () => (await waitingFor(other, page)) > 1);
    leaving.abort();
    await expect(gone).rejects.toThrow();
    expect((await left).status).toBe(499);
    await eventually(async () => (await waitingFor(other, page)) === 0);
    await lock.release();
  }, 30_000);

  test.each([false, true])(
    'Redis may be killed and started again under load (rewriting its file: %p): nothing fails, nothing is old',
    async (isRewriting) => {
      let written = 0;
      /** What each process has written itself, and what both had written `hotMs` ago. */
      const writtenAt = [0, 0];
      const history: { number: number; atMs: number }[] = [];
      let isOver = false;
      const faults: string[] = [];
      let answers = 0;
      const reader = async (node: number) => {
        while (!isOver) {
          const startedMs = performance.now();
          const settled = history.findLast(({ atMs }) => atMs < startedMs - hotMs)?.number ?? 0;
          const atLeast = Math.max(writtenAt[node] ?? 0, settled);
          const { status, body } = await page(node);
          answers += 1;
          const tookMs = performance.now() - startedMs;
          if (status !== 200) faults.push(`${status} after ${tookMs} ms`);
          else if (!body?.stale.includes('video') && Number(body?.video.title) < atLeast)
            faults.push(`${body?.video.title} at ${node} after ${atLeast} was written at ${atLeast % 2}`);
          if (tookMs > 4_000) faults.push(`waited ${tookMs} ms`);
        }
      };
      const writer = async () => {
        for (let next = 1; !isOver; next += 1) {
          const { status } = await rename(next % 2, String(next));
          if (status === 200) {
            written = next;
            writtenAt[next % 2] = next;
            history.push({ number: next, atMs: performance.now() });
          } else faults.push(`a write was answered ${status}`);
          await Bun.sleep(5);
        }
      };
      const load = Promise.all([...Array.from({ length: 16 }, (_, at) => reader(at % 2)), writer()]);
      const progress = async (count: number) => {
        const from = written;
        await eventually(async () => written >= from + count || faults.length > 0, 20_000);
      };
      try {
        for (let round = 0; round < 3; round += 1) {
          await progress(50);
          if (isRewriting) await cluster.redis.beginRewriting();
          await cluster.redis.kill();
          await progress(50);
          await cluster.redis.restart();
          await progress(50);
        }
      } finally {
        isOver = true;
        await load;
      }
      expect(faults).toEqual([]);
      expect(answers).toBeGreaterThan(1_000);
    },
    120_000,
  );
});

/** Nobody can use the database until `open`, and whoever did is thrown out. */
async function closeDatabase(url: string): Promise<{ open(): Promise<void> } & AsyncDisposable> {
  const name = new URL(url).pathname.slice(1);
  const admin = new URL(url);
  admin.pathname = '/postgres';
  const sql = new SQL(admin.href, { max: 1 });
  await sql.unsafe(`alter database ${name} allow_connections false`);
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`;
  let isClosed = true;
  const open = async () => {
    if (!isClosed) return;
    isClosed = false;
    await sql.unsafe(`alter database ${name} allow_connections true`);
    await sql.close();
  };
  return { open, [Symbol.asyncDispose]: open };
}
