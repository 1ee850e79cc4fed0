import { MemoryBus } from '../adapters/memory/bus.ts';
import { MemoryCacheStore } from '../adapters/memory/cache-store.ts';
import { openLogicalChangeFeed } from '../adapters/postgres/change-feed/logical-feed.ts';
import { openOutboxChangeFeed } from '../adapters/postgres/change-feed/outbox-feed.ts';
import { Cache } from '../cache/index.ts';
import type { Config } from '../config/config.ts';
import { systemClock as clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { Metrics } from '../kernel/metrics.ts';
import { systemRandom as random } from '../kernel/random.ts';
import type { ChangeFeed } from '../ports/change-feed/port.ts';
import type { TellOwnChanges } from '../ports/own-changes/port.ts';
import type { Platform } from './platform.ts';

export interface DerivedOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly platform: Platform;
  readonly metrics?: Metrics;
}

/** The cache, and the way in which what this process commits reaches it at once. */
export async function openCache(
  { config, log, metrics }: DerivedOptions,
  opening: AsyncDisposableStack,
): Promise<{ cache: Cache; tell: TellOwnChanges }> {
  const maxBytes = config.HVIDEO_CACHE_BYTES;
  const cache = opening.use(
    await Cache.open({
      ...{ clock, random, bus: new MemoryBus(), log: log.child({ part: 'cache' }) },
      store: new MemoryCacheStore(clock, { maxBytes }),
      level1MaxBytes: Math.floor(maxBytes / 4),
      ...(metrics && { metrics }),
    }),
  );
  return {
    cache,
    tell: async (changes) => {
      await cache.apply(changes);
    },
  };
}

/** What everything derived follows. Call it when every cache is defined. */
export function openChangeFeed({ config, log, platform }: DerivedOptions, cache: Cache): ChangeFeed {
  const options = {
    ...{ url: platform.databaseUrl, database: platform.database, clock, random },
    ...{ slot: config.HVIDEO_CHANGE_FEED_SLOT, log: log.child({ part: 'changes' }) },
  };
  const feed =
    config.HVIDEO_CHANGE_FEED === 'outbox' ? openOutboxChangeFeed(options) : openLogicalChangeFeed(options);
  feed.follow({
    name: 'cache',
    tables: [...cache.watched()].map(([table, keys]) => ({ table, before: [...new Set(keys.flat())] })),
    async handle({ rows }) {
      const told = rows.filter(({ operation }) => operation !== 'truncate');
      if (told.length < rows.length) await cache.forgetAll();
      const { reached } = await cache.apply(told);
      // The batch is kept and handed over again.
      if (!reached) throw new AppError('timeout', { detail: 'The store of the cache was not reached' });
    },
    rebuild: () => cache.forgetAll(),
  });
  return feed;
}
