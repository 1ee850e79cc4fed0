import { join } from 'node:path';
import type { Benchmark } from './main.ts';
import { openBareServer } from './support/bare-server.ts';
import { openDemoServer } from './support/demo-server.ts';
import { measureHttp } from './support/http-load.ts';

const load = { hostname: '127.0.0.1', connections: 16, seconds: 4 };

export const benchmark: Benchmark = {
  about:
    'Segments per second through a signed link, checked each time; the yardstick is a bare Bun server that sends the same file.',
  async run() {
    await using demo = await openDemoServer();
    const segment = await largestSegment(new URL(demo.cards[0]?.playlistUrl ?? '', demo.url));
    const file = join(demo.folder, 'segment.m4s');
    const segmentBytes = await Bun.write(file, await fetch(segment));
    await using bare = await openBareServer(
      join(demo.folder, 'bare.js'),
      `() => new Response(Bun.file(${JSON.stringify(file)}))`,
    );
    const ours = await measureHttp({ ...load, port: Number(segment.port), path: segment.pathname });
    const yardstick = await measureHttp({ ...load, port: bare.port, path: '/' });
    return {
      segmentsPerSecond: ours.requestsPerSecond,
      barePerSecond: yardstick.requestsPerSecond,
      ratio: Number((ours.requestsPerSecond / yardstick.requestsPerSecond).toFixed(3)),
      failures: ours.failures,
      segmentBytes,
    };
  },
};

/** The first segment of the last rendition in the playlist. */
async function largestSegment(playlist: URL): Promise<URL> {
  const lineOf = async (url: URL, pick: 'first' | 'last') => {
    const lines = (await (await fetch(url)).text())
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    return new URL(lines.at(pick === 'first' ? 0 : -1) ?? '', url);
  };
  return lineOf(await lineOf(playlist, 'last'), 'first');
}
