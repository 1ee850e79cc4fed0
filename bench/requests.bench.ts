import { join } from 'node:path';
import { SQL } from 'bun';
import { runningServerUrl } from '../packages/server/src/adapters/postgres/running-server.ts';
import type { Benchmark } from './main.ts';
import { openDemoServer } from './support/demo-server.ts';

const repeats = 400;
/** A connection of PostgreSQL tells its counts when it has been idle for ten seconds. */
const settleMs = 11_000;

export const benchmark: Benchmark = {
  about:
    'What one request costs: transactions in the database (a lone statement is one) and bytes of the answer’s body. ' +
    'The yardstick is the same time without requests, which is taken off.',
  async run() {
    await using demo = await openDemoServer();
    await using sql = new SQL(await runningServerUrl(join(demo.folder, 'data')), { max: 1 });
    const [card] = demo.cards;
    if (!card?.playlistUrl) throw new Error('the demo has no clip');
    const segment = await lastLine(await lastLine(new URL(card.playlistUrl, demo.url)));
    // What making the demo took is told late, and belongs to nothing measured here.
    await Bun.sleep(settleMs);
    const idle = await transactionsDuring(sql, async () => {});
    const costs: Record<string, { transactions: number; bytes: number }> = {};
    for (const [name, url] of Object.entries({
      followingFeed: new URL('/api/v1/feed/following', demo.url),
      videoPage: new URL(`/api/v1/videos/${card.id}`, demo.url),
      segment,
    })) {
      let bytes = 0;
      const total = await transactionsDuring(sql, async () => {
        for (let i = 0; i < repeats; i++) bytes = await get(url, demo.viewer.accessToken);
      });
      costs[name] = { transactions: Number(((total - idle) / repeats).toFixed(2)), bytes };
    }
    return { ...costs, idleTransactions: idle, repeats, clipsInFeed: demo.cards.length };
  },
};

async function get(url: URL, token: string | undefined): Promise<number> {
  const headers = url.pathname.startsWith('/api/') ? { authorization: `Bearer ${token}` } : {};
  const response = await fetch(url, { headers });
  if (response.status !== 200) throw new Error(`${url.pathname} answered ${response.status}`);
  return (await response.arrayBuffer()).byteLength;
}

async function lastLine(playlist: URL): Promise<URL> {
  const lines = (await (await fetch(playlist)).text()).split('\n');
  return new URL(lines.findLast((line) => line !== '' && !line.startsWith('#')) ?? '', playlist);
}

async function transactionsDuring(sql: SQL, work: () => Promise<void>): Promise<number> {
  const before = await transactions(sql);
  await work();
  await Bun.sleep(settleMs);
  return (await transactions(sql)) - before;
}

async function transactions(sql: SQL): Promise<number> {
  const [row] = await sql`
    select (xact_commit + xact_rollback)::int4 as count from pg_stat_database where datname = current_database()`;
  return row.count;
}
