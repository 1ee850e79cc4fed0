import { join } from 'node:path';
import { ApiUser } from '../packages/server/test/support/api.ts';
import type { Benchmark } from './main.ts';
import { openBareServer } from './support/bare-server.ts';
import { openCommunity } from './support/community.ts';
import { cpuMsOf } from './support/cpu.ts';
import { type ChosenRequest, measureHttp } from './support/http-load.ts';

const viewers = 64;
const commentators = 10;
const others = 12;
const oneWriteIn = 100;
const rounds = 3;
const secondsEach = 4;
const warmUpSeconds = 5;

export const benchmark: Benchmark = {
  about:
    'Pages of one hot video per second to signed-in viewers, one request in 100 being a like of it or the taking back; the yardstick is a bare Bun server that sends the same bytes.',
  async run() {
    await using community = await openCommunity();
    const { author, sql, url } = community;
    const users = await Promise.all(
      Array.from({ length: viewers }, (_, at) => new ApiUser(url).join(`viewer_${at}`)),
    );
    for (let id = 1_000_001; id <= 1_000_001 + others; id++)
      await sql`
        insert into video (id, author_id, title, description, tags, visibility, status, feed_key, cover_file, renditions,
          duration_ms, width, height)
        values (${id}, ${author.id}, ${`Clip ${id}`}, 'What can be seen in it.', '{sea,waves}', 'public', 'ready', ${id},
          '1/cover.jpg', '[]', 15000, 720, 1280)`;
    const path = '/api/v1/videos/1000001';
    for (const user of users.slice(0, commentators))
      await user.call('POST', '/videos/1000001/comments', {
        body: { text: 'What a beautiful evening by the sea!' },
      });
    const requests = users.map(({ accessToken }) =>
      requestsOf(path, { authorization: `Bearer ${accessToken}` }),
    );
    const choose = (connection: number, turn: number): ChosenRequest => {
      const own = requests[connection % viewers]!;
      if (turn % oneWriteIn !== connection % oneWriteIn) return own.read;
      return Math.floor(turn / oneWriteIn) % 2 === 0 ? own.like : own.unlike;
    };
    const page = await (await fetch(url + path, { headers: requests[0]!.read.headers })).text();
    const body = join(community.folder, 'page.json');
    const pageBytes = await Bun.write(body, page);
    await using bare = await openBareServer(
      join(community.folder, 'bare.js'),
      `((body) => () => new Response(body, { headers: { 'content-type': 'application/json' } }))(await Bun.file(${JSON.stringify(body)}).text())`,
    );
    const load = { hostname: '127.0.0.1', connections: viewers, seconds: secondsEach, path, choose };
    const [ours, yardstick] = [[] as number[], [] as number[]];
    let failures = 0;
    const cpu = { ours: 0, yardstick: 0 };
    // Compiled, and with the viewers' parts known to be hot, as after a minute of a video that is.
    await measureHttp({ ...load, seconds: warmUpSeconds, port: Number(new URL(url).port) });
    await measureHttp({ ...load, seconds: 1, port: bare.port });
    for (let round = 0; round < rounds; round++) {
      const before = [await cpuMsOf(community.pid), await cpuMsOf(bare.pid)] as const;
      const measured = await measureHttp({ ...load, port: Number(new URL(url).port) });
      cpu.ours += (await cpuMsOf(community.pid)) - before[0];
      ours.push(measured.requestsPerSecond);
      failures += measured.failures;
      yardstick.push((await measureHttp({ ...load, port: bare.port })).requestsPerSecond);
      cpu.yardstick += (await cpuMsOf(bare.pid)) - before[1];
    }
    const mean = (figures: number[]) =>
      Math.round(figures.reduce((sum, each) => sum + each, 0) / figures.length);
    return {
      pagesPerSecond: mean(ours),
      barePerSecond: mean(yardstick),
      ratio: Number((mean(ours) / mean(yardstick)).toFixed(3)),
      cpuMicrosecondsPerPage: perPage(cpu.ours, mean(ours)),
      bareCpuMicrosecondsPerPage: perPage(cpu.yardstick, mean(yardstick)),
      ...{ failures, pageBytes, viewers, writes: `1 in ${oneWriteIn}` },
    };
  },
};

/** Less noisy than the rates on a machine that others use too. */
const perPage = (cpuMs: number, perSecond: number) =>
  Number(((cpuMs * 1000) / (perSecond * rounds * secondsEach)).toFixed(1));

function requestsOf(path: string, headers: Readonly<Record<string, string>>) {
  return {
    read: { method: 'GET', path, headers },
    like: { method: 'PUT', path: `${path}/like`, headers },
    unlike: { method: 'DELETE', path: `${path}/like`, headers },
  };
}
