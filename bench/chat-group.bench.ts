import { join } from 'node:path';
import { makeChatPeople, makeGroups } from '../packages/server/test/support/chat-people.ts';
import type { Benchmark } from './main.ts';
import { openBareProgram } from './support/bare-server.ts';
import { type ChatLoad, relaySource, runChatLoad } from './support/chat-load.ts';
import { openCommunity } from './support/community.ts';

const size = 500;
const groups = 2;
/** In each group; the others only listen. */
const senders = 20;
const windowEach = 4;

export const benchmark: Benchmark = {
  about:
    'Deliveries per second into groups of 500 who are all there; the yardstick is a bare Bun relay under the same load.',
  async run() {
    await using community = await openCommunity();
    const { url, sql, dataDir, folder } = community;
    const persons = await makeChatPeople(sql, dataDir, size * groups);
    const conversations = await makeGroups(sql, persons, size);
    const clients = persons.map(({ token }, at) =>
      at % size < senders ? { token, conversationId: conversations[Math.floor(at / size)]! } : { token },
    );
    await using relay = await openBareProgram(join(folder, 'relay.js'), relaySource(size));
    const load: ChatLoad = {
      ...{ url: `${url.replace('http', 'ws')}/ws`, clients, window: windowEach },
      ...{ warmUpSeconds: 3, seconds: 8, textBytes: 100 },
    };
    const ours = await runChatLoad(load);
    const bare = await runChatLoad({ ...load, url: `ws://127.0.0.1:${relay.port}/` });
    const perSecond = (count: number, { seconds }: { seconds: number }) => Math.round(count / seconds);
    return {
      deliveriesPerSecond: perSecond(ours.delivered, ours),
      messagesPerSecond: perSecond(ours.receipts, ours),
      bareDeliveriesPerSecond: perSecond(bare.delivered, bare),
      ratio: Number((perSecond(ours.delivered, ours) / perSecond(bare.delivered, bare)).toFixed(3)),
      ...{ groups, size, sendersEach: senders, window: windowEach },
      failures: [...ours.failures, ...bare.failures],
    };
  },
};
