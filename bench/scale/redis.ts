import pino from 'pino';
import { RedisConnection } from '../../packages/server/src/adapters/redis/connection.ts';
import { RedisTimelineStore } from '../../packages/server/src/adapters/redis/timeline-store.ts';
import { systemRandom } from '../../packages/server/src/kernel/random.ts';
import { redisServerPath, TestRedis } from '../../packages/server/test/support/redis-server.ts';
import { cpuMsOf } from '../support/cpu.ts';
import { Seeded } from './seeded.ts';
import { entriesOf, fill, INBOX_ENTRIES, inboxOf, NOW_MS, newEntry } from './shelves.ts';

export interface MeasuredRedis {
  readonly bytesPerEntry: number;
  /** Processor time for each entry pushed, of the server and of the one who pushes. */
  readonly serverPushUs: number;
  readonly callerPushUs: number;
}

const inboxes = 2_000;
const calls = 60;
const pushesAtOnce = 1_000;

/** Undefined where there is no redis-server. */
export async function measureRedis(people: number): Promise<MeasuredRedis | undefined> {
  if (redisServerPath() === undefined) return undefined;
  const random = new Seeded(people + 1);
  await using server = await TestRedis.start(['--appendonly', 'no']);
  // Patient: what is measured is processor time, and the machine may be busy.
  const connection = { urls: [server.url], timeoutMs: 10_000, log: pino({ level: 'silent' }) };
  await using redis = await RedisConnection.open(connection);
  const store = new RedisTimelineStore({ redis, random: systemRandom });
  const emptyBytes = await usedBytes(server);
  for (let reader = 0; reader < inboxes; reader++)
    await fill(store, inboxOf(reader), entriesOf(random, INBOX_ENTRIES, people));
  const bytesPerEntry = Math.round(((await usedBytes(server)) - emptyBytes) / (inboxes * INBOX_ENTRIES));
  const [serverBeforeMs, callerBefore] = [await cpuMsOf(server.pid), process.cpuUsage()];
  for (let call = 0; call < calls; call++) {
    const entry = newEntry(random, NOW_MS, random.below(people));
    const push = () => ({ shelf: inboxOf(random.below(inboxes)), entry });
    await store.push(Array.from({ length: pushesAtOnce }, push));
  }
  const { user, system } = process.cpuUsage(callerBefore);
  const pushes = calls * pushesAtOnce;
  const serverUs = ((await cpuMsOf(server.pid)) - serverBeforeMs) * 1_000;
  return { bytesPerEntry, serverPushUs: serverUs / pushes, callerPushUs: (user + system) / pushes };
}

async function usedBytes(server: TestRedis): Promise<number> {
  const info = String(await server.command('INFO', 'memory'));
  return Number(/used_memory:(\d+)/.exec(info)?.[1]);
}
