import type { Logger } from 'pino';
import type { Clock } from '../kernel/clock.ts';
import type { Metrics } from '../kernel/metrics.ts';
import { Occasionally } from '../kernel/occasionally.ts';
import { type Random, randomToken } from '../kernel/random.ts';
import type { Bus, Subscription } from '../ports/bus/port.ts';
import { InvalidationLog } from '../ports/cache-store/invalidation-log.ts';
import type { CacheStore } from '../ports/cache-store/port.ts';
import type { CacheDefinition } from './definition.ts';
import type { Existence } from './existence.ts';
import { HotKeys } from './hot-keys.ts';
import { LevelOne } from './level-one.ts';
import { Limiter } from './limiter.ts';
import { CACHE_TOPIC, type CacheMessage, decodeMessage, encodeMessage, publishRows } from './messages.ts';
import { exportMetrics } from './metrics.ts';
import { type CacheNode, FlightIndex } from './node.ts';
import { CachedReader } from './reader.ts';
import { type RowChange, RowRegistry } from './row-registry.ts';
import type { CacheSnapshot } from './snapshot.ts';
import { StoreGuard } from './store-guard.ts';
import { WaitingRoom } from './waiting-room.ts';

export interface CacheOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly bus: Bus;
  readonly store: CacheStore;
  /** Where stale values are kept, if elsewhere: a disk is cheaper for what is rarely read. */
  readonly staleStore?: CacheStore;
  readonly log: Logger;
  readonly metrics?: Metrics;
  readonly level1MaxBytes?: number;
  /** How long a value may live in this process: what a lost invalidation may cost at most, beside `freshMs`. */
  readonly hotMs?: number;
  readonly hotPerSecond?: number;
  readonly leaseMs?: number;
  /** Loads (batches) at a time on this node. */
  readonly maxLoads?: number;
}

const maxUntoldRows = 10_000;
const maxHotKeys = 1_024;
const maxAnnouncements = 100;

/**
 * The cache of one node. Every feature reads through `define`, and nothing else.
 *
 * Invalidation has one entrance, `invalidate` (or `apply` with the changed rows themselves): the change feed calls it for
 * every committed change, once the change is visible to other sessions, and the node that committed calls it at once. It
 * tells the store first, then all nodes; what a node reads in between is checked against what it is told. See `CachedReader`
 * for what is guaranteed.
 */
export class Cache implements AsyncDisposable {
  readonly #options: CacheOptions;
  readonly #node: CacheNode;
  readonly #id: string;
  readonly #store: StoreGuard;
  readonly #failures: Occasionally;
  readonly #log = new InvalidationLog();
  readonly #levelOne: LevelOne;
  readonly #hotKeys: HotKeys;
  readonly #limiter: Limiter;
  readonly #waitingRoom = new WaitingRoom();
  readonly #flights = new FlightIndex();
  readonly #registry = new RowRegistry();
  readonly #readers = new Map<string, Pick<CachedReader<unknown>, 'name' | 'stats'>>();
  readonly #existences = new Set<Existence>();
  readonly #untold = new Set<string>();
  #mustTellAll = false;
  #announcements: string[] = [];
  #subscription: Subscription | undefined;
  #ticker: Disposable | undefined;
  #ticks = 0;

