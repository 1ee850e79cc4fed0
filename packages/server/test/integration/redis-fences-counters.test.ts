import { describe, expect, test } from 'bun:test';
import pino from 'pino';
import { AnnouncedFences } from '../../src/adapters/announced/fences.ts';
import { RedisAnnouncements } from '../../src/adapters/redis/announcements.ts';
import { RedisConnection } from '../../src/adapters/redis/connection.ts';
import { RedisCounterStore } from '../../src/adapters/redis/counter-store.ts';
import { systemClock as clock } from '../../src/kernel/clock.ts';
import { systemRandom as random } from '../../src/kernel/random.ts';
import { counterStoreContract } from '../../src/ports/counter-store/contract.ts';
import { fencesContract } from '../../src/ports/fences/contract.ts';
import type { LoadFences, ReadFences } from '../../src/ports/fences/port.ts';
import { eventually } from '../support/eventually.ts';
import { redisServerPath, startRedisCluster, TestRedis } from '../support/redis-server.ts';

const log = pino({ level: 'silent' });
const id = '42';

const open = (...urls: string[]) => RedisConnection.open({ urls, log });

/** A node; it ends with its connection. */
function fencesOn(redis: RedisConnection, load: LoadFences, read: ReadFences = readOf(load)) {
  const announcements = new RedisAnnouncements({ redis, clock, random, log });
  const fences = new AnnouncedFences({ announcements, load, read, clock, log });
  return Object.assign(fences, { [Symbol.asyncDispose]: () => announcements[Symbol.asyncDispose]() });
}

const readOf =
  (load: LoadFences): ReadFences =>
  async (names) => {
    const raised = await load();
    return new Set(names.filter((name) => raised.includes(name)));
  };

describe.skipIf(redisServerPath() === undefined)('Redis', () => {
  describe('fences', () => {
    fencesContract(async () => {
      const server = await TestRedis.start(['--appendonly', 'no']);
      const connections: RedisConnection[] = [];
      const opened = new AsyncDisposableStack();
      return {
        open: async (load) => {
          const redis = opened.use(await open(server.url));
          connections.push(redis);
          return opened.use(fencesOn(redis, load));
        },
        lose: async () => {
          await server.kill();
          await server.restart();
          await eventually(async () => connections.every(({ isReady }) => isReady));
        },
        [Symbol.asyncDispose]: async () => {
          await opened.disposeAsync();
          await server[Symbol.asyncDispose]();
        },
      };
    });

    test('a server that comes back with an old file counts as empty', async () => {
      await using server = await TestRedis.start();
      await using redis = await open(server.url);
      const truth: string[] = [];
      await using fences = fencesOn(redis, async () => truth);
      expect(await fences.isRaised('video:1')).toBe(false);
      await server.command('WAITAOF', '1', '0', '1000').catch(() => Bun.sleep(1_100));
      const file = await server.copyFiles();
      truth.push('video:1');
      await fences.raise(['video:1']);
      await server.kill();
      await file.putBack();
      await server.restart();
      await eventually(async () => redis.isReady);
      expect(await fences.isRaised('video:1')).toBe(true);
    });

    test('while the server is away the truth is asked, once for all who wait; a raise fails', async () => {
      await using server = await TestRedis.start(['--appendonly', 'no']);
      await using redis = await open(server.url);
      let questions = 0;
      const load = async () => ['2'];
      await using fences = fencesOn(redis, load, async (names) => {
        questions += 1;
        await Bun.sleep(20);
        return new Set(names.filter((name) => Number(name) % 2 === 0));
      });
      expect(await fences.isRaised('2')).toBe(true);
      await server.kill();
      await eventually(async () => !redis.isReady);
      const answers = await Promise.all(Array.from({ length: 500 }, (_, at) => fences.isRaised(String(at))));
      expect(answers).toEqual(Array.from({ length: 500 }, (_, at) => at % 2 === 0));
      expect(await fences.raisedAmong(['6', '7', '8'])).toEqual(['6', '8']);
      expect(questions).toBeLessThanOrEqual(4);
      await expect(fences.raise(['video:1'])).rejects.toMatchObject({ code: 'timeout' });
    });
  });

  counterStoreContract('Redis', async () => {
    const server = await TestRedis.start(['--appendonly', 'no']);
    const connections = [await open(server.url), await open(server.url)];
    const [store, second] = connections.map((redis) => new RedisCounterStore(redis));
    return {
      ...{ store: store!, second: second! },
      close: async () => {
        for (const redis of connections) await redis[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  });

  counterStoreContract('Redis Cluster', async () => {
    const cluster = await startRedisCluster();
    const redis = await open(...cluster.nodes.map(({ url }) => url));
    const store = new RedisCounterStore(redis);
    return {
      ...{ store, second: store },
      close: async () => {
        await redis[Symbol.asyncDispose]();
        await cluster[Symbol.asyncDispose]();
      },
    };
  });

  test('counters that a restarted server has from its file count as unknown: newer ones may be lost', async () => {
    await using server = await TestRedis.start();
    await using redis = await open(server.url);
    const store = new RedisCounterStore(redis);
    await store.putNewer([{ id, metric: 1, total: 5, revision: 9 }]);
    await server.command('WAITAOF', '1', '0', '1000').catch(() => Bun.sleep(1_100));
    await server.kill();
    await server.restart();
    await eventually(async () => redis.isReady);
    expect(await store.read([{ id, metric: 1 }])).toEqual([undefined]);
    await store.putNewer([{ id, metric: 1, total: 4, revision: 8 }]);
    expect(await store.read([{ id, metric: 1 }])).toEqual([{ total: 4, revision: 8 }]);
  });

  test('fences stand on every node of a cluster', async () => {
    await using cluster = await startRedisCluster();
    await using redis = await open(...cluster.nodes.map(({ url }) => url));
    const names = Array.from({ length: 200 }, (_, at) => `video:${at}`);
    await using fences = fencesOn(redis, async () => names.slice(0, 100));
    expect(await fences.isRaised('video:100')).toBe(false);
    await fences.raise(names.slice(100, 150));
    expect(await Promise.all(names.map((name) => fences.isRaised(name)))).toEqual(
      names.map((_, at) => at < 150),
    );
  });
});
