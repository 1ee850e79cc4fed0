import { join } from 'node:path';
import { createClient } from '@redis/client';
import { open } from 'lmdb';
import pino from 'pino';
import { LmdbTimelineStore } from '../packages/server/src/adapters/lmdb/timeline-store.ts';
import { RedisConnection } from '../packages/server/src/adapters/redis/connection.ts';
import { RedisTimelineStore } from '../packages/server/src/adapters/redis/timeline-store.ts';
import { systemClock as clock } from '../packages/server/src/kernel/clock.ts';
import { systemRandom as random } from '../packages/server/src/kernel/random.ts';
import { entryBytes } from '../packages/server/src/ports/timeline-store/entries.ts';
import {
  MAX_CAPACITY,
  type Push,
  type Shelf,
  type TimelineStore,
} from '../packages/server/src/ports/timeline-store/port.ts';
import { redisServerPath, TestRedis } from '../packages/server/test/support/redis-server.ts';
import type { Benchmark } from './main.ts';
import { benchFolder } from './support/folder.ts';

const inboxes = 10_000;
const capacity = 100;
/** Pairs of one call: each entry goes to so many inboxes, as a chunk of followers does. */
const batchPairs = 1_000;
const followersEach = 50;
/** Store and yardstick take turns, because the machine is shared. */
const rounds = 4;
const batchesPerRound = 75;
const pairsPerRound = batchesPerRound * batchPairs;

export const benchmark: Benchmark = {
  about:
    'Entries pushed to random inboxes per second; the yardsticks are the same keys and batches as plain puts into LMDB, and as pipelined ZADDs into Redis. Beside it the same into full inboxes, where each push also cuts.',
  async run() {
    return { ...(await onLmdb()), ...(await onRedis()) };
  },
};

type Batch = readonly Push[];

/** The same batches for both: keys rise, inboxes are drawn at random. */
function* batches(): Generator<Batch, never> {
  let key = 2n ** 60n;
  for (;;) {
    const batch: Push[] = [];
    while (batch.length < batchPairs) {
      key += 4_096n;
      const entry = { key: String(key), authorId: String(key / 3n), videoId: String(key - 7n) };
      for (let nth = 0; nth < followersEach; nth++)
        batch.push({ shelf: inboxOf(Math.floor(Math.random() * inboxes)), entry });
    }
    yield batch;
  }
}

const inboxOf = (at: number): Shelf => ({ kind: 'inbox', ownerId: String(1_000_000 + at) });

async function race(store: TimelineStore, plain: (batch: Batch) => Promise<void>) {
  const source = batches();
  let [storeMs, plainMs] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const taken = Array.from({ length: batchesPerRound }, () => source.next().value);
    storeMs += await timed(taken, (batch) => store.push(batch));
    plainMs += await timed(taken, plain);
  }
  const rate = (ms: number) => Math.round((rounds * pairsPerRound * 1_000) / ms);
  return { storeRate: rate(storeMs), plainRate: rate(plainMs), ratio: rounded(plainMs / storeMs), source };
}

async function timed(taken: readonly Batch[], work: (batch: Batch) => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  for (const batch of taken) await work(batch);
  return performance.now() - startedMs;
}

/** Until every inbox is at its capacity; then what a push costs that also has to make room. */
async function whenFull(store: TimelineStore, source: Generator<Batch, never>): Promise<number> {
  const fill = Math.ceil((inboxes * capacity * 1.25 - rounds * pairsPerRound) / batchPairs);
  for (let batch = 0; batch < fill; batch++) await store.push(source.next().value);
  const taken = Array.from({ length: batchesPerRound }, () => source.next().value);
  return Math.round((pairsPerRound * 1_000) / (await timed(taken, (batch) => store.push(batch))));
}

async function begin(store: TimelineStore): Promise<void> {
  for (let at = 0; at < inboxes; at++) {
    const token = await store.begin(inboxOf(at), capacity);
    await store.merge(inboxOf(at), { entries: [], completeDownTo: '0', token, isLast: true });
  }
}