  private constructor(options: CacheOptions) {
    this.#options = options;
    const { clock, random } = options;
    this.#id = randomToken(random, 9);
    this.#failures = new Occasionally(clock);
    this.#store = new StoreGuard(options.store, clock, (rows) => this.#onReached(rows));
    this.#levelOne = new LevelOne(options.level1MaxBytes ?? 64 << 20);
    this.#limiter = new Limiter(options.maxLoads ?? 32, 10_000);
    this.#hotKeys = new HotKeys({
      hotPerSecond: options.hotPerSecond ?? 20,
      maxHotKeys,
      seed: random.integer(2 ** 31),
      onHot: (key) => {
        if (this.#announcements.length < maxAnnouncements) this.#announcements.push(key);
      },
    });
    this.#node = {
      clock,
      random,
      store: this.#store,
      staleStore: options.staleStore,
      log: this.#log,
      levelOne: this.#levelOne,
      hotKeys: this.#hotKeys,
      limiter: this.#limiter,
      waitingRoom: this.#waitingRoom,
      flightsByOwner: this.#flights,
      leaseMs: options.leaseMs ?? 3_000,
      hotMs: options.hotMs ?? 2_000,
      isHearing: () => this.#subscription?.isReceiving === true,
      tick: () => ++this.#ticks,
      announceEnded: (keys) => this.#send({ ended: keys }),
      onFailure: (error, doing) => this.#complain(error, doing),
    };
  }

  static async open(options: CacheOptions): Promise<Cache> {
    const cache = new Cache(options);
    cache.#subscription = await options.bus.subscribe(CACHE_TOPIC, {
      onMessage: (message) => cache.#onMessage(decodeMessage(message)),
      onGap: () => cache.#changeAllHere(),
    });
    cache.#ticker = options.clock.every(1_000, () => cache.#everySecond());
    if (options.metrics) exportMetrics(options.metrics, () => cache.snapshot());
    return cache;
  }

  define<V>(definition: CacheDefinition<V>): CachedReader<V> {
    if (this.#readers.has(definition.name)) throw new Error(`defined twice: ${definition.name}`);
    const reader = new CachedReader(definition, this.#node);
    this.#readers.set(definition.name, reader);
    this.#registry.add(definition.dependencies);
    if (definition.exists) this.#existences.add(definition.exists);
    return reader;
  }

  /** What the change feed must report: for each table the sets of columns by which somebody names its rows. */
  watched(): ReadonlyMap<string, readonly (readonly string[])[]> {
    return this.#registry.watched();
  }

  /** `invalidate` with what a changed row is called by those who declared it. */
  apply(changes: readonly RowChange[], options?: InvalidateOptions): Promise<Invalidation> {
    return this.invalidate(this.rowsOf(changes), options);
  }

  /** What changed rows are called by those who declared them. */
  rowsOf(changes: readonly RowChange[]): string[] {
    return this.#registry.rowsOf(changes);
  }

  /**
   * Everything that depends on one of these rows is outdated, here and everywhere. To be called after the commit is visible
   * to other sessions. `reached` is false when the store could not be told: it will be, by this process as long as it
   * lives; a change feed that must survive its process keeps its position and calls again.
   */
  async invalidate(
    rows: readonly string[],
    { isLocalOnly = false }: InvalidateOptions = {},
  ): Promise<Invalidation> {
    if (rows.length === 0) return { reached: true };
    this.#changeHere(rows);
    if (isLocalOnly) return { reached: true };
    const reached = await this.#store.invalidate(rows);
    // Again: what was read from the store before it knew may have come in meanwhile.
    this.#changeHere(rows);
    await this.#tell(rows);
    return { reached };
  }

  /** Everything may be outdated, here and everywhere. Rejects when the store cannot be told. */
  async forgetAll(): Promise<void> {
    this.#changeAllHere();
    await this.#options.store.forgetAll();
    this.#changeAllHere();
    this.#mustTellAll = true;
    await this.#tellAgain();
  }

  /** Everything in this process may be outdated: changes may have been missed by whoever tells of them. */
  forgetHere(): void {
    this.#changeAllHere();
  }

  /** To be taken before the reading begins, and handed to `hasChanged` after it. */
  get position(): number {
    return this.#log.position;
  }

  /** Whether this node has heard since then that one of these rows changed; also when it cannot remember. */
  hasChanged(rows: Iterable<string>, since: number): boolean {
    return this.#log.hasAnyChanged(rows, since);
  }

  snapshot(): CacheSnapshot {
    return {
      caches: [...this.#readers.values()].map(({ name, stats }) => ({ name, ...stats })),
      level1: {
        bytes: this.#levelOne.bytes,
        entries: this.#levelOne.size,
        evictions: this.#levelOne.evictions,
        isTrusted: this.#node.isHearing(),
      },
      store: {
        ...this.#store.stats(),
        breaker: this.#store.breakerState,
        timesOpened: this.#store.timesOpened,
        failures: this.#store.failures,
        missedRows: this.#store.missedRows,
      },
      loads: { running: this.#limiter.running, waiting: this.#limiter.waiting },
      hotKeys: this.#hotKeys.list(),
      rememberedRows: this.#log.size,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ticker?.[Symbol.dispose]();
    await this.#subscription?.[Symbol.asyncDispose]();
    await this.#store[Symbol.asyncDispose]();
  }

  /** When the truth is away, every load says the same. */
  #complain(error: unknown, doing: string): void {
    this.#failures.say(doing, (times) =>
      this.#options.log.warn({ error: String(error), times }, `cache: could not ${doing}`),
    );
  }

  #changeHere(rows: readonly string[]): void {
    for (const existence of this.#existences) existence.noteRows(rows);
    this.#log.record(rows);
    this.#levelOne.invalidate(rows);
    this.#flights.detach(rows);
    this.#waitingRoom.call(rows);
  }

  #changeAllHere(): void {
    this.#log.recordAll();
    this.#levelOne.clear();
    this.#flights.detachAll();
    this.#waitingRoom.callAll();
  }

  #onMessage({ from, rows, all, ended, hot }: CacheMessage): void {
    if (from === this.#id) return;
    if (all) this.#changeAllHere();
    if (rows) this.#changeHere(rows);
    if (ended) this.#waitingRoom.call(ended);
    const nowMs = this.#options.clock.monotonicMs();
    for (const key of hot ?? []) this.#hotKeys.announce(key, nowMs);
  }

  /** The store has taken what it had missed: until now others may have read the old entries from it. */
  #onReached(rows: readonly string[] | 'all'): void {
    if (rows === 'all') {
      this.#changeAllHere();
      this.#mustTellAll = true;
      this.#tellAgain().catch((error: unknown) => this.#node.onFailure(error, 'tell other nodes'));
      return;
    }
    this.#changeHere(rows);
    this.#tell(rows).catch((error: unknown) => this.#node.onFailure(error, 'tell other nodes'));
  }

  /** Tells the other nodes; those who could not be told are told later. */
  async #tell(rows: readonly string[]): Promise<void> {
    try {
      await publishRows(this.#options.bus, this.#id, rows);
    } catch (error) {
      this.#node.onFailure(error, 'tell other nodes');
      if (this.#untold.size + rows.length > maxUntoldRows) {
        this.#mustTellAll = true;
        this.#untold.clear();
      } else for (const row of rows) this.#untold.add(row);
    }
  }

  async #tellAgain(): Promise<void> {
    if (this.#mustTellAll) {
      await this.#options.bus.publish(CACHE_TOPIC, encodeMessage({ from: this.#id, all: true }));
      this.#mustTellAll = false;
      this.#untold.clear();
    }
    if (this.#untold.size === 0) return;
    const rows = [...this.#untold];
    this.#untold.clear();
    await this.#tell(rows);
  }

  /** Messages whose loss costs only time. */
  #send(message: Omit<CacheMessage, 'from'>): void {
    this.#options.bus
      .publish(CACHE_TOPIC, encodeMessage({ from: this.#id, ...message }))
      .catch((error: unknown) => this.#options.log.debug({ error: String(error) }, 'cache: message lost'));
  }

  async #everySecond(): Promise<void> {
    this.#hotKeys.decay(this.#options.clock.monotonicMs());
    const hot = this.#announcements;
    this.#announcements = [];
    if (hot.length > 0) this.#send({ hot });
    try {
      await this.#tellAgain();
    } catch (error) {
      this.#options.log.debug({ error: String(error) }, 'cache: other nodes cannot be told yet');
    }
  }
}

export interface InvalidateOptions {
  /** Only what is in this process: for a node that hears of changes by the feed itself. */
  readonly isLocalOnly?: boolean;
}

export interface Invalidation {
  readonly reached: boolean;
}
