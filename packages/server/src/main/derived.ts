import { AnnouncedFences } from '../adapters/announced/fences.ts';
import { AnnouncedLately } from '../adapters/announced/lately.ts';
import { MemoryAnnouncements } from '../adapters/memory/announcements.ts';
import { MemoryBus } from '../adapters/memory/bus.ts';
import { MemoryCacheStore } from '../adapters/memory/cache-store.ts';
import { aloneRouteTable } from '../adapters/memory/route-table.ts';
import { openLogicalChangeFeed } from '../adapters/postgres/change-feed/logical-feed.ts';
import { openOutboxChangeFeed } from '../adapters/postgres/change-feed/outbox-feed.ts';
import { StartError } from '../adapters/postgres/start-error.ts';
import { RedisAnnouncements } from '../adapters/redis/announcements.ts';
import { RedisBus } from '../adapters/redis/bus.ts';
import { RedisCacheStore } from '../adapters/redis/cache-store.ts';
import { RedisConnection } from '../adapters/redis/connection.ts';
import { RedisCounterStore } from '../adapters/redis/counter-store.ts';
import { RedisRouteTable } from '../adapters/redis/route-table.ts';
import { RedisTimelineStore } from '../adapters/redis/timeline-store.ts';
import { Cache, ToldTransactions } from '../cache/index.ts';
import type { Config } from '../config/config.ts';
import { loadFences, readFences } from '../features/videos/index.ts';
import { systemClock as clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { Metrics } from '../kernel/metrics.ts';
import { systemRandom as random } from '../kernel/random.ts';
import type { Announcements } from '../ports/announcements/port.ts';
import type { Bus } from '../ports/bus/port.ts';
import type { CacheStore } from '../ports/cache-store/port.ts';
import type { ChangeFeed } from '../ports/change-feed/port.ts';
import type { CounterStore } from '../ports/counter-store/port.ts';
import type { Fences } from '../ports/fences/port.ts';
import type { TellOwnChanges } from '../ports/own-changes/port.ts';
import type { NodeIdentity, RouteTable } from '../ports/route-table/port.ts';
import type { TimelineStore } from '../ports/timeline-store/port.ts';
import { ANNOUNCED_KINDS, announcedChanges } from './announced-changes.ts';
import type { Platform } from './platform.ts';

export interface DerivedOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly platform: Platform;
  readonly metrics?: Metrics;
}

/** What the processes of a community share beside the truth; one process alone has it in its memory. */
export interface Shared {
  readonly announcements: AnnouncedLately;
  readonly bus: Bus;
  readonly cacheStore: CacheStore;
  /** Undefined: values that are no longer fresh lie beside the others. */
  readonly staleStore: CacheStore | undefined;
  readonly fences: Fences;
  /** Undefined: this process keeps its own. */
  readonly counterStore: CounterStore | undefined;
  readonly timelineStore: TimelineStore | undefined;
  /** Where this node is found by others, under its name on the bus. */
  openRoutes(name: string, identity: () => NodeIdentity | undefined): RouteTable;
}

export async function openShared(
  { config, log, platform }: DerivedOptions,
  opening: AsyncDisposableStack,
): Promise<Shared> {
  const urls = config.REDIS_URL;
  const redisLog = log.child({ part: 'redis' });
  const staleStore =
    config.REDIS_STALE_URL && (await openRedisCache(config.REDIS_STALE_URL, redisLog, opening)).store;
  if (!urls) {
    return {
      ...openAnnounced(new MemoryAnnouncements(), platform, log),
      staleStore,
      bus: new MemoryBus(),
      cacheStore: new MemoryCacheStore(clock, { maxBytes: Math.floor(config.HVIDEO_CACHE_BYTES / 2) }),
      counterStore: undefined,
      timelineStore: undefined,
      openRoutes: () => aloneRouteTable,
    };
  }
  const { redis, store } = await openRedisCache(urls, redisLog, opening);
  const announcements = opening.use(new RedisAnnouncements({ redis, clock, random, log: redisLog }));
  return {
    ...openAnnounced(announcements, platform, redisLog),
    bus: opening.use(await RedisBus.open({ urls, log: redisLog }).catch(redisUnusable)),
    cacheStore: store,
    staleStore,
    counterStore: new RedisCounterStore(redis),
    timelineStore: new RedisTimelineStore({ redis, random }),
    openRoutes: (name, identity) => new RedisRouteTable({ redis, name, identity }),
  };
}

