import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdbTimelineStore } from '../../src/adapters/lmdb/timeline-store.ts';
import { MemoryTimelineStore } from '../../src/adapters/memory/timeline-store.ts';
import { RedisAnnouncements } from '../../src/adapters/redis/announcements.ts';
import { RedisBus } from '../../src/adapters/redis/bus.ts';
import { RedisCacheStore } from '../../src/adapters/redis/cache-store.ts';
import { RedisConnection } from '../../src/adapters/redis/connection.ts';
import { RedisTimelineStore } from '../../src/adapters/redis/timeline-store.ts';
import { systemClock as clock } from '../../src/kernel/clock.ts';
import { systemRandom as random } from '../../src/kernel/random.ts';
import type { TimelineStore } from '../../src/ports/timeline-store/port.ts';
import { testLog as log } from './database.ts';
import { TestRedis } from './redis-server.ts';
import { newCursorKeys, type SharedParts } from './video-stack.ts';

/** A store that can be lost with everything in it, while it is used. */
export interface LosableStore extends AsyncDisposable {
  readonly store: TimelineStore;
  /** Where it holds more of what nodes have in common than timelines. */
  readonly shared?: SharedParts;
  lose(): Promise<void>;
}

export async function memoryStore(): Promise<LosableStore> {
  const store = new MemoryTimelineStore({ clock, random });
  return { store, lose: async () => store.forget(), [Symbol.asyncDispose]: async () => {} };
}

/** Lost by being opened for another database. */
export async function lmdbStore(): Promise<LosableStore> {
  const folder = await mkdtemp(join(tmpdir(), 'hvideo-engine-'));
  let origins = 0;
  const open = () => LmdbTimelineStore.open({ folder, origin: `${origins++}`, clock, random });
  let inner = await open();
  const store = new Proxy<TimelineStore>(inner, {
    get: (_, name) => {
      const value: unknown = Reflect.get(inner, name, inner);
      return typeof value === 'function' ? value.bind(inner) : value;
    },
  });
  return {
    store,
    lose: async () => {
      await inner[Symbol.asyncDispose]();
      inner = await open();
    },
    [Symbol.asyncDispose]: async () => {
      await inner[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function redisStore(): Promise<LosableStore> {
  await using opening = new AsyncDisposableStack();
  const server = opening.use(await TestRedis.start(['--appendonly', 'no']));
  const redis = opening.use(await RedisConnection.open({ urls: [server.url], log }));
  const opened = opening.move();
  return {
    store: new RedisTimelineStore({ redis, random }),
    lose: async () => {
      await server.command('FLUSHALL');
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Timelines, announcements, cache and bus on one server, as nodes have it: when it is emptied all of them are lost. */
export async function everythingOnRedis(): Promise<LosableStore> {
  await using opening = new AsyncDisposableStack();
  const server = opening.use(await TestRedis.start(['--appendonly', 'no']));
  const urls = [server.url];
  const redis = opening.use(await RedisConnection.open({ urls, log }));
  const shared: SharedParts = {
    cursorKeys: newCursorKeys(),
    async join(leaving) {
      const own = leaving.use(await RedisConnection.open({ urls, log }));
      return {
        announcements: leaving.use(new RedisAnnouncements({ redis: own, clock, random, log })),
        bus: leaving.use(await RedisBus.open({ urls, log })),
        cacheStore: await RedisCacheStore.open(own, random),
      };
    },
    loseAnnouncements: async () => {
      await server.command('DEL', 'hva:{log}:head', 'hva:{log}');
    },
  };
  const opened = opening.move();
  return {
    ...{ store: new RedisTimelineStore({ redis, random }), shared },
    lose: async () => {
      await server.command('FLUSHALL');
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
