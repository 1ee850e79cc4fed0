import { describe, expect, test } from 'bun:test';
import pino from 'pino';
import { MemoryBus } from '../../src/adapters/memory/bus.ts';
import { MemoryCacheStore } from '../../src/adapters/memory/cache-store.ts';
import { Cache, type CacheOptions } from '../../src/cache/cache.ts';
import type { CacheDefinition } from '../../src/cache/definition.ts';
import { dependency } from '../../src/cache/dependency.ts';
import { LevelOne } from '../../src/cache/level-one.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { systemRandom as random } from '../../src/kernel/random.ts';
import type { CacheStore } from '../../src/ports/cache-store/port.ts';

const log = pino({ level: 'silent' });
const rowOf = dependency('things', 'id');
const minuteMs = 60_000;

/** Time that passes when the test says so, and everything that follows from it. */
class SteppedClock implements Clock {
  #nowMs = 1_000;
  readonly #timers = new Set<{ atMs: number; run(): void }>();
  nowMs = () => this.#nowMs;
  monotonicMs = () => this.#nowMs;

  sleep: Clock['sleep'] = (ms, { signal } = {}) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const timer = this.after(ms, resolve);
      signal?.addEventListener('abort', () => {
        timer[Symbol.dispose]();
        reject(signal.reason);
      });
    });

  after: Clock['after'] = (ms, run) => {
    const timer = { atMs: this.#nowMs + ms, run };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  };

  every: Clock['every'] = (ms, run) => {
    let timer = this.after(ms, function again(this: void) {
      void run();
      timer = next(again);
    });
    const next = (again: () => void) => this.after(ms, again);
    return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
  };

  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    while (this.#nowMs < untilMs) {
      this.#nowMs = Math.min(untilMs, this.#nowMs + 50);
      for (const timer of [...this.#timers])
        if (timer.atMs <= this.#nowMs && this.#timers.delete(timer)) timer.run();
      await settle();
    }
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Nodes that share a store and a bus; each counts its loads. */
function world() {
  const clock = new SteppedClock();
  const store = new MemoryCacheStore(clock, { maxBytes: 1 << 22 });
  const bus = new MemoryBus();
  const counts = { loads: 0 };
  const node = async (
    load: CacheDefinition<string>['load'],
    { definition = {}, ...options }: Partial<CacheOptions> & { definition?: object } = {},
  ) => {
    const cache = await Cache.open({ ...{ clock, random, log, bus, store, leaseMs: 300 }, ...options });
    const things = cache.define<string>({
      ...{ name: 'thing', freshMs: minuteMs, staleMs: 60 * minuteMs, withinMs: 2 * minuteMs },
      ...{ dependencies: [rowOf], owner: (id: string) => rowOf(id) },
      ...definition,
      load: (ids, signal) => {
        counts.loads += 1;
        return load(ids, signal);
      },
    });
    return { cache, things };
  };
  return { clock, store, counts, node };
}

const named = async (ids: readonly string[]) => new Map(ids.map((id) => [id, `thing ${id}`]));

describe('a load', () => {
  test('that is slow keeps its lease: nobody else begins another', async () => {
    const { clock, counts, node } = world();
    const gate = Promise.withResolvers<void>();
    const slowly: typeof named = (ids) => gate.promise.then(() => named(ids));
    const [one, other] = [await node(slowly), await node(slowly)];
    const first = one.things.get('1');
    await settle();
    const second = other.things.get('1');
    await clock.pass(20_000);
    expect(counts.loads).toBe(1);
    gate.resolve();
    await clock.pass(1_000);
    expect([await first, await second]).toEqual([
      { value: 'thing 1', isStale: false },
      { value: 'thing 1', isStale: false },
    ]);
    expect(counts.loads).toBe(1);
  });

  test('that hangs is given up after its time, and others may load', async () => {
    const { clock, counts, node } = world();
    const hanging = await node(() => new Promise(() => {}));
    const other = await node(named);
    const first = hanging.things.get('1').catch((error: Error) => error.name);
    await settle();
    const second = other.things.get('1');
    await clock.pass(31_000);
    expect(await first).toBe('TimeoutError');
    expect(await second).toEqual({ value: 'thing 1', isStale: false });
    expect(counts.loads).toBe(2);
  });

  test('goes on while one waits for it, and is aborted when the last has left', async () => {
    const { node } = world();
    const signals: AbortSignal[] = [];
    const { things } = await node((_ids, signal) => {
      signals.push(signal);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const leaving = [new AbortController(), new AbortController()];
    const gets = leaving.map(({ signal }) => things.get('1', { signal }).catch(() => 'left'));
    await settle();
    leaving[0]!.abort();
    await settle();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    leaving[1]!.abort();
    await settle();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(await Promise.all(gets)).toEqual(['left', 'left']);
  });

  test('that finds nothing is remembered for seconds, or until the row comes', async () => {
    const { clock, counts, node } = world();
    let isThere = false;
    const { cache, things } = await node((ids) => named(isThere ? ids : []));
    for (let time = 0; time < 5; time += 1) expect((await things.get('1')).value).toBeNull();
    expect(counts.loads).toBe(1);
    await clock.pass(5_000);
    expect((await things.get('1')).value).toBeNull();
    expect(counts.loads).toBe(2);
    isThere = true;
    await cache.invalidate([rowOf('1')]);
    expect((await things.get('1')).value).toBe('thing 1');
  });
});

test('what is hot on one node is kept in every node', async () => {
  const { clock, node } = world();
  const [one, other] = [await node(named), await node(named)];
  for (let time = 0; time < 100; time += 1) await one.things.get('1');
  expect(one.things.getIfHot('1')).toMatchObject({ value: 'thing 1', isStale: false });
  await other.things.get('1');
  expect(other.things.getIfHot('1')).toBeUndefined();
  await clock.pass(1_000);
  await other.things.get('1');
  await other.things.get('2');
  expect(other.things.getIfHot('1')).toMatchObject({ value: 'thing 1', isStale: false });
  expect(other.things.getIfHot('2')).toBeUndefined();
  await one.cache.invalidate([rowOf('1')]);
  await settle();
  expect(other.things.getIfHot('1')).toBeUndefined();
});

test('lives are of different lengths, and none is longer than was asked for', async () => {
  const { store, node } = world();
  const lives: number[] = [];
  const watching: CacheStore = Object.assign(Object.create(store), {
    fill: (fills: Parameters<CacheStore['fill']>[0]) => {
      lives.push(...fills.map(({ freshForMs }) => freshForMs));
      return store.fill(fills);
    },
    read: store.read.bind(store),
  });
  const { things } = await node(named, { store: watching });
  await Promise.all(Array.from({ length: 200 }, (_, at) => things.get(String(at))));
  expect(lives.length).toBe(200);
  expect(Math.max(...lives)).toBeLessThanOrEqual(minuteMs);
  expect(Math.min(...lives)).toBeGreaterThanOrEqual(0.9 * minuteMs);
  expect(new Set(lives).size).toBeGreaterThan(50);
});

test('values that are no longer fresh may lie in another store', async () => {
  const { clock, store, node } = world();
  const staleStore = new MemoryCacheStore(clock, { maxBytes: 1 << 20 });
  let isAway = false;
  const load: typeof named = (ids) => (isAway ? Promise.reject(new Error('away')) : named(ids));
  const [one, other] = [await node(load, { staleStore }), await node(load, { staleStore })];
  await one.things.get('1');
  await one.cache.invalidate([rowOf('1')]);
  isAway = true;
  await clock.pass(2 * minuteMs);
  const [read] = await store.read([{ key: 'thing@1:1', owner: rowOf('1') }], undefined);
  expect(read).toEqual({ kind: 'miss', stale: undefined });
  expect(await other.things.get('1')).toEqual({ value: 'thing 1', isStale: true });
  await expect(other.things.get('1', { stale: 'refuse' })).rejects.toThrow();
  await expect(other.things.get('2')).rejects.toThrow('away');
  isAway = false;
  await clock.pass(1_000);
  expect(await other.things.get('1')).toEqual({ value: 'thing 1', isStale: false });
});

test('the first level stays within its bytes, and a crowd that comes once drives out nobody who stays', () => {
  const level = new LevelOne(50_000);
  const shelf = level.shelf<string>();
  const put = (id: string, nowMs: number) =>
    shelf.put(id, { value: id, freshUntilMs: minuteMs, rows: [rowOf(id)], bytes: 500 }, nowMs);
  for (let at = 0; at < 10; at += 1) put(`stays-${at}`, 0);
  for (let at = 0; at < 10; at += 1) shelf.get(`stays-${at}`, 600);
  for (let at = 0; at < 1_000; at += 1) {
    put(`passes-${at}`, 1_000);
    expect(level.bytes).toBeLessThanOrEqual(50_000);
  }
  for (let at = 0; at < 10; at += 1) expect(shelf.get(`stays-${at}`, 1_000)).toBeDefined();
  expect(level.evictions).toBeGreaterThan(900);
  expect(shelf.get('passes-0', 1_000)).toBeUndefined();
});