async function onLmdb(): Promise<Record<string, unknown>> {
  await using folder = await benchFolder();
  await using store = await LmdbTimelineStore.open({
    folder: join(folder.path, 'store'),
    origin: 'bench',
    clock,
    random,
  });
  await begin(store);
  const empty = await store.stats();
  const plain = open({
    path: join(folder.path, 'plain'),
    noSubdir: false,
    noSync: true,
    mapSize: 16 * 1024 ** 3,
  });
  const layout = { encoding: 'binary', keyEncoding: 'binary', dupSort: true, dupFixed: true } as const;
  const db = plain.openDB<Buffer, Buffer>({ name: 'entries', ...layout });
  const { storeRate, plainRate, ratio, source } = await race(store, async (batch) => {
    let last: Push['entry'] | undefined;
    let bytes = entryBytes(batch[0]!.entry);
    plain.transactionSync(() => {
      for (const { shelf, entry } of batch) {
        if (entry !== last) bytes = entryBytes(entry);
        last = entry;
        const key = Buffer.allocUnsafe(9);
        key[0] = 1;
        key.writeBigUInt64BE(BigInt(shelf.ownerId), 1);
        db.putSync(key, bytes);
      }
    });
  });
  await plain.close();
  const whenFullRate = await whenFull(store, source);
  const full = await store.stats();
  return {
    lmdbPerSecond: storeRate,
    plainLmdbPerSecond: plainRate,
    lmdbRatio: ratio,
    lmdbFullPerSecond: whenFullRate,
    lmdbBytesPerShelf: rounded(Number(empty.bytes) / inboxes),
    lmdbBytesPerEntry: rounded((Number(full.bytes) - Number(empty.bytes)) / Number(full.entries)),
  };
}

async function onRedis(): Promise<Record<string, unknown>> {
  if (redisServerPath() === undefined) return { redis: 'not measured: there is no redis-server on the PATH' };
  await using server = await TestRedis.start();
  await using redis = await RedisConnection.open({
    urls: [server.url],
    timeoutMs: 5_000,
    log: pino({ level: 'silent' }),
  });
  const store = new RedisTimelineStore({ redis, random });
  await begin(store);
  const plain = createClient({ url: server.url });
  await plain.connect();
  const { storeRate, plainRate, ratio, source } = await race(store, async (batch) => {
    let last: Push['entry'] | undefined;
    let bytes = entryBytes(batch[0]!.entry);
    await Promise.all(
      batch.map(({ shelf, entry }) => {
        if (entry !== last) bytes = entryBytes(entry);
        last = entry;
        return plain.sendCommand(['ZADD', `plain:{i:${shelf.ownerId}}`, '0', bytes]);
      }),
    );
  });
  plain.destroy();
  const whenFullRate = await whenFull(store, source);
  const names = Array.from({ length: 200 }, (_, at) => `hvt:{i:${1_000_000 + at * 45}}`);
  let [bytes, entries] = [0, 0];
  for (const name of names) {
    bytes += Number(await server.command('MEMORY', 'USAGE', name));
    entries += Number(await server.command('ZCARD', name)) - 1;
  }
  return {
    redisPerSecond: storeRate,
    plainRedisPerSecond: plainRate,
    redisRatio: ratio,
    redisFullPerSecond: whenFullRate,
    redisBytesPerEntry: rounded(bytes / entries),
    redisBytesPerEntryOfThousand: rounded(await bytesOfLarge(server, store)),
  };
}

/** Redis keeps sets of more than 128 members in another way. */
async function bytesOfLarge(server: TestRedis, store: TimelineStore): Promise<number> {
  const shelf = inboxOf(inboxes);
  const token = await store.begin(shelf, MAX_CAPACITY);
  const entries = Array.from({ length: MAX_CAPACITY }, (_, at) => {
    const key = String(2n ** 60n + BigInt(at));
    return { key, authorId: key, videoId: key };
  });
  await store.merge(shelf, { entries, completeDownTo: '0', token, isLast: true });
  return Number(await server.command('MEMORY', 'USAGE', `hvt:{i:${shelf.ownerId}}`)) / MAX_CAPACITY;
}

const rounded = (value: number) => Math.round(value * 100) / 100;
