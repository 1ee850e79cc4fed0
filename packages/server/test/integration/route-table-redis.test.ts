import { describe } from 'bun:test';
import pino from 'pino';
import { RedisConnection } from '../../src/adapters/redis/connection.ts';
import { RedisRouteTable } from '../../src/adapters/redis/route-table.ts';
import { type RouteTableFactory, routeTableContract } from '../../src/ports/route-table/contract.ts';
import { eventually } from '../support/eventually.ts';
import { redisServerPath, startRedisCluster, TestRedis } from '../support/redis-server.ts';

const log = pino({ level: 'silent' });
const ttlMs = 2_000;

/** Nodes that are closed together, each with a connection of its own. */
function openTables(
  servers: readonly TestRedis[],
  lose: () => Promise<void>,
  close: () => Promise<void>,
): RouteTableFactory {
  const opened = new AsyncDisposableStack();
  const connections: RedisConnection[] = [];
  return {
    open: async (name, identity) => {
      const redis = opened.use(await RedisConnection.open({ urls: servers.map(({ url }) => url), log }));
      connections.push(redis);
      return new RedisRouteTable({ redis, name, identity, ttlMs });
    },
    // The server's own time is what passes here; it cannot be turned.
    expire: async (renewing) => {
      const endMs = performance.now() + ttlMs + 500;
      while (performance.now() < endMs) {
        for (const table of renewing) await table.renew();
        await Bun.sleep(ttlMs / 10);
      }
    },
    lose: async () => {
      await lose();
      await eventually(async () => connections.every(({ isReady }) => isReady));
    },
    close: async () => {
      await opened[Symbol.asyncDispose]();
      await close();
    },
  };
}

describe.skipIf(redisServerPath() === undefined)('RedisRouteTable', () => {
  routeTableContract('Redis, restarted', async () => {
    const server = await TestRedis.start(['--appendonly', 'no']);
    const restart = async () => {
      await server.kill();
      await server.restart();
    };
    return openTables([server], restart, () => server[Symbol.asyncDispose]());
  });

  routeTableContract('Redis, restarted with its file', async () => {
    const server = await TestRedis.start(['--appendonly', 'yes', '--appendfsync', 'always']);
    const restart = async () => {
      await server.kill();
      await server.restart();
    };
    return openTables([server], restart, () => server[Symbol.asyncDispose]());
  });

  routeTableContract('Redis Cluster, emptied', async () => {
    const cluster = await startRedisCluster();
    const empty = async () => {
      await Promise.all(cluster.nodes.map((node) => node.command('FLUSHALL')));
    };
    return openTables(cluster.nodes, empty, async () => cluster[Symbol.asyncDispose]());
  });
});
