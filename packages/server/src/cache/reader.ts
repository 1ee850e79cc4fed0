import { AppError } from '../kernel/errors.ts';
import { type CacheDefinition, type Cached, type GetOptions, resolveDefinition } from './definition.ts';
import { Flight, late, type Outcome, within } from './flight.ts';
import type { Item, Shelf } from './level-one.ts';
import { type Loaded, Loading } from './loading.ts';
import type { CacheNode, Detachable } from './node.ts';
import { CacheStats } from './stats.ts';

/** One in so many hits of the first level is counted, with that weight. */
const sampleEvery = 16;
/** How long a load goes on for the next reader when those who asked have taken the stale value. */
const backgroundMs = 10_000;
const maxAttempts = 3;

/** A value in this process, as long as `isStillHot` says so. */
export type Hot<V> = Item<V>;

interface Airborne<V> extends Detachable {
  readonly flight: Flight<V>;
}

/**
 * Reads one kind of thing through the cache.
 *
 * Guarantees (`test/simulation/cache-*.test.ts` tries to break each)
 * - An unmarked value is never older than the last invalidation that had reached this node and the store before the call.
 * - An unmarked value is never older than `freshMs`, even if every invalidation is lost. Its age counts from before its load.
 * - A marked value (`isStale`) is served only when the truth failed, or took longer than `slowMs`; at most `staleMs` longer.
 * - One load at a time for a key across all nodes that share the store, as long as it answers; a change starts another.
 * - No caller waits longer than `withinMs`. When the last caller has left, the load's signal is aborted.
 *
 * Errors: `timeout` after `withinMs`; the loader's own; the signal's reason.
 * Cost: a look-up for a hot key; else one call to the store for all keys asked for in the same turn.
 */
export class CachedReader<V> {
  readonly name: string;
  readonly stats = new CacheStats();
  readonly #definition: ReturnType<typeof resolveDefinition<V>>;
  readonly #node: CacheNode;
  readonly #shelf: Shelf<V>;
  readonly #loading: Loading<V>;
  readonly #airborne = new Map<string, Airborne<V>>();
  readonly #prefix: string;
  #boarding: Flight<V>[] = [];
  #samples = 0;