async function openRedisCache(urls: readonly string[], log: Logger, opening: AsyncDisposableStack) {
  const redis = opening.use(await RedisConnection.open({ urls, log }).catch(redisUnusable));
  return { redis, store: await RedisCacheStore.open(redis, random).catch(redisUnusable) };
}

function openAnnounced(inner: Announcements, { database }: Platform, log: Logger) {
  const announcements = new AnnouncedLately(inner, ANNOUNCED_KINDS);
  const fences = new AnnouncedFences({
    ...{ announcements, clock, log },
    load: () => loadFences(database),
    read: (names) => readFences(database, names),
  });
  return { announcements, fences };
}

/** The address may hold a password, and is not told. */
function redisUnusable(error: unknown): never {
  throw new StartError(
    'the Redis server cannot be used: it does not answer as one',
    'Check REDIS_URL and REDIS_STALE_URL, and that the server runs and may be reached from here.',
    error,
  );
}

/** The cache, and the way in which what this process commits reaches it at once. */
export async function openCache(
  { config, log, metrics }: DerivedOptions,
  { bus, cacheStore, staleStore }: Shared,
  opening: AsyncDisposableStack,
): Promise<{ cache: Cache; told: ToldTransactions; tell: TellOwnChanges }> {
  const cache = opening.use(
    await Cache.open({
      ...{ clock, random, bus, log: log.child({ part: 'cache' }) },
      store: cacheStore,
      ...(staleStore && { staleStore }),
      level1MaxBytes: Math.floor(config.HVIDEO_CACHE_BYTES / 2),
      ...(metrics && { metrics }),
    }),
  );
  const told = new ToldTransactions();
  return {
    ...{ cache, told },
    tell: async (changes, transaction) => {
      const rows = cache.rowsOf(changes);
      const { reached } = await cache.invalidate(rows);
      if (reached && transaction !== undefined) told.note(transaction, rows);
    },
  };
}

/** What everything derived follows. Call it when every cache is defined. */
export function openChangeFeed(
  { config, log, platform, metrics }: DerivedOptions,
  { cache, told }: { cache: Cache; told: ToldTransactions },
  shared: Shared,
): ChangeFeed {
  const options = {
    ...{ url: platform.databaseUrl, database: platform.database, clock, random },
    ...{ slot: config.HVIDEO_CHANGE_FEED_SLOT, log: log.child({ part: 'changes' }) },
  };
  const feed =
    config.HVIDEO_CHANGE_FEED === 'outbox' ? openOutboxChangeFeed(options) : openLogicalChangeFeed(options);
  feed.follow({
    name: 'cache',
    tables: [...cache.watched()].map(([table, keys]) => ({ table, before: [...new Set(keys.flat())] })),
    async handle({ rows, transactions }) {
      if (rows.some(({ operation }) => operation === 'truncate')) await cache.forgetAll();
      const changed = transactions.flatMap(({ transaction, rows }) =>
        told.untold(transaction, cache.rowsOf(rows.filter(({ operation }) => operation !== 'truncate'))),
      );
      const { reached } = await cache.invalidate([...new Set(changed)]);
      // The batch is kept and handed over again.
      if (!reached) throw new AppError('timeout', { detail: 'The store of the cache was not reached' });
    },
    rebuild: () => cache.forgetAll(),
  });
  const { announcements, fences } = shared;
  for (const consumer of announcedChanges({ announcements, fences, database: platform.database }))
    feed.follow(consumer);
  if (metrics) exportFeed(metrics, feed);
  return feed;
}

function exportFeed(metrics: Metrics, feed: ChangeFeed): void {
  metrics.gauge('change_feed_leading', '1 where this process follows the changes for all', () =>
    feed.status().state === 'leading' ? 1 : 0,
  );
  metrics.gauge(
    'change_feed_lag_seconds',
    'Age of the oldest change not handled',
    () => feed.status().lagMs / 1000,
  );
  metrics.gauge(
    'change_feed_lag_bytes',
    'Log behind the confirmed position',
    () => feed.status().lagBytes ?? 0,
  );
  metrics.gauge('change_feed_rows', 'Changes handled since the start', () => feed.status().handledRows);
  metrics.gauge('change_feed_rebuilds', 'Times begun anew since the start', () => feed.status().timesRebuilt);
}
