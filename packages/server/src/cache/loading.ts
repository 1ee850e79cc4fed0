import type { EntryKey, Fill, Lease, ReadResult } from '../ports/cache-store/port.ts';
import { MAX_LOAD_MS } from '../ports/cache-store/port.ts';
import type { ResolvedDefinition } from './definition.ts';
import { type Flight, signalOfAll, within } from './flight.ts';
import type { CacheNode } from './node.ts';
import type { CacheStats } from './stats.ts';

/** A lease of ours, and when the call that got it began. */
interface Held<V> {
  readonly flight: Flight<V>;
  readonly lease: Lease;
  readonly askedMs: number;
  /** When its answer had come: the store granted it in between. */
  readonly grantedByMs: number;
}

const firstPollMs = 20;
const longestPollMs = 250;
const jitterShare = 0.1;

export interface Loaded<V> {
  readonly value: V | null;
  readonly freshUntilMs: number;
  readonly rows: readonly string[];
  readonly bytes: number;
}

interface Encoded<V> {
  readonly value: V | null;
  readonly bytes: Uint8Array | null;
  /** The owner first. */
  readonly rows: readonly string[];
  readonly freshUntilMs: number;
}

/**
 * How missing entries of one definition are got: from the second level, under a lease from the truth, by waiting
 * for another node that holds the lease, or, when the store is away, from the truth without one.
 */
export class Loading<V> {
  readonly #definition: ResolvedDefinition<V>;
  readonly #node: CacheNode;
  readonly #stats: CacheStats;
  readonly #onLoaded: (flight: Flight<V>, loaded: Loaded<V>) => void;

  constructor(
    definition: ResolvedDefinition<V>,
    node: CacheNode,
    stats: CacheStats,
    onLoaded: (flight: Flight<V>, loaded: Loaded<V>) => void,
  ) {
    this.#definition = definition;
    this.#node = node;
    this.#stats = stats;
    this.#onLoaded = onLoaded;
  }

