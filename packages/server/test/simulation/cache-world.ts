import pino from 'pino';
import { MemoryCacheStore } from '../../src/adapters/memory/cache-store.ts';
import { Cache, type CachedReader, dependency } from '../../src/cache/index.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { AppError } from '../../src/kernel/errors.ts';
import type { Random } from '../../src/kernel/random.ts';
import type { Bus, BusHandler, Subscription } from '../../src/ports/bus/port.ts';
import type { CacheStore } from '../../src/ports/cache-store/port.ts';

/**
 * A world in which nothing happens by itself. Whatever takes time (a call to the store, a statement, a commit, a message)
 * waits at a gate; the test opens one gate at a time, and lets everything run that follows from it.
 */
export interface Gate {
  readonly label: string;
  readonly node: string;
  open(): void;
}

export const freshMs = 5_000;
export const leaseMs = 3_000;
const log = pino({ level: 'silent' });
const rowOf = dependency('things', 'id');

/** What the world leaves out, to see that the checks notice. */
export interface Faults {
  /** Invalidations are announced at the commit, without waiting until others can see it. */
  readonly noWaitForVisibility?: boolean;
  readonly wrapStore?: (store: CacheStore) => CacheStore;
}

export class World {
  readonly gates: Gate[] = [];
  readonly clock: Clock & { readonly sleepers: Set<{ atMs: number; node: string; wake(): void }> };
  readonly violations: string[] = [];
  readonly faults: Faults;
  readonly #random: Random;
  readonly rows = new Map<string, { committed: number; visible: number; visibleAtMs: number[] }>();
  /** The version that is being announced for a row, by whoever calls `invalidate`. */
  readonly #announced = new Map<string, number>();
  readonly #reachedStore = new Map<string, number>();
  readonly nodes = new Map<string, SimNode>();
  #store: CacheStore;
  readonly #subscribers = new Map<string, { handler: BusHandler; queue: (() => void)[] }>();
  isStoreDown = false;
  /** Whether a message is lost on its way. */
  losesMessage = () => false;
  /** Messages arrive in the instant in which they are sent. */
  hasInstantBus = false;
  /** Whether the order of what happens next is still of interest. */
  isOfInterest = true;
  loads = 0;
  loadsFail = false;
  nowMs = 1_000;

  constructor(seed: number, faults: Faults = {}) {
    this.faults = faults;
    this.#random = seededRandom(seed);
    this.clock = this.#makeClock();
    this.#store = this.#emptyStore();
  }

