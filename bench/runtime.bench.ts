import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Benchmark } from './main.ts';
import { measureHttp } from './support/http-load.ts';

const body = JSON.stringify({ message: 'x'.repeat(200) });

const bunServer = `const body = ${JSON.stringify(body)};
const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response(body, { headers: { 'content-type': 'application/json' } }) });
console.log(server.port);`;

const nodeServer = `const body = ${JSON.stringify(body)};
const server = require('node:http').createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}).listen(0, '127.0.0.1', () => console.log(server.address().port));`;

const seconds = 4;
const connections = 64;

export const benchmark: Benchmark = {
  about: 'Requests per second of a bare server that sends 214 bytes of JSON: Bun’s against Node’s http.',
  async run() {
    const folder = await mkdtemp(join(tmpdir(), 'hvideo-bench-'));
    try {
      const bun = await measure([process.execPath], join(folder, 'server.js'), bunServer);
      const node = await measure(['node'], join(folder, 'server.cjs'), nodeServer);
      const version = Bun.spawnSync(['node', '--version']).stdout.toString().trim();
      return {
        bunPerSecond: bun,
        nodePerSecond: node,
        ratio: Number((bun / node).toFixed(2)),
        bun: Bun.version,
        node: version,
      };
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

async function measure(command: readonly string[], path: string, source: string): Promise<number> {
  await writeFile(path, source);
  await using server = Bun.spawn([...command, path], { stdout: 'pipe', stderr: 'inherit' });
  const { value } = await server.stdout.getReader().read();
  const port = Number(new TextDecoder().decode(value).trim());
  const { requestsPerSecond } = await measureHttp({
    hostname: '127.0.0.1',
    port,
    path: '/',
    connections,
    seconds,
  });
  return requestsPerSecond;
}