  /** Settles every flight; never rejects. */
  async settle(flights: readonly Flight<V>[]): Promise<void> {
    try {
      await this.#read(flights);
    } catch (error) {
      await Promise.all(flights.filter((flight) => !flight.isSettled).map((f) => this.#fail(f, error)));
    }
  }

  async #read(flights: readonly Flight<V>[]): Promise<void> {
    const { clock, store, leaseMs } = this.#node;
    const askedMs = clock.monotonicMs();
    this.#begin(flights);
    const results = await store.read(
      flights.map(({ key }) => key),
      { leaseMs },
    );
    const grantedByMs = clock.monotonicMs();
    const held: Held<V>[] = [];
    const direct: Flight<V>[] = [];
    const busy: Flight<V>[] = [];
    for (const [index, flight] of flights.entries()) {
      const result = results?.[index];
      if (result?.kind === 'hit') {
        if (!this.#takeHit(flight, result, askedMs)) direct.push(flight);
        continue;
      }
      this.#stats.misses += 1;
      flight.stale = this.#staleOf(result) ?? flight.stale;
      if (result?.kind === 'lease') {
        held.push({ flight, lease: { ...flight.key, token: result.token }, askedMs, grantedByMs });
      } else if (result?.kind === 'busy') busy.push(flight);
      else direct.push(flight);
    }
    this.#stats.leasesGranted += held.length;
    this.#stats.leasesBusy += busy.length;
    await Promise.all([
      held.length > 0 ? this.#loadLeased(held) : undefined,
      direct.length > 0 ? this.#loadDirect(direct) : undefined,
      ...busy.map((flight) => this.#awaitOther(flight)),
    ]);
  }

  /** The outcome of these flights is decided by what is read from here on. */
  #begin(flights: readonly Flight<V>[]): void {
    const tick = this.#node.tick();
    for (const flight of flights) {
      flight.sourceTick = tick;
      flight.sourcePosition = this.#node.log.position;
    }
  }

  #takeHit(flight: Flight<V>, hit: ReadResult & { kind: 'hit' }, askedMs: number): boolean {
    let value: V | null = null;
    try {
      value = hit.value && this.#definition.decode(hit.value);
    } catch (error) {
      this.#stats.decodeFailures += 1;
      this.#node.onFailure(error, `decode ${flight.key.key}`);
      return false;
    }
    this.#stats.level2Hits += 1;
    const rows = [flight.key.owner, ...hit.contains];
    // Counted from before the question: what was left when the store answered was left then at least.
    const freshUntilMs = askedMs + hit.freshForMs;
    this.#onLoaded(flight, { value, freshUntilMs, rows, bytes: this.#weigh(value, hit.value) });
    flight.finish({ value, isStale: false, isVoid: false, rows, freshUntilMs });
    return true;
  }

  #staleOf(result: ReadResult | undefined): { value: V } | undefined {
    if (!result || result.kind === 'hit' || !result.stale?.value) return undefined;
    try {
      return { value: this.#definition.decode(result.stale.value) };
    } catch (error) {
      this.#stats.decodeFailures += 1;
      this.#node.onFailure(error, 'decode a stale value');
      return undefined;
    }
  }

  /** Waits for the node that holds the lease: for its message, and in case that is lost, looking again now and then. */
  async #awaitOther(flight: Flight<V>): Promise<void> {
    const { clock, store, leaseMs, random, waitingRoom } = this.#node;
    let pollMs = firstPollMs;
    for (;;) {
      const { called, leave } = waitingRoom.enter([flight.key.key, flight.key.owner]);
      try {
        const jittered = pollMs * (0.75 + random.integer(1_000) / 2_000);
        await within(clock, called, jittered, flight.signal);
      } finally {
        leave();
      }
      pollMs = Math.min(longestPollMs, pollMs * 1.5);
      const askedMs = clock.monotonicMs();
      this.#begin([flight]);
      const result = (await store.read([flight.key], { leaseMs }))?.[0];
      const grantedByMs = clock.monotonicMs();
      if (result?.kind === 'busy') continue;
      if (result?.kind === 'hit' && this.#takeHit(flight, result, askedMs)) return;
      if (result?.kind !== 'lease') return this.#loadDirect([flight]);
      this.#stats.leasesGranted += 1;
      return this.#loadLeased([
        { flight, lease: { ...flight.key, token: result.token }, askedMs, grantedByMs },
      ]);
    }
  }

  async #loadLeased(held: readonly Held<V>[]): Promise<void> {
    const flights = held.map(({ flight }) => flight);
    const leases = held.map(({ lease }) => lease);
    const ended = new AbortController();
    const renewing = this.#renew(leases, ended.signal);
    try {
      const startedMs = { value: 0 };
      const values = await this.#load(flights, startedMs);
      await this.#fill(held, values, startedMs.value);
    } catch (error) {
      const awaited = await this.#node.store.release(leases);
      this.#announce(leases, awaited);
      await Promise.all(flights.filter((f) => !f.isSettled).map((flight) => this.#fail(flight, error)));
    } finally {
      ended.abort();
      await renewing;
    }
  }

  /** Past the store. Nothing is filled: without a lease an old value could be left behind. */
  async #loadDirect(flights: readonly Flight<V>[]): Promise<void> {
    this.#stats.loadsWithoutStore += 1;
    try {
      const startedMs = { value: 0 };
      const values = await this.#load(flights, startedMs);
      for (const flight of flights) this.#finish(flight, values.get(flight.id), startedMs.value, false);
    } catch (error) {
      await Promise.all(flights.filter((f) => !f.isSettled).map((flight) => this.#fail(flight, error)));
    }
  }

  async #load(flights: readonly Flight<V>[], startedMs: { value: number }): Promise<ReadonlyMap<string, V>> {
    const { clock, limiter } = this.#node;
    const deadline = new AbortController();
    const signal = AbortSignal.any([signalOfAll(flights), deadline.signal]);
    return limiter.run(signal, async () => {
      this.#begin(flights);
      startedMs.value = clock.monotonicMs();
      this.#stats.loads += 1;
      this.#stats.loadedIds += flights.length;
      const load = this.#definition.load(
        flights.map(({ id }) => id),
        signal,
      );
      try {
        // A loader may ignore its signal; those who wait are not to be held up by that.
        const values = await within(clock, load, MAX_LOAD_MS, signal);
        if (typeof values === 'symbol') throw new DOMException('The load took too long', 'TimeoutError');
        return values;
      } catch (error) {
        if (signal.aborted) this.#stats.loadsAborted += 1;
        else this.#stats.loadFailures += 1;
        deadline.abort(error);
        load.catch(() => {}); // told above already
        throw error;
      }
    });
  }

  async #fill(held: readonly Held<V>[], values: ReadonlyMap<string, V>, startedMs: number): Promise<void> {
    const { clock, store } = this.#node;
    const nowMs = clock.monotonicMs();
    const encoded = held.map(({ flight }) => this.#encode(flight, values.get(flight.id), startedMs));
    const fills = held.map(({ lease, askedMs, grantedByMs }, index): Fill => {
      const { bytes, rows, freshUntilMs } = encoded[index]!;
      // The store counts from the grant, by its own clock: no delay on the way makes the value look younger.
      const freshForMs = Math.max(0, freshUntilMs - grantedByMs);
      const staleForMs = bytes && !this.#node.staleStore ? this.#definition.staleMs : 0;
      return {
        ...lease,
        value: bytes,
        freshForMs,
        staleForMs,
        contains: rows.slice(1),
        ageMs: nowMs - askedMs,
      };
    });
    const results = await store.fill(fills);
    for (const [index, { flight }] of held.entries()) {
      const isVoid = results?.[index]?.kind === 'void';
      if (isVoid) this.#stats.fillsVoided += 1;
      this.#settleLoaded(flight, encoded[index]!, isVoid);
    }
    this.#announce(
      held.map(({ lease }) => lease),
      results?.map(({ isAwaited }) => isAwaited),
    );
    this.#keepAside(
      held.map(({ flight }) => flight.key),
      encoded.map(({ bytes }) => bytes),
    );
  }

  #keepAside(keys: readonly EntryKey[], values: readonly (Uint8Array | null)[]): void {
    const { staleStore } = this.#node;
    if (!staleStore) return;
    staleStore
      .keep(keys, values, this.#definition.staleMs)
      .catch((error: unknown) => this.#node.onFailure(error, 'keep stale values'));
  }

  #encode(flight: Flight<V>, loaded: V | undefined, startedMs: number): Encoded<V> {
    const definition = this.#definition;
    const isNull = loaded === undefined;
    const bytes = isNull ? null : definition.encode(loaded);
    const value = bytes && definition.decode(bytes);
    const contains = value === null ? [] : definition.contains(value, flight.id);
    const rows = [flight.key.owner, ...new Set(contains)];
    const freshUntilMs = startedMs + (isNull ? definition.nullMs : definition.freshMs) * this.#jitter();
    return { value, bytes, rows, freshUntilMs };
  }

  #finish(flight: Flight<V>, loaded: V | undefined, startedMs: number, isVoid: boolean): void {
    this.#settleLoaded(flight, this.#encode(flight, loaded, startedMs), isVoid);
  }

  #settleLoaded(flight: Flight<V>, encoded: Encoded<V>, isVoid: boolean): void {
    const { value, bytes, rows, freshUntilMs } = encoded;
    if (!isVoid) this.#onLoaded(flight, { value, freshUntilMs, rows, bytes: this.#weigh(value, bytes) });
    flight.finish({ value, isStale: false, isVoid, rows, freshUntilMs });
  }

  async #renew(leases: readonly Lease[], ended: AbortSignal): Promise<void> {
    const { clock, store, leaseMs } = this.#node;
    let alive = leases;
    while (!ended.aborted && alive.length > 0) {
      try {
        await clock.sleep(leaseMs / 3, { signal: ended });
      } catch {
        return; // the load has ended
      }
      const renewed = await store.renew(alive, leaseMs);
      if (!renewed) continue;
      this.#stats.leasesExpired += renewed.filter((isAlive) => !isAlive).length;
      alive = alive.filter((_, index) => renewed[index]);
    }
  }

  #announce(leases: readonly Lease[], isAwaited: readonly boolean[] | undefined): void {
    const keys = leases.filter((_, index) => isAwaited?.[index] ?? true).map(({ key }) => key);
    if (keys.length > 0) this.#node.announceEnded(keys);
  }

  /** The stale value if there is one anywhere, else the error. */
  async #fail(flight: Flight<V>, error: unknown): Promise<void> {
    if (!flight.signal.aborted) this.#node.onFailure(error, `load ${flight.key.key}`);
    const stale = flight.signal.aborted ? undefined : await this.recall(flight);
    if (!stale) return flight.fail(error);
    flight.finish({ value: stale.value, isStale: true, isVoid: false, rows: [], freshUntilMs: 0 });
  }

  /** The last value known, also from the store that keeps stale values. */
  async recall(flight: Flight<V>): Promise<{ readonly value: V } | undefined> {
    if (flight.stale || !this.#node.staleStore) return flight.stale;
    try {
      const [bytes] = await this.#node.staleStore.recall([flight.key]);
      if (bytes) flight.stale = { value: this.#definition.decode(bytes) };
    } catch (error) {
      this.#node.onFailure(error, 'recall a stale value');
    }
    return flight.stale;
  }

  /** Downwards only: nothing lives longer than its definition says. */
  #jitter(): number {
    return 1 - (jitterShare * this.#node.random.integer(1_000)) / 1_000;
  }

  #weigh(value: V | null, bytes: Uint8Array | null): number {
    if (value === null) return 0;
    return this.#definition.weigh?.(value) ?? 3 * (bytes?.byteLength ?? 0);
  }
}
