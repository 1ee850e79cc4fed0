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
    const before = { server: await cpuMsOf(pid), database: await cpuMsOfDatabase(dataDir) };
    const full = await runChatLoad(load);
    const after = { server: await cpuMsOf(pid), database: await cpuMsOfDatabase(dataDir) };
    const bare = await runChatLoad({ ...load, url: `ws://127.0.0.1:${relay.port}/` });
    const perSecond = Math.round(full.receipts / full.seconds);
    const { window: _closed, ...open } = load;
    const half = await runChatLoad({ ...open, perSecond: Math.round(perSecond / 2) });
    const [stored] = await sql`select count(*)::int as count from message`;
    const wholeSeconds = shape.warmUpSeconds + full.seconds;
    const microseconds = (ms: number) => Math.round((ms * 1000) / (perSecond * wholeSeconds));
    return {
      messagesPerSecond: perSecond,
      deliveredPerSecond: Math.round(full.delivered / full.seconds),
      barePerSecond: Math.round(bare.receipts / bare.seconds),
      ratio: Number((perSecond / (bare.receipts / bare.seconds)).toFixed(3)),
      atHalf: {
        perSecond: Math.round(half.receipts / half.seconds),
        p50Ms: half.p50Ms,
        p99Ms: half.p99Ms,
      },
      cpuMicroseconds: {
        server: microseconds(after.server - before.server),
        database: microseconds(after.database - before.database),
        load: Math.round((full.cpuMs * 1000) / full.receipts),
      },
      ...{ stored: stored.count, connections: people, window: windowEach, textBytes: shape.textBytes },
      failures: [...full.failures, ...half.failures, ...bare.failures],
    };
  },
};
