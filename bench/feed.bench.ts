import { join } from 'node:path';
import type { Benchmark } from './main.ts';
import { openBareServer } from './support/bare-server.ts';
import { openDemoServer } from './support/demo-server.ts';
import { measureHttp } from './support/http-load.ts';

const load = { hostname: '127.0.0.1', connections: 32, seconds: 4 };

export const benchmark: Benchmark = {
  about:
    'Pages of the following feed per second, signed in; the yardstick is a bare Bun server that sends the same bytes.',
  async run() {
    await using demo = await openDemoServer();
    const path = '/api/v1/feed/following';
    const headers = { authorization: `Bearer ${demo.viewer.accessToken}` };
    const page = await fetch(demo.url + path, { headers });
    const body = join(demo.folder, 'page.json');
    const pageBytes = await Bun.write(body, await page.text());
    await using bare = await openBareServer(
      join(demo.folder, 'bare.js'),
      `((body) => () => new Response(body, { headers: { 'content-type': 'application/json' } }))(await Bun.file(${JSON.stringify(body)}).text())`,
    );
    const ours = await measureHttp({ ...load, port: Number(new URL(demo.url).port), path, headers });
    const yardstick = await measureHttp({ ...load, port: bare.port, path: '/', headers });
    return {
      pagesPerSecond: ours.requestsPerSecond,
      barePerSecond: yardstick.requestsPerSecond,
      ratio: Number((ours.requestsPerSecond / yardstick.requestsPerSecond).toFixed(3)),
      failures: ours.failures,
      pageBytes,
    };
  },
};
