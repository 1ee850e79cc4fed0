import { describe, expect, test } from 'bun:test';
import pino from 'pino';
import { RedisConnection } from '../../src/adapters/redis/connection.ts';
import { findLargeShelves, MAX_SHELF_MEMBERS } from '../../src/adapters/redis/large-shelves.ts';
import { RedisTimelineStore } from '../../src/adapters/redis/timeline-store.ts';
import { systemRandom as random } from '../../src/kernel/random.ts';
import { timelineStoreContract } from '../../src/ports/timeline-store/contract.ts';
import type { Shelf, TimelineStore } from '../../src/ports/timeline-store/port.ts';
import { eventually } from '../support/eventually.ts';
import { redisServerPath, startRedisCluster, TestRedis } from '../support/redis-server.ts';

const log = pino({ level: 'silent' });
const idleMs = 2_000;
const shelf: Shelf = { kind: 'inbox', ownerId: '7' };
const entry = (key: number) => ({ key: String(key), authorId: '1', videoId: '2' });

const open = (...urls: string[]) => RedisConnection.open({ urls, log });

async function ready(store: TimelineStore, of: Shelf = shelf): Promise<void> {
  const token = await store.begin(of, 100);
  await store.merge(of, { entries: [entry(1)], completeDownTo: '0', token, isLast: true });
}
const stateOf = async (store: TimelineStore, of: Shelf = shelf) =>
  (await store.read([{ shelf: of, limit: 10 }]))[0]?.state;

describe.skipIf(redisServerPath() === undefined)('Redis', () => {
  timelineStoreContract('Redis', async () => {
    const server = await TestRedis.start();
    const connections = [await open(server.url), await open(server.url)];
    const [store, second] = connections.map((redis) => new RedisTimelineStore({ redis, random, idleMs }));
    let file: Awaited<ReturnType<TestRedis['copyFiles']>> | undefined;
    return {
      ...{ store: store!, second: second!, idleMs, elapse: (ms) => Bun.sleep(ms) },
      loseWrites: {
        save: async () => {
          await server.command('WAITAOF', '1', '0', '1000').catch(() => Bun.sleep(1_100));
          file = await server.copyFiles();
        },
        restart: async () => {
          await server.kill();
          await file?.putBack();
          await server.restart();
          await eventually(async () => connections.every(({ isReady }) => isReady));
        },
      },
      close: async () => {
        for (const redis of connections) await redis[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  });

  timelineStoreContract('Redis Cluster', async () => {
    const cluster = await startRedisCluster();
    const redis = await open(...cluster.nodes.map(({ url }) => url));
    const store = new RedisTimelineStore({ redis, random, idleMs });
    return {
      ...{ store, second: store, idleMs, elapse: (ms) => Bun.sleep(ms) },
      loseWrites: {
        save: async () => {},
        restart: async () => {
          await Promise.all(cluster.nodes.map((node) => node.kill()));
          await Promise.all(cluster.nodes.map((node) => node.restart()));
          for (let id = 1; id <= 30; id++)
            await eventually(() =>
              stateOf(store, { kind: 'inbox', ownerId: String(id) }).catch(() => false as const),
            );
        },
      },
      close: async () => {
        await redis[Symbol.asyncDispose]();
        await cluster[Symbol.asyncDispose]();
      },
    };
  });

  test('a server that was emptied, or lost its memory, is cold', async () => {
    await using server = await TestRedis.start(['--appendonly', 'no']);
    await using redis = await open(server.url);
    const store = new RedisTimelineStore({ redis, random });
    await ready(store);
    expect(await stateOf(store)).toBe('ready');
    await server.command('FLUSHALL');
    expect(await stateOf(store)).toBe('cold');
    await ready(store);
    await server.kill();
    await expect(stateOf(store)).rejects.toMatchObject({ code: 'timeout' });
    await server.restart();
    await eventually(async () => redis.isReady);
    expect(await stateOf(store)).toBe('cold');
  });

  test('a shelf is one key that expires, and never has more members than stated', async () => {
    await using server = await TestRedis.start(['--appendonly', 'no']);
    await using redis = await open(server.url);
    const store = new RedisTimelineStore({ redis, random, idleMs: 60_000 });
    await store.push([{ shelf, entry: entry(5) }]);
    expect(await server.command('DBSIZE')).toBe(0);
    const token = await store.begin(shelf, 1_000);
    expect(await store.merge(shelf, { entries: [], completeDownTo: '2000', token, isLast: true })).toBe(true);
    for (let from = 0; from < 6_000; from += 500) {
      await store.push(Array.from({ length: 500 }, (_, at) => ({ shelf, entry: entry(from + at + 1) })));
      expect(Number(await server.command('ZCARD', 'hvt:{i:7}'))).toBeLessThanOrEqual(1_251);
    }
    expect(await server.command('DBSIZE')).toBe(1);
    expect(Number(await server.command('PTTL', 'hvt:{i:7}'))).toBeGreaterThan(50_000);
    expect(Number(await server.command('MEMORY', 'USAGE', 'hvt:{i:7}'))).toBeLessThan(250_000);
  });

  test('a dead slot of a cluster is a timeout soon, and the other slots answer', async () => {
    await using cluster = await startRedisCluster();
    await using redis = await open(...cluster.nodes.map(({ url }) => url));
    const store = new RedisTimelineStore({ redis, random });
    const shelves = Array.from(
      { length: 30 },
      (_, at): Shelf => ({ kind: 'outbox', ownerId: String(at + 1) }),
    );
    for (const each of shelves) await ready(store, each);
    await cluster.nodes[1]!.kill();
    const startedMs = performance.now();
    const states = await Promise.all(
      shelves.map((each) => stateOf(store, each).catch((error: { code?: string }) => error.code)),
    );
    expect(performance.now() - startedMs).toBeLessThan(3_000);
    expect(new Set(states)).toEqual(new Set(['ready', 'timeout']));
    await expect(store.push(shelves.map((each) => ({ shelf: each, entry: entry(2) })))).rejects.toMatchObject(
      {
        code: 'timeout',
      },
    );
  });

  test('shelves that are larger than they may be are found', async () => {
    await using server = await TestRedis.start(['--appendonly', 'no']);
    await using redis = await open(server.url);
    const store = new RedisTimelineStore({ redis, random });
    for (let id = 1; id <= 50; id++) await ready(store, { kind: 'inbox', ownerId: String(id) });
    expect(await findLargeShelves(server.url)).toEqual({ looked: 50, isComplete: true, large: [] });
    const members = Array.from({ length: MAX_SHELF_MEMBERS }, (_, at) => ['0', `member ${at}`]).flat();
    await server.command('ZADD', 'hvt:{i:7}', ...members);
    const { large } = await findLargeShelves(server.url);
    expect(large).toEqual([`hvt:{i:7} (${MAX_SHELF_MEMBERS + 2})`]);
  });
});