  #emptyStore(): CacheStore {
    const store = new MemoryCacheStore(this.clock, { maxBytes: 1 << 20 });
    return this.faults.wrapStore?.(store) ?? store;
  }

  /** The store loses everything, as after a restart without its file. */
  loseStore(): void {
    this.#store = this.#emptyStore();
  }

  addRow(id: string): void {
    this.rows.set(id, { committed: 1, visible: 1, visibleAtMs: [0, this.nowMs] });
  }

  async addNode(name: string): Promise<SimNode> {
    const node = new SimNode(this, name);
    this.nodes.set(name, node);
    await node.start();
    return node;
  }

  /** What it was doing never goes on. */
  crash(name: string): void {
    this.nodes.get(name)?.crash();
    this.nodes.delete(name);
    this.#subscribers.delete(name);
    for (let at = this.gates.length - 1; at >= 0; at--)
      if (this.gates[at]!.node === name) this.gates.splice(at, 1);
    for (const sleeper of this.clock.sleepers) if (sleeper.node === name) this.clock.sleepers.delete(sleeper);
  }

  gate(node: string, label: string): Promise<void> {
    return new Promise((resolve) => {
      const gate: Gate = {
        label,
        node,
        open: () => {
          this.gates.splice(this.gates.indexOf(gate), 1);
          resolve();
        },
      };
      this.gates.push(gate);
    });
  }

  /** Time passes until the next sleeper wakes. False when nobody sleeps. */
  wakeNext(): boolean {
    let next: { atMs: number; wake(): void } | undefined;
    for (const sleeper of this.clock.sleepers) if (!next || sleeper.atMs < next.atMs) next = sleeper;
    if (!next) return false;
    this.nowMs = Math.max(this.nowMs, next.atMs);
    next.wake();
    return true;
  }

  pass(ms: number): void {
    this.nowMs += ms;
    for (const sleeper of [...this.clock.sleepers]) if (sleeper.atMs <= this.nowMs) sleeper.wake();
  }

  /** B: commits a new version, which others see a little later; then its invalidation is carried out. */
  async write(node: string, id: string, isAnnounced = true): Promise<void> {
    await this.gate(node, 'commit');
    const row = this.rows.get(id)!;
    const version = ++row.committed;
    const visible = this.gate('database', 'visible').then(() => {
      row.visible = Math.max(row.visible, version);
      row.visibleAtMs[version] = this.nowMs;
    });
    if (!this.faults.noWaitForVisibility) await visible;
    if (isAnnounced) await this.nodes.get(node)?.announce(id, version);
    await visible;
  }

  announcing(id: string, version: number): void {
    this.#announced.set(rowOf(id), Math.max(version, this.#announced.get(rowOf(id)) ?? 0));
  }

  storeFor(node: string): CacheStore {
    const call = async <T>(label: string, work: (store: CacheStore) => Promise<T>): Promise<T> => {
      await this.gate(node, label);
      if (this.isStoreDown) throw new AppError('timeout', { detail: 'the store is down' });
      return work(this.#store);
    };
    return {
      read: (keys, lease) => call('read', (store) => store.read(keys, lease)),
      renew: (leases, ms) => call('renew', (store) => store.renew(leases, ms)),
      fill: (fills) => call('fill', (store) => store.fill(fills)),
      release: (leases) => call('release', (store) => store.release(leases)),
      invalidate: (rows) => {
        const versions = rows.map((row) => [row, this.#announced.get(row) ?? 0] as const);
        return call('invalidate', async (store) => {
          await store.invalidate(rows);
          for (const [row, version] of versions) {
            this.#reachedStore.set(row, Math.max(version, this.#reachedStore.get(row) ?? 0));
          }
        });
      },
      forgetAll: () => call('forget', (store) => store.forgetAll()),
      keep: (keys, values, ms) => call('keep', (store) => store.keep(keys, values, ms)),
      recall: (keys) => call('recall', (store) => store.recall(keys)),
      stats: () => this.#store.stats(),
    };
  }

  busFor(node: string): Bus {
    return {
      publish: async (_topic, message) => {
        const reached = new Map(this.#reachedStore);
        for (const [name, subscriber] of this.#subscribers) {
          if (name !== node && this.losesMessage()) continue;
          const deliver = () => {
            subscriber.handler.onMessage(message);
            const { rows = [] } = JSON.parse(new TextDecoder().decode(message)) as { rows?: string[] };
            for (const row of rows) this.nodes.get(name)?.hear(row, reached.get(row) ?? 0);
          };
          subscriber.queue.push(deliver);
          // One message after another, as they were sent.
          if (subscriber.queue.length === 1) void this.#deliverNext(name, subscriber.queue);
        }
      },
      subscribe: async (_topic, handler): Promise<Subscription> => {
        this.#subscribers.set(node, { handler, queue: [] });
        return { isReceiving: true, [Symbol.asyncDispose]: async () => {} };
      },
    };
  }

  async #deliverNext(name: string, queue: (() => void)[]): Promise<void> {
    while (queue.length > 0) {
      if (!this.hasInstantBus) await this.gate(name, 'deliver');
      queue.shift()?.();
    }
  }

  /** The connection of a node's bus was cut and is back: what was on the way is lost. */
  cutBus(name: string): void {
    const subscriber = this.#subscribers.get(name);
    if (!subscriber) return;
    subscriber.queue.length = 0;
    subscriber.handler.onGap();
  }

  reachedStore(id: string): number {
    return this.#reachedStore.get(rowOf(id)) ?? 0;
  }

  get random(): Random {
    return this.#random;
  }

  #makeClock(): World['clock'] {
    return Object.assign(this.clockFor('world'), {
      sleepers: new Set<{ atMs: number; node: string; wake(): void }>(),
    });
  }

  clockFor(node: string): Clock {
    const sleep: Clock['sleep'] = (ms, { signal } = {}) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper = {
          atMs: this.nowMs + ms,
          node,
          wake: () => {
            this.clock.sleepers.delete(sleeper);
            resolve();
          },
        };
        this.clock.sleepers.add(sleeper);
        const onAbort = () => {
          this.clock.sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    return {
      nowMs: () => this.nowMs,
      monotonicMs: () => this.nowMs,
      sleep,
      after: (ms, run) => {
        const sleeper = {
          atMs: this.nowMs + ms,
          node,
          wake: () => {
            this.clock.sleepers.delete(sleeper);
            run();
          },
        };
        this.clock.sleepers.add(sleeper);
        return { [Symbol.dispose]: () => void this.clock.sleepers.delete(sleeper) };
      },
      every: () => ({ [Symbol.dispose]: () => {} }),
    };
  }
}

export type Page = Readonly<Record<string, number>>;

/** One process with its cache. */
export class SimNode {
  readonly #world: World;
  readonly name: string;
  /** For each row the newest version whose invalidation has reached the store and this node. */
  readonly #known = new Map<string, number>();
  #cache: Cache | undefined;
  #things: CachedReader<number> | undefined;
  #pages: CachedReader<Page> | undefined;
  #isCrashed = false;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
  }

  async start(): Promise<void> {
    const { name } = this;
    const world = this.#world;
    this.#cache = await Cache.open({
      clock: world.clockFor(name),
      random: world.random,
      bus: world.busFor(name),
      store: world.storeFor(name),
      log,
      leaseMs,
      hotPerSecond: 1,
      hotMs: 2_000,
    });
    const rest = { freshMs, staleMs: 60_000, dependencies: [rowOf], slowMs: 4_000, withinMs: 60_000 };
    this.#things = this.#cache.define<number>({
      ...rest,
      name: 'thing',
      owner: (id) => rowOf(id),
      load: (ids) => this.#load(ids),
    });
    this.#pages = this.#cache.define<Page>({
      ...rest,
      name: 'page',
      owner: (id) => rowOf(`page-${id}`),
      contains: (page) => Object.keys(page).map((id) => rowOf(id)),
      load: async ([id = '']) =>
        new Map([[id, Object.fromEntries(await this.#load([...world.rows.keys()]))]]),
      maxBatch: 1,
    });
  }

  crash(): void {
    this.#isCrashed = true;
  }

  snapshot() {
    return this.#cache!.snapshot();
  }

  async #load(ids: readonly string[]): Promise<Map<string, number>> {
    const world = this.#world;
    world.loads += 1;
    await world.gate(this.name, 'snapshot');
    const values = new Map(ids.map((id) => [id, world.rows.get(id)!.visible]));
    if (world.loadsFail) throw new Error('the truth is away');
    // A slow reader has its rows, and comes back with them later.
    await world.gate(this.name, 'answer');
    return values;
  }

  async announce(id: string, version: number): Promise<void> {
    this.#world.announcing(id, version);
    const { reached } = await this.#cache!.invalidate([rowOf(id)]);
    // The node that has committed reads its own writes, whether or not the store could be told.
    if (reached || !this.#world.faults.noWaitForVisibility) this.hear(rowOf(id), version);
  }

  hear(row: string, version: number): void {
    this.#known.set(row, Math.max(version, this.#known.get(row) ?? 0));
  }

  async getThing(id: string): Promise<void> {
    const check = this.#expectation([id]);
    const { value, isStale } = await this.#things!.get(id);
    if (!isStale && !this.#isCrashed) check({ [id]: value ?? 0 });
  }

  async getPage(): Promise<void> {
    const check = this.#expectation([...this.#world.rows.keys()]);
    const { value, isStale } = await this.#pages!.get('all');
    if (!isStale && !this.#isCrashed && value) check(value);
  }

  #expectation(ids: readonly string[]): (got: Page) => void {
    const world = this.#world;
    const known = new Map(ids.map((id) => [id, this.#known.get(rowOf(id)) ?? 0]));
    const startedMs = world.nowMs;
    return (got) => {
      for (const id of ids) {
        const version = got[id] ?? 0;
        if (version < known.get(id)!) {
          world.violations.push(`${this.name} served ${id} version ${version}, knowing of ${known.get(id)}`);
        }
        const supersededMs = world.rows.get(id)!.visibleAtMs[version + 1];
        if (supersededMs !== undefined && startedMs - supersededMs > freshMs) {
          world.violations.push(
            `${this.name} served ${id} version ${version}, ${startedMs - supersededMs} ms too old`,
          );
        }
      }
    };
  }
}

export function seededRandom(seed: number): Random & { chance(share: number): boolean } {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
  for (let warmUp = 0; warmUp < 8; warmUp++) next();
  return {
    integer: (below) => next() % below,
    bytes: (count) => Uint8Array.from({ length: count }, () => next() & 255),
    chance: (share) => next() % 10_000 < share * 10_000,
  };
}

/** Lets everything run that follows from what has happened. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
