import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { ChatCrowd } from '../support/chat-crowd.ts';
import { postmastersOf } from '../support/cli.ts';
import { redisServerPath } from '../support/redis-server.ts';

const people = 200;

/** Two gateways that share a Redis and a PostgreSQL, and are killed like these, one after another, under load. */
describe.skipIf(redisServerPath() === undefined)('a chat of 200 on two gateways', () => {
  let crowd: ChatCrowd;

  beforeAll(async () => {
    crowd = await ChatCrowd.open({ people, groupSize: 20, pauseMs: 400 });
    const nodes = [await crowd.start(0), await crowd.start(1)];
    await crowd.enter((at) => ({ api: nodes[at % 2]!, socket: nodes[at % 2]! }));
  }, 120_000);

  afterAll(async () => {
    await crowd?.[Symbol.asyncDispose]();
  }, 60_000);

  test('loses nothing, doubles nothing and keeps one order', async () => {
    const talking = new AbortController();
    const everybody = crowd.talk(talking.signal);
    await Bun.sleep(4_000);
    await crowd.kill(0);
    await Bun.sleep(1_500);
    await crowd.start(0);
    await Bun.sleep(3_000);
    await crowd.redis.kill('SIGKILL');
    await Bun.sleep(2_000);
    await crowd.redis.restart();
    await Bun.sleep(3_000);
    const [postmaster = 0] = await postmastersOf(crowd.databaseFolder);
    expect(postmaster).toBeGreaterThan(1);
    process.kill(postmaster, 'SIGKILL');
    await Bun.sleep(5_000);
    talking.abort();
    await everybody;
    await crowd.expectWhole(20);
  }, 240_000);
});