  constructor(definition: CacheDefinition<V>, node: CacheNode) {
    this.#definition = resolveDefinition(definition);
    this.name = definition.name;
    this.#prefix = `${definition.name}@${this.#definition.version}:`;
    this.#node = node;
    this.#shelf = node.levelOne.shelf<V>();
    this.#loading = new Loading(this.#definition, node, this.stats, (flight, loaded) =>
      this.#promote(flight, loaded),
    );
  }

  /** The value if it is in this process, without waiting for anything. */
  getIfHot(id: string, nowMs = this.#node.clock.monotonicMs()): Hot<V> | undefined {
    const item = this.#node.isHearing() ? this.#shelf.get(id, nowMs) : undefined;
    if (item !== undefined) this.#noteHit(id, item, nowMs, sampleEvery);
    return item;
  }

  /** Whether `getIfHot` would answer this very value again: for whoever has kept it, cheaper than a look-up. */
  isStillHot(id: string, hot: Hot<V>, nowMs: number): boolean {
    if (!this.#node.isHearing() || !this.#shelf.holds(hot, nowMs)) return false;
    // Pages look at twenty of them: the sample is half as dense.
    this.#noteHit(id, hot, nowMs, 2 * sampleEvery);
    return true;
  }

  #noteHit(id: string, { value }: Hot<V>, nowMs: number, every: number): void {
    this.stats.gets += 1;
    this.stats.level1Hits += 1;
    if (value === null) this.stats.nulls += 1;
    this.#samples += 1;
    if (this.#samples % every === 0) this.#node.hotKeys.count(this.#prefix + id, every, nowMs);
  }

  async get(id: string, options: GetOptions = {}): Promise<Cached<V>> {
    const hot = this.getIfHot(id);
    if (hot) return hot;
    options.signal?.throwIfAborted();
    this.stats.gets += 1;
    this.#node.hotKeys.count(this.#prefix + id, 1, this.#node.clock.monotonicMs());
    if (this.#definition.exists?.isSurelyAbsent(id)) {
      this.stats.filtered += 1;
      return { value: null, isStale: false };
    }
    const outcome = await this.#obtain(id, options);
    if (outcome.isStale) this.stats.staleServes += 1;
    if (outcome.value === null) this.stats.nulls += 1;
    return { value: outcome.value, isStale: outcome.isStale };
  }

  /** As `get` for each id, in one read of the store and one load; in the order of `ids`. */
  async getMany(ids: readonly string[], options: GetOptions = {}): Promise<Cached<V>[]> {
    return Promise.all(ids.map((id) => this.get(id, options)));
  }

  async #obtain(id: string, options: GetOptions): Promise<Outcome<V>> {
    const { clock } = this.#node;
    const asked = { tick: this.#node.tick(), atMs: clock.monotonicMs() };
    const untilMs = asked.atMs + (options.withinMs ?? this.#definition.withinMs);
    for (let attempt = 1; ; attempt++) {
      const flight = this.#board(id);
      const outcome = await this.#await(flight, options, untilMs);
      if (outcome.isStale || this.#isRecentEnough(flight, outcome, asked)) return outcome;
      this.stats.retries += 1;
      // The next flight begins after this caller has come, and is therefore recent enough.
      if (attempt === maxAttempts) throw new Error(`the flight of ${id} began before it was boarded`);
    }
  }

  /** Whether the value may be served to somebody who came at that moment, perhaps when the work was under way. */
  #isRecentEnough(flight: Flight<V>, outcome: Outcome<V>, asked: { tick: number; atMs: number }): boolean {
    if (flight.sourceTick > asked.tick) return true;
    if (asked.atMs >= outcome.freshUntilMs) return false;
    return !outcome.isVoid && !this.#node.log.hasAnyChanged(outcome.rows, flight.sourcePosition);
  }

  async #await(flight: Flight<V>, options: GetOptions, untilMs: number): Promise<Outcome<V>> {
    const { clock } = this.#node;
    const mayBeStale = options.stale !== 'refuse';
    flight.join();
    try {
      const leftMs = untilMs - clock.monotonicMs();
      const slowMs = mayBeStale ? Math.min(this.#definition.slowMs, leftMs) : leftMs;
      let settled = await within(clock, flight.settled, slowMs, options.signal);
      if (settled === late && mayBeStale) {
        const recalled = within(
          clock,
          this.#loading.recall(flight),
          untilMs - clock.monotonicMs(),
          options.signal,
        );
        const stale = await recalled;
        if (stale && stale !== late) {
          this.#goOnInBackground(flight);
          return { value: stale.value, isStale: true, isVoid: false, rows: [], freshUntilMs: 0 };
        }
        settled = await within(clock, flight.settled, untilMs - clock.monotonicMs(), options.signal);
      }
      if (settled === late) throw new AppError('timeout', { detail: `No ${this.name} in time` });
      if ('error' in settled) throw settled.error;
      if (settled.outcome.isStale && !mayBeStale) {
        throw new AppError('timeout', { detail: `Only a stale ${this.name} can be had` });
      }
      return settled.outcome;
    } finally {
      flight.leave();
    }
  }

  /** The flight for `id` that is under way, or a new one, which departs at the end of this turn with all others. */
  #board(id: string): Flight<V> {
    const present = this.#airborne.get(id);
    if (present && !present.flight.signal.aborted) {
      this.stats.coalesced += 1;
      return present.flight;
    }
    const flight = new Flight<V>(id, { key: this.#prefix + id, owner: this.#definition.owner(id) });
    const airborne: Airborne<V> = { flight, detach: () => this.#land(airborne) };
    this.#airborne.set(id, airborne);
    this.#node.flightsByOwner.add(flight.key.owner, airborne);
    void flight.settled.then(() => this.#land(airborne));
    flight.signal.addEventListener('abort', () => this.#land(airborne), { once: true });
    if (this.#boarding.push(flight) === 1) queueMicrotask(() => this.#depart());
    return flight;
  }

  /** Nobody boards it any more; those aboard stay. */
  #land(airborne: Airborne<V>): void {
    const { flight } = airborne;
    if (this.#airborne.get(flight.id) === airborne) this.#airborne.delete(flight.id);
    this.#node.flightsByOwner.remove(flight.key.owner, airborne);
  }

  #depart(): void {
    const flights = this.#boarding.filter(({ signal }) => !signal.aborted);
    this.#boarding = [];
    const { maxBatch } = this.#definition;
    for (let from = 0; from < flights.length; from += maxBatch) {
      void this.#loading.settle(flights.slice(from, from + maxBatch));
    }
  }

  /** Those who asked have got the stale value; the fresh one is still wanted by the next. */
  #goOnInBackground(flight: Flight<V>): void {
    if (flight.isGoingOn || flight.isSettled) return;
    flight.isGoingOn = true;
    flight.join();
    void within(this.#node.clock, flight.settled, backgroundMs, undefined).finally(() => flight.leave());
  }

  #promote(flight: Flight<V>, { value, freshUntilMs, rows, bytes }: Loaded<V>): void {
    const { clock, hotKeys, hotMs, log } = this.#node;
    const nowMs = clock.monotonicMs();
    const { isResident } = this.#definition;
    if (!this.#node.isHearing() || !(isResident || hotKeys.isHot(flight.key.key, nowMs))) return;
    // A change that was heard while the value was on its way would not be heard again.
    if (log.hasAnyChanged(rows, flight.sourcePosition)) return;
    const untilMs = isResident ? freshUntilMs : Math.min(freshUntilMs, nowMs + hotMs);
    if (untilMs > nowMs) this.#shelf.put(flight.id, { value, freshUntilMs: untilMs, rows, bytes }, nowMs);
  }
}
