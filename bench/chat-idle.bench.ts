import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeChatPeople, makeDirects } from '../packages/server/test/support/chat-people.ts';
import type { Benchmark } from './main.ts';
import { openBareProgram } from './support/bare-server.ts';
import { relaySource } from './support/chat-load.ts';
import { openCommunity } from './support/community.ts';

const connections = 18_000;
const settleMs = 15_000;

export const benchmark: Benchmark = {
  about:
    'Memory that the server needs for each idle connection, authenticated and subscribed, in a direct chat; the yardstick is what a bare Bun server needs.',
  async run() {
    await using community = await openCommunity();
    const { url, sql, dataDir, pid, folder } = community;
    const people = await makeChatPeople(sql, dataDir, connections);
    await makeDirects(sql, people);
    // What comes once, with the first of them, is not of each connection.
    const first = await hold(
      `${url.replace('http', 'ws')}/ws`,
      people.slice(0, 100).map(({ token }) => token),
    );
    await Bun.sleep(settleMs);
    const before = await residentBytes(pid);
    const all = await hold(
      `${url.replace('http', 'ws')}/ws`,
      people.slice(100).map(({ token }) => token),
    );
    await Bun.sleep(settleMs);
    const bytesEach = Math.round(((await residentBytes(pid)) - before) / (connections - 100));
    all.kill();
    first.kill();
    await using relay = await openBareProgram(join(folder, 'relay.js'), relaySource(2));
    const bareBefore = await residentBytes(relay.pid);
    const bare = await hold(
      `ws://127.0.0.1:${relay.port}/`,
      people.map(({ token }) => token),
    );
    await Bun.sleep(settleMs / 3);
    const bareBytesEach = Math.round(((await residentBytes(relay.pid)) - bareBefore) / connections);
    bare.kill();
    return { bytesEach, bareBytesEach, connections };
  },
};

/** Another process that connects all of them, subscribes, and holds still until it is killed. */
async function hold(url: string, tokens: readonly string[]): Promise<{ kill(): void }> {
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/support/chat-idle-worker.ts`], {
    stdin: new Blob([JSON.stringify({ url, tokens })]),
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const { value } = await child.stdout.getReader().read();
  if (new TextDecoder().decode(value) !== 'held\n') throw new Error('not every connection is there');
  return child;
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}
