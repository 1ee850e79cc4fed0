import { join } from 'node:path';
import { tus } from '../packages/server/test/support/api.ts';
import type { Benchmark } from './main.ts';
import { openBareServer } from './support/bare-server.ts';
import { openDemoServer } from './support/demo-server.ts';

const sentBytes = 512 << 20;
const rounds = 3;

export const benchmark: Benchmark = {
  about:
    'Megabytes per second of one upload over tus, on disk before it is answered; the yardstick is a bare Bun server that writes the body to a file and syncs it.',
  async run() {
    await using demo = await openDemoServer();
    const { viewer, folder } = demo;
    const body = new Uint8Array(sentBytes);
    for (let at = 0; at < sentBytes; at += 65_536) crypto.getRandomValues(body.subarray(at, at + 65_536));
    const target = JSON.stringify(join(folder, 'bare.bin'));
    await using bare = await openBareServer(
      join(folder, 'bare.js'),
      `async (request) => {
        const { open } = require('node:fs/promises');
        const file = await open(${target}, 'w');
        for await (const chunk of request.body) await file.write(chunk);
        await file.sync();
        await file.close();
        return new Response(null, { status: 204 });
      }`,
    );
    const ours: number[] = [];
    const plain: number[] = [];
    for (let round = 0; round < rounds; round++) {
      // One byte is kept back: with the last one the file would be examined, and refused.
      const id = await viewer.beginUpload(sentBytes + 1);
      ours.push(
        await secondsOf(`${demo.url}/api/v1/uploads/${id}`, 'PATCH', body, {
          ...tus,
          authorization: `Bearer ${viewer.accessToken}`,
          'upload-offset': '0',
          'content-type': 'application/offset+octet-stream',
        }),
      );
      await viewer.call('DELETE', `/uploads/${id}`, { headers: tus });
      plain.push(await secondsOf(`http://127.0.0.1:${bare.port}/`, 'PUT', body, {}));
    }
    const megabytesPerSecond = Math.round(sentBytes / 1e6 / Math.min(...ours));
    const barePerSecond = Math.round(sentBytes / 1e6 / Math.min(...plain));
    return {
      megabytesPerSecond,
      barePerSecond,
      ratio: Number((megabytesPerSecond / barePerSecond).toFixed(2)),
      sentBytes,
    };
  },
};

async function secondsOf(
  url: string,
  method: string,
  body: Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const startedAtMs = performance.now();
  const { status } = await fetch(url, { method, body, headers });
  if (status !== 204) throw new Error(`the upload was answered with ${status}`);
  return (performance.now() - startedAtMs) / 1000;
}
