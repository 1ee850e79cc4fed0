import { describe, expect, test } from 'bun:test';
import pino from 'pino';
import { RedisConnection } from '../../src/adapters/redis/connection.ts';
import { RedisCounterStore } from '../../src/adapters/redis/counter-store.ts';
import { RedisFences } from '../../src/adapters/redis/fences.ts';
import { counterStoreContract } from '../../src/ports/counter-store/contract.ts';
import { fencesContract } from '../../src/ports/fences/contract.ts';
import type { LoadFences } from '../../src/ports/fences/port.ts';
import { eventually } from '../support/eventually.ts';
import { redisServerPath, startRedisCluster, TestRedis } from '../support/redis-server.ts';

const log = pino({ level: 'silent' });
const id = '42';

const open = (...urls: string[]) => RedisConnection.open({ urls, log });

const fencesOn = (redis: RedisConnection, load: LoadFences) =>
  new RedisFences({
    ...{ redis, load, log },
    read: async (names) => {
      const raised = await load();
      return new Set(names.filter((name) => raised.includes(name)));
    },
  });

describe.skipIf(redisServerPath() === undefined)('Redis', () => {
  describe('fences', () => {
    fencesContract(async () => {
      const server = await TestRedis.start(['--appendonly', 'no']);
      const connections: RedisConnection[] = [];
      return {
        open: async (load) => {
          const redis = await open(server.url);
          connections.push(redis);
          return fencesOn(redis, load);
        },
        lose: async () => {
          await server.kill();
          await server.restart();
          await eventually(async () => connections.every(({ isReady }) => isReady));
        },
        [Symbol.asyncDispose]: async () => {
          for (const redis of connections) await redis[Symbol.asyncDispose]();
          await server[Symbol.asyncDispose]();
        },
      };
    });

    test('a server that comes back with an old file counts as empty', async () => {
      await using server = await TestRedis.start();
      await using redis = await open(server.url);
      const truth: string[] = [];
      const fences = fencesOn(redis, async () => truth);
      expect(await fences.isRaised('video:1')).toBe(false);
      await server.command('WAITAOF', '1', '0', '1000').catch(() => Bun.sleep(1_100));
      const file = await server.copyFiles();
      truth.push('video:1');
      await fences.raise(['video:1']);
      await server.kill();
      await file.putBack();
      await server.restart();
      await eventually(async () => redis.isReady);
      expect(await redis.script("return redis.call('ZCARD', KEYS[1])", ['hvf:{0}'], [])).toBe(1);
      expect(await fences.isRaised('video:1')).toBe(true);
    });

    test('while the server is away the truth is asked, once for all who wait; a raise fails', async () => {
      await using server = await TestRedis.start(['--appendonly', 'no']);
      await using redis = await open(server.url);
      let questions = 0;
      const fences = new RedisFences({
        ...{ redis, log, load: async () => [] },
        read: async (names) => {
          questions += 1;
          await Bun.sleep(20);
          return new Set(names.filter((name) => Number(name) % 2 === 0));
        },
      });
      await server.kill();
      await eventually(async () => !redis.isReady);
      const answers = await Promise.all(Array.from({ length: 500 }, (_, at) => fences.isRaised(String(at))));
      expect(answers).toEqual(Array.from({ length: 500 }, (_, at) => at % 2 === 0));
      expect(questions).toBeLessThanOrEqual(3);
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
    const fences = fencesOn(redis, async () => names.slice(0, 100));
    await fences.raise(names.slice(100, 150));
    expect(await Promise.all(names.map((name) => fences.isRaised(name)))).toEqual(
      names.map((_, at) => at < 150),
    );
  });
});
