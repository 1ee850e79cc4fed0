import { join } from 'node:path';
import type { FollowingPage } from '@hvideo/protocol';
import { TestRedis } from '../packages/server/test/support/redis-server.ts';
import type { Benchmark } from './main.ts';
import { openBareServer } from './support/bare-server.ts';
import { openCommunity } from './support/community.ts';
import { cpuMsOf } from './support/cpu.ts';
import { type CrowdReader, makeCrowd } from './support/crowd.ts';
import { type HttpLoad, measureHttp, warmUpSecondsOf } from './support/http-load.ts';

const shape = { authors: 1_000, videosEach: 60, readers: 1_000, followsEach: 100, mode: 2 } as const;
const path = '/api/v1/feed/following?limit=20';
const connections = 64;
const secondsEach = 4;
const rounds = 3;
const deepPage = 30;
const deepReaders = 200;

export const benchmark: Benchmark = {
  about:
    'Warm first pages of the following feed (20 full cards) per second, to random signed-in readers; page 30, past the inbox; the yardstick is a bare Bun server that sends the same bytes. All of it once more with a Redis beside the server.',
  async run() {
    const embedded = await measure({});
    await using redis = await TestRedis.start(['--appendonly', 'no']);
    const { pagesPerSecond, barePerSecond, ratio, p99Ms, failures } = await measure({ REDIS_URL: redis.url });
    return { ...embedded, redis: { pagesPerSecond, barePerSecond, ratio, p99Ms, failures } };
  },
};

/** A community of its own, whose server is started with these settings. */
async function measure(env: Readonly<Record<string, string>>) {
  await using community = await openCommunity(env);
  const { url, sql, dataDir, pid } = community;
  const readers = await makeCrowd(sql, dataDir, shape);
  await untilFollowed(url);
  const port = Number(new URL(url).port);
  // Twice: the first page finds no inbox, and lets it be built.
  for (let turn = 0; turn < 2; turn++) await readAll(url, readers);
  const page = await (await fetch(url + path, { headers: readers[0]!.headers })).text();
  const cards = (JSON.parse(page) as FollowingPage).items.length;
  // Made past the server, they are known to it by its change feed alone: whatever it has missed it takes for invented.
  if (cards !== 20) throw new Error(`a first page has ${cards} cards`);
  const body = join(community.folder, 'page.json');
  const pageBytes = await Bun.write(body, page);
  await using bare = await openBareServer(
    join(community.folder, 'bare.js'),
    `((body) => () => new Response(body, { headers: { 'content-type': 'application/json' } }))(await Bun.file(${JSON.stringify(body)}).text())`,
  );
  const requests = readers.map(({ headers }) => ({ method: 'GET', path, headers }));
  const random = () => requests[Math.floor(Math.random() * requests.length)]!;
  const load = { hostname: '127.0.0.1', connections, seconds: secondsEach, path, choose: random };
  await measureHttp({ ...load, port });
  await measureHttp({ ...load, port: bare.port, seconds: 1 });
  const [first, last, yardstick] = [new Series(pid), new Series(pid), new Series(bare.pid)];
  for (let round = 0; round < rounds; round++) {
    await first.measure({ ...load, port });
    await yardstick.measure({ ...load, port: bare.port });
  }
  const p99Ms = await latency(url, readers);
  const deep = await deepRequests(url, readers.slice(0, deepReaders));
  const chooseDeep = () => deep[Math.floor(Math.random() * deep.length)]!;
  await measureHttp({ ...load, port, choose: chooseDeep });
  for (let round = 0; round < rounds; round++) await last.measure({ ...load, port, choose: chooseDeep });
  return {
    pagesPerSecond: first.perSecond,
    barePerSecond: yardstick.perSecond,
    ...{ ratio: ratio(first, yardstick), p99Ms },
    deepPagesPerSecond: last.perSecond,
    deepToFirst: ratio(last, first),
    cpuMicrosecondsPerPage: first.cpuMicroseconds,
    deepCpuMicrosecondsPerPage: last.cpuMicroseconds,
    bareCpuMicrosecondsPerPage: yardstick.cpuMicroseconds,
    failures: first.failures + last.failures,
    ...{ pageBytes, cards },
    ...{ readers: shape.readers, followsEach: shape.followsEach, deepPage },
    readsOfEachPerSecond: Math.round(first.perSecond / shape.readers),
  };
}

