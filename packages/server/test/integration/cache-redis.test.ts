import { describe } from 'bun:test';
import pino from 'pino';
import { RedisBus } from '../../src/adapters/redis/bus.ts';
import { RedisCacheStore } from '../../src/adapters/redis/cache-store.ts';
import { RedisConnection, type RedisOptions } from '../../src/adapters/redis/connection.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import { busContract } from '../../src/ports/bus/contract.ts';
import { type CacheStoreFactory, cacheStoreContract } from '../../src/ports/cache-store/contract.ts';
import { eventually } from '../support/eventually.ts';
import { redisServerPath, startRedisCluster, TestRedis } from '../support/redis-server.ts';

const log = pino({ level: 'silent' });

async function twoStores(options: Omit<RedisOptions, 'log'>) {
  const connections = await Promise.all([0, 1].map(() => RedisConnection.open({ ...options, log })));
  const [one, two] = await Promise.all(
    connections.map((connection) => RedisCacheStore.open(connection, systemRandom)),
  );
  const close = async () => {
    for (const connection of connections) await connection[Symbol.asyncDispose]();
  };
  // A page is kept only where the store is older than its load.
  await elapse(500);
  return { nodes: [one!, two!] as const, connections, close };
}

/** The server's own time is what passes here; it cannot be turned. */
const elapse = (ms: number) => Bun.sleep(ms);

describe.skipIf(redisServerPath() === undefined)('Redis', () => {
  cacheStoreContract('Redis', async (): Promise<CacheStoreFactory> => {
    const server = await TestRedis.start();
    const stores = await twoStores({ urls: [server.url] });
    let saved: { putBack(): Promise<void> } | undefined;
    return {
      nodes: stores.nodes,
      elapse,
      loseWrites: {
        // As after a crash between two writes of the append-only file.
        save: async () => {
          await server.command('WAITAOF', '1', '0', '1000').catch(() => elapse(1_100));
          saved = await server.copyFiles();
        },
        restart: async () => {
          await server.kill();
          await saved?.putBack();
          await server.restart();
          await eventually(async () => stores.connections.every(({ isReady }) => isReady));
        },
      },
      close: async () => {
        await stores.close();
        await server[Symbol.asyncDispose]();
      },
    };
  });

  cacheStoreContract('Redis Cluster', async () => {
    const cluster = await startRedisCluster();
    const stores = await twoStores({ urls: cluster.nodes.map(({ url }) => url) });
    const close = async () => {
      await stores.close();
      await cluster[Symbol.asyncDispose]();
    };
    return { nodes: stores.nodes, elapse, settleMs: 300, close };
  });

  busContract('Redis', async () => {
    const server = await TestRedis.start(['--appendonly', 'no']);
    const nodes = [
      await RedisBus.open({ urls: [server.url], log }),
      await RedisBus.open({ urls: [server.url], log }),
    ] as const;
    return {
      nodes,
      interrupt: async () => {
        await server.kill();
        await server.restart();
      },
      close: async () => {
        for (const node of nodes) await node[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  });

  busContract('Redis Cluster', async () => {
    const cluster = await startRedisCluster();
    const urls = cluster.nodes.map(({ url }) => url);
    const nodes = [
      await RedisBus.open({ urls, log }),
      await RedisBus.open({ urls: [...urls].reverse(), log }),
    ] as const;
    const close = async () => {
      for (const node of nodes) await node[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    };
    return { nodes, close };
  });
});
