import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import pino from 'pino';
import { RedisAnnouncements } from '../../src/adapters/redis/announcements.ts';
import { RedisConnection } from '../../src/adapters/redis/connection.ts';
import { systemClock as clock } from '../../src/kernel/clock.ts';
import { systemRandom as random } from '../../src/kernel/random.ts';
import { announcementsContract } from '../../src/ports/announcements/contract.ts';
import { eventually } from '../support/eventually.ts';
import { redisServerPath, startRedisCluster, TestRedis } from '../support/redis-server.ts';

const log = pino({ level: 'silent' });

/** Nodes that are closed together, each with a connection of its own. */
function openNodes(urls: readonly string[]) {
  const opened = new AsyncDisposableStack();
  const connections: RedisConnection[] = [];
  return {
    connections,
    open: async () => {
      const redis = opened.use(await RedisConnection.open({ urls, log }));
      connections.push(redis);
      return opened.use(new RedisAnnouncements({ redis, clock, random, log }));
    },
    areReady: () => eventually(async () => connections.every(({ isReady }) => isReady)),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

type Nodes = ReturnType<typeof openNodes>;

const heads = async (server: TestRedis) => server.command('HGETALL', 'hva:{log}:head');

describe.skipIf(redisServerPath() === undefined)('RedisAnnouncements', () => {
  describe('one server that is restarted', () => {
    announcementsContract(
      async () => {
        const server = await TestRedis.start(['--appendonly', 'no']);
        const nodes = openNodes([server.url]);
        return {
          open: nodes.open,
          lose: async () => {
            await server.kill();
            await server.restart();
            await nodes.areReady();
          },
          [Symbol.asyncDispose]: async () => {
            await nodes[Symbol.asyncDispose]();
            await server[Symbol.asyncDispose]();
          },
        };
      },
      { runs: 100 },
    );
  });

  describe('a cluster that is emptied', () => {
    let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
    beforeAll(async () => {
      cluster = await startRedisCluster();
    }, 30_000);
    afterAll(() => cluster[Symbol.asyncDispose]());

    announcementsContract(
      async () => {
        const { nodes: servers } = cluster;
        await Promise.all(servers.map((server) => server.command('FLUSHALL')));
        const nodes = openNodes(servers.map(({ url }) => url));
        return {
          open: nodes.open,
          lose: async () => {
            await Promise.all(servers.map((server) => server.command('FLUSHALL')));
          },
          [Symbol.asyncDispose]: () => nodes[Symbol.asyncDispose](),
        };
      },
      { runs: 30 },
    );
  });

  /** A follower that counts. */
  async function counting(nodes: Nodes) {
    const node = await nodes.open();
    const seen = { node, resets: 0, texts: [] as string[] };
    node.follow('test', {
      hear: (texts) => seen.texts.push(...texts),
      reset: async () => {
        seen.resets += 1;
      },
    });
    return seen;
  }

  test('a server that comes back with an old file counts as another log', async () => {
    await using server = await TestRedis.start();
    await using nodes = openNodes([server.url]);
    const seen = await counting(nodes);
    await seen.node.catchUp();
    await seen.node.announce([{ kind: 'test', text: '1' }]);
    await server.command('WAITAOF', '1', '0', '1000').catch(() => Bun.sleep(1_100));
    const file = await server.copyFiles();
    await seen.node.announce([{ kind: 'test', text: '2' }]);
    await server.kill();
    await file.putBack();
    await server.restart();
    await nodes.areReady();
    expect(await heads(server)).toMatchObject({ last: '1' });
    await seen.node.announce([{ kind: 'test', text: '3' }]);
    await seen.node.catchUp();
    expect(seen.resets).toBe(2);
    expect(await heads(server)).toMatchObject({ last: '1' });
  });

  test.each(['hva:{log}', 'hva:{log}:head'])('%s may be evicted alone', async (key) => {
    await using server = await TestRedis.start(['--appendonly', 'no']);
    await using nodes = openNodes([server.url]);
    const [one, other] = [await counting(nodes), await counting(nodes)];
    await Promise.all([one.node.catchUp(), other.node.catchUp()]);
    await one.node.announce([{ kind: 'test', text: '1' }]);
    await one.node.catchUp();
    await server.command('DEL', key);
    await one.node.announce([{ kind: 'test', text: '2' }]);
    await Promise.all([one.node.catchUp(), other.node.catchUp()]);
    // The list lost what the first has heard already; the other one misses it.
    expect([one.resets, other.resets]).toEqual(key === 'hva:{log}' ? [1, 2] : [2, 2]);
    if (key === 'hva:{log}') expect(one.texts).toEqual(['1', '2']);
  });

  test('callers of one turn share a look, and those who come while it is under way the next one', async () => {
    await using server = await TestRedis.start(['--appendonly', 'no']);
    await using nodes = openNodes([server.url]);
    const { node } = await counting(nodes);
    await node.catchUp();
    const looks = async () => {
      const info = String(await server.command('INFO', 'commandstats'));
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(info)?.[1] ?? 0);
    };
    const before = await looks();
    const first = Array.from({ length: 1_000 }, () => node.catchUp());
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    const second = Array.from({ length: 1_000 }, () => node.catchUp());
    await Promise.all([...first, ...second]);
    // One more may be the look of an idle node.
    expect((await looks()) - before).toBeLessThanOrEqual(3);
  });

  test('a node that nobody asks hears by itself', async () => {
    await using server = await TestRedis.start(['--appendonly', 'no']);
    await using nodes = openNodes([server.url]);
    const [one, idle] = [await counting(nodes), await counting(nodes)];
    await idle.node.catchUp();
    await one.node.announce([{ kind: 'test', text: '1' }]);
    await eventually(async () => idle.texts.includes('1'));
    await idle.node[Symbol.asyncDispose]();
  });

  test.each(['hangs', 'is gone'])(
    'while the server %s both fail with `timeout`; it is followed again after it',
    async (how) => {
      await using server = await TestRedis.start(['--appendonly', 'no']);
      await using nodes = openNodes([server.url]);
      const seen = await counting(nodes);
      await seen.node.catchUp();
      if (how === 'hangs') process.kill(server.pid, 'SIGSTOP');
      else await server.kill();
      const records = [{ kind: 'test', text: '1' }];
      await expect(seen.node.announce(records)).rejects.toMatchObject({ code: 'timeout' });
      await expect(seen.node.catchUp()).rejects.toMatchObject({ code: 'timeout' });
      if (how === 'hangs') process.kill(server.pid, 'SIGCONT');
      else await server.restart();
      await nodes.areReady();
      await eventually(() =>
        seen.node.catchUp().then(
          () => true,
          () => false,
        ),
      );
      expect(seen.resets).toBe(how === 'hangs' ? 1 : 2);
    },
  );
});