class Series {
  readonly #pid: number;
  #answered = 0;
  #seconds = 0;
  #cpuMs = 0;
  failures = 0;

  constructor(pid: number) {
    this.#pid = pid;
  }

  async measure(load: HttpLoad): Promise<void> {
    const before = await cpuMsOf(this.#pid);
    const { requestsPerSecond, failures } = await measureHttp(load);
    // Warming up goes at the same pace, and is a part of it.
    this.#cpuMs +=
      ((await cpuMsOf(this.#pid)) - before) * (load.seconds / (load.seconds + warmUpSecondsOf(load)));
    this.#answered += requestsPerSecond * load.seconds;
    this.#seconds += load.seconds;
    this.failures += failures;
  }

  get perSecond(): number {
    return Math.round(this.#answered / this.#seconds);
  }

  /** Of the server. */
  get cpuMicroseconds(): number {
    return Number(((this.#cpuMs * 1000) / this.#answered).toFixed(1));
  }
}

const ratio = (one: Series, other: Series) => Number((one.perSecond / other.perSecond).toFixed(3));

async function readAll(url: string, readers: readonly CrowdReader[]): Promise<void> {
  for (let at = 0; at < readers.length; at += 50) {
    await Promise.all(
      readers
        .slice(at, at + 50)
        .map(async ({ headers }) => (await fetch(url + path, { headers })).arrayBuffer()),
    );
  }
  const deadlineMs = performance.now() + 60_000;
  while (await rebuildsWaiting(url)) {
    if (performance.now() > deadlineMs) throw new Error('the inboxes are not rebuilt');
    await Bun.sleep(200);
  }
}

/** Until the change feed has told of all these rows: before, it makes graphs be read anew. */
async function untilFollowed(url: string): Promise<void> {
  const handled = async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/change_feed_rows(?:\{.*\})? (\d+)$/m.exec(text)?.[1]);
  };
  const deadlineMs = performance.now() + 60_000;
  for (let before = -1, now = await handled(); now !== before; now = await handled()) {
    if (performance.now() > deadlineMs) throw new Error('the change feed does not come to rest');
    before = now;
    await Bun.sleep(2_000);
  }
}

async function rebuildsWaiting(url: string): Promise<boolean> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return !/timeline_inbox_rebuilds_waiting(\{.*\})? 0$/m.test(text);
}

/** Requests of each reader's page 30, by the cursor that leads there. */
async function deepRequests(url: string, readers: readonly CrowdReader[]) {
  return Promise.all(
    readers.map(async ({ headers }) => {
      let cursor = '';
      for (let page = 1; page < deepPage; page++) {
        const answer = await fetch(`${url}${path}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`, {
          headers,
        });
        cursor = ((await answer.json()) as FollowingPage).nextCursor ?? '';
      }
      return { method: 'GET', path: `${path}&cursor=${encodeURIComponent(cursor)}`, headers };
    }),
  );
}

/** At a tenth of the load: single requests of random readers, one after another on eight connections. */
async function latency(url: string, readers: readonly CrowdReader[]): Promise<number> {
  const times: number[] = [];
  const one = async () => {
    for (let turn = 0; turn < 250; turn++) {
      const { headers } = readers[Math.floor(Math.random() * readers.length)]!;
      const startedMs = performance.now();
      await (await fetch(url + path, { headers })).arrayBuffer();
      times.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
  times.sort((a, b) => a - b);
  return Number(times[Math.floor(times.length * 0.99)]!.toFixed(1));
}
