import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { ApiUser } from '../support/api.ts';
import { Cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { redisServerPath } from '../support/redis-server.ts';
import { groupOf, StompUser, stompPair } from '../support/stomp.ts';

/** Two processes that share a database and a Redis, and people connected with either. */
describe.skipIf(redisServerPath() === undefined)('two processes', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start({
      redis: ['--appendonly', 'no'],
      env: (node) => ({ HVIDEO_NODE_URL: `wss://node${node}.example/ws` }),
    });
    await new ApiUser(cluster.urls[0]!).join('creator', '/instance/setup');
  }, 60_000);

  afterAll(() => cluster[Symbol.asyncDispose](), 60_000);

  const pair = () => stompPair([cluster.urls[0]!, cluster.urls[1]!]);

  test('a message goes from one to the other, once and in order', async () => {
    await using p = await pair();
    const texts = Array.from({ length: 20 }, (_, n) => `m${n}`);
    for (const text of texts) await p.one.say(p.conversation, text);
    await eventually(async () => p.two.delivered.length >= texts.length);
    expect(p.two.texts(p.conversation)).toEqual(texts);
    await p.two.say(p.conversation, 'back');
    await eventually(async () => p.one.texts(p.conversation).includes('back'));
  });

  test('each is told where else to go', async () => {
    await using p = await pair();
    expect(p.two.connected?.headers['node']).toBe('wss://node1.example/ws');
    expect(p.two.connected?.headers['alternatives']).toBe('wss://node0.example/ws');
  });

  test('what is lost on the way is found: subscribers cut off, and a server that hangs', async () => {
    await using p = await pair();
    await p.one.say(p.conversation, 'before');
    await eventually(async () => p.two.delivered.length === 1);
    for (let round = 0; round < 3; round += 1) {
      await cluster.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await p.one.say(p.conversation, `cut ${round}`);
    }
    await eventually(async () => p.two.texts(p.conversation).includes('cut 2'), 20_000);
    process.kill(cluster.redis.pid, 'SIGSTOP');
    await p.one.say(p.conversation, 'while it hangs');
    await Bun.sleep(300);
    process.kill(cluster.redis.pid, 'SIGCONT');
    await p.one.say(p.conversation, 'after');
    await eventually(async () => p.two.texts(p.conversation).includes('after'), 20_000);
    expect(p.two.texts(p.conversation)).toEqual([
      'before',
      'cut 0',
      'cut 1',
      'cut 2',
      'while it hangs',
      'after',
    ]);
  }, 60_000);

  test('a slow subscriber that Redis cuts off misses nothing', async () => {
    await using p = await pair();
    await cluster.redis.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 20kb 10kb 1');
    process.kill(cluster.nodes[1]!.pid, 'SIGSTOP');
    const texts = Array.from({ length: 150 }, (_, n) => `m${n} ${'x'.repeat(3_000)}`);
    await Promise.all(
      texts.map((text, n) => p.one.say(p.conversation, text, { 'client-seq': String(n + 1) })),
    );
    process.kill(cluster.nodes[1]!.pid, 'SIGCONT');
    await eventually(async () => p.two.texts(p.conversation).length >= texts.length, 30_000);
    expect(p.two.texts(p.conversation)).toEqual(texts);
    await cluster.redis.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 32mb 8mb 60');
  }, 60_000);

  test('Redis is started again, empty: everything that was said is there', async () => {
    await using p = await pair();
    await cluster.redis.kill();
    await p.one.say(p.conversation, 'without');
    await eventually(async () => p.two.texts(p.conversation).includes('without'), 20_000);
    await cluster.redis.restart();
    await p.one.say(p.conversation, 'with');
    await eventually(async () => p.two.texts(p.conversation).includes('with'), 20_000);
    expect(p.two.texts(p.conversation)).toEqual(['without', 'with']);
  }, 60_000);

  test('a device that connects with the other node is displaced here', async () => {
    await using p = await pair();
    await using other = await new StompUser(cluster.urls[0]!, p.bob.accessToken, {
      reconnectDelay: 0,
    }).connect();
    await eventually(async () => p.two.closes.length > 0);
    p.two.client.reconnectDelay = 0;
    expect(p.two.closes[0]?.code).toBe(4004);
    expect(other.closes).toEqual([]);
  });

  test('a login that is ended on one node ends on the other, and a new member is heard of', async () => {
    await using p = await pair();
    const here = new ApiUser(cluster.urls[0]!);
    here.accessToken = p.ann.accessToken;
    const group = await groupOf(here, p.bob);
    await eventually(async () => p.two.events.some((event) => event['conversationId'] === group));
    await p.one.say(group, 'welcome');
    await eventually(async () => p.two.texts(group).includes('welcome'));
    const bob = new ApiUser(cluster.urls[0]!);
    bob.accessToken = p.bob.accessToken;
    expect((await bob.call('POST', '/auth/logout')).status).toBe(204);
    await eventually(async () => p.two.closes.length > 0);
    expect(p.two.closes[0]?.code).toBe(4002);
  });
});
