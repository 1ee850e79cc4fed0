import { join } from 'node:path';
import { makeChatPeople, makeDirects } from '../packages/server/test/support/chat-people.ts';
import type { Benchmark } from './main.ts';
import { openBareProgram } from './support/bare-server.ts';
import { type ChatLoad, relaySource, runChatLoad } from './support/chat-load.ts';
import { openCommunity } from './support/community.ts';
import { cpuMsOf, cpuMsOfDatabase } from './support/cpu.ts';

const people = 500;
const shape = { warmUpSeconds: 3, seconds: 8, textBytes: 100 } as const;
const windowEach = 20;
/** Half of what is to be reached at least. */
const quietPerSecond = 10_000;

export const benchmark: Benchmark = {
  about:
    'Durable messages per second in direct chats, with receipts and acknowledgements, and how long they take from one to the other at half of that; the yardstick is a bare Bun relay under the same load.',
  async run() {
    await using community = await openCommunity();
    const { url, sql, dataDir, pid, folder } = community;
    const persons = await makeChatPeople(sql, dataDir, people);
    const conversations = await makeDirects(sql, persons);
    const clients = persons.map(({ token }, at) => ({
      token,
      conversationId: conversations[Math.floor(at / 2)]!,
    }));
    await using relay = await openBareProgram(join(folder, 'relay.js'), relaySource(2));
    const load: ChatLoad = { ...shape, url: `${url.replace('http', 'ws')}/ws`, clients, window: windowEach };
    const measure = async (load: ChatLoad) => {
      const before = { server: await cpuMsOf(pid), database: await cpuMsOfDatabase(dataDir) };
      const result = await runChatLoad(load);
      const after = { server: await cpuMsOf(pid), database: await cpuMsOfDatabase(dataDir) };
      // Of all that were sent, those of the warming up too.
      const messages = (result.receipts / result.seconds) * (shape.warmUpSeconds + result.seconds);
      const microseconds = (ms: number) => Math.round((ms * 1000) / messages);
      return {
        ...result,
        perSecond: Math.round(result.receipts / result.seconds),
        cpuMicroseconds: {
          server: microseconds(after.server - before.server),
          database: microseconds(after.database - before.database),
          load: Math.round((result.cpuMs * 1000) / result.receipts),
        },
      };
    };
    const full = await measure(load);
    const bare = await runChatLoad({ ...load, url: `ws://127.0.0.1:${relay.port}/` });
    const { perSecond } = full;
    const { window: _closed, ...open } = load;
    const half = await measure({ ...open, perSecond: Math.round(perSecond / 2) });
    const quiet = await measure({ ...open, perSecond: quietPerSecond });
    const [stored] = await sql`select count(*)::int as count from message`;
    return {
      messagesPerSecond: perSecond,
      deliveredPerSecond: Math.round(full.delivered / full.seconds),
      barePerSecond: Math.round(bare.receipts / bare.seconds),
      ratio: Number((perSecond / (bare.receipts / bare.seconds)).toFixed(3)),
      atHalf: {
        perSecond: half.perSecond,
        cpuMicroseconds: half.cpuMicroseconds,
        p50Ms: half.p50Ms,
        p99Ms: half.p99Ms,
      },
      atTenThousand: { perSecond: quiet.perSecond, p50Ms: quiet.p50Ms, p99Ms: quiet.p99Ms },
      cpuMicroseconds: full.cpuMicroseconds,
      ...{ stored: stored.count, connections: people, window: windowEach, textBytes: shape.textBytes },
      failures: [...full.failures, ...half.failures, ...quiet.failures, ...bare.failures],
    };
  },
};
