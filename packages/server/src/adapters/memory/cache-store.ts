import type { Clock } from '../../kernel/clock.ts';
import { InvalidationLog } from '../../ports/cache-store/invalidation-log.ts';
import {
  type CacheStore,
  type CacheStoreOptions,
  type CacheStoreStats,
  type EntryKey,
  type Fill,
  type FillResult,
  type Lease,
  type LeaseRequest,
  MAX_LOAD_MS,
  MAX_ROWS,
  MAX_VALUE_BYTES,
  type ReadResult,
  type StoredValue,
} from '../../ports/cache-store/port.ts';

interface Entry {
  readonly value: StoredValue;
  readonly freshUntilMs: number;
  readonly keptUntilMs: number;
  readonly rows: readonly string[];
  /** The log's position when the lease was granted: what changed later is not in the value. */
  readonly loadedAt: number;
  readonly bytes: number;
}

interface LiveLease {
  readonly token: string;
  readonly grantedAt: number;
  readonly grantedMs: number;
  untilMs: number;
  isAwaited: boolean;
}

const entryOverheadBytes = 200;

export interface MemoryCacheStoreOptions {
  readonly maxBytes: number;
  /** Rows whose last invalidation is remembered one by one; beyond it older entries count as stale. */
  readonly maxInvalidatedRows?: number;
}

let generations = 0;

/** A CacheStore in this process, bounded by bytes; the entry used longest ago goes first. */
export class MemoryCacheStore implements CacheStore {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #log: InvalidationLog;
  readonly #entries = new Map<string, Entry>();
  readonly #leases = new Map<string, LiveLease>();
  readonly #kept = new Map<string, { value: Uint8Array; untilMs: number; bytes: number }>();
  #bytes = 0;
  #evictions = 0;
  /** A token of a store that was lost must not fit the one in its place. */
  readonly #generation = ++generations;
  #tokens = 0;

  constructor(clock: Clock, options: MemoryCacheStoreOptions) {
    this.#clock = clock;
    this.#maxBytes = options.maxBytes;
    this.#log = new InvalidationLog(options.maxInvalidatedRows);
  }

  async read(
    keys: readonly EntryKey[],
    lease: LeaseRequest | undefined,
    { signal }: CacheStoreOptions = {},
  ): Promise<ReadResult[]> {
    signal?.throwIfAborted();
    const nowMs = this.#clock.monotonicMs();
    return keys.map((key) => this.#readOne(key, lease, nowMs));
  }

  #readOne({ key, owner }: EntryKey, request: LeaseRequest | undefined, nowMs: number): ReadResult {
    const entry = this.#liveEntry(key, nowMs);
    const isCurrent = entry && !this.#log.hasAnyChanged(entry.rows, entry.loadedAt);
    if (entry && isCurrent && nowMs < entry.freshUntilMs) {
      const freshForMs = entry.freshUntilMs - nowMs;
      return { kind: 'hit', value: entry.value, freshForMs, contains: entry.rows.slice(1) };
    }
    const stale = entry && { value: entry.value };
    if (!request) return { kind: 'miss', stale };
    const held = this.#liveLease(key, owner, nowMs);
    if (held) {
      held.isAwaited = true;
      return { kind: 'busy', stale };
    }
    this.#forgetDeadLeases(nowMs);
    const token = `${this.#generation}.${++this.#tokens}`;
    this.#leases.delete(key);
    this.#leases.set(key, {
      token,
      grantedAt: this.#log.position,
      grantedMs: nowMs,
      untilMs: nowMs + Math.min(request.leaseMs, MAX_LOAD_MS),
      isAwaited: false,
    });
    return { kind: 'lease', token, stale };
  }

  async renew(leases: readonly Lease[], leaseMs: number): Promise<boolean[]> {
    const nowMs = this.#clock.monotonicMs();
    return leases.map(({ key, owner, token }) => {
      const held = this.#liveLease(key, owner, nowMs);
      if (held?.token !== token) return false;
      held.untilMs = Math.min(nowMs + leaseMs, held.grantedMs + MAX_LOAD_MS);
      return true;
    });
  }

  async fill(fills: readonly Fill[]): Promise<FillResult[]> {
    const nowMs = this.#clock.monotonicMs();
    return fills.map((fill) => this.#fillOne(fill, nowMs));
  }

  #fillOne(fill: Fill, nowMs: number): FillResult {
    const { key, owner, value, contains } = fill;
    const held = this.#leases.get(key);
    const isOurs = held !== undefined && held.token === fill.token;
    const isAwaited = isOurs && held.isAwaited;
    const isAlive = isOurs && this.#liveLease(key, owner, nowMs) !== undefined;
    if (isOurs) this.#leases.delete(key);
    const rows = [owner, ...contains];
    const isBeyondLimits =
      contains.length > MAX_ROWS || (value?.byteLength ?? 0) > MAX_VALUE_BYTES || fill.ageMs > MAX_LOAD_MS;
    if (!isAlive || isBeyondLimits || this.#log.hasAnyChanged(rows, held.grantedAt)) {
      return { kind: 'void', isAwaited };
    }
    this.#put(key, {
      value,
      freshUntilMs: held.grantedMs + fill.freshForMs,
      keptUntilMs: held.grantedMs + fill.freshForMs + fill.staleForMs,
      rows,
      loadedAt: held.grantedAt,
      bytes: bytesOf(key, value) + rows.reduce((sum, row) => sum + 2 * row.length, 0),
    });
    return { kind: 'filled', isAwaited };
  }

  async release(leases: readonly Lease[]): Promise<boolean[]> {
    return leases.map(({ key, token }) => {
      const held = this.#leases.get(key);
      if (held?.token !== token) return false;
      this.#leases.delete(key);
      return held.isAwaited;
    });
  }

  async invalidate(rows: readonly string[]): Promise<void> {
    this.#log.record(rows);
  }

  async forgetAll(): Promise<void> {
    this.#log.recordAll();
  }

  async keep(
    keys: readonly EntryKey[],
    values: readonly (Uint8Array | null)[],
    forMs: number,
  ): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + forMs;
    for (const [index, { key }] of keys.entries()) {
      this.#bytes -= this.#kept.get(key)?.bytes ?? 0;
      this.#kept.delete(key);
      const value = values[index];
      if (!value) continue;
      const bytes = bytesOf(key, value);
      this.#kept.set(key, { value, untilMs, bytes });
      this.#bytes += bytes;
    }
    this.#makeRoom();
  }

  async recall(keys: readonly EntryKey[]): Promise<(Uint8Array | undefined)[]> {
    const nowMs = this.#clock.monotonicMs();
    return keys.map(({ key }) => {
      const kept = this.#kept.get(key);
      return kept && nowMs < kept.untilMs ? kept.value : undefined;
    });
  }

  stats(): CacheStoreStats {
    const entries = this.#entries.size + this.#kept.size;
    return { bytes: this.#bytes, entries, evictions: this.#evictions, isConnected: true };
  }

  /** The entry, moved to the end of the map, which is thereby in the order of use. */
  #liveEntry(key: string, nowMs: number): Entry | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    if (nowMs >= entry.keptUntilMs) {
      this.#bytes -= entry.bytes;
      return undefined;
    }
    this.#entries.set(key, entry);
    return entry;
  }

  /** The lease that keeps others out: neither expired nor voided. */
  #liveLease(key: string, owner: string, nowMs: number): LiveLease | undefined {
    const held = this.#leases.get(key);
    if (!held || nowMs >= held.untilMs || this.#log.hasChanged(owner, held.grantedAt)) return undefined;
    return held;
  }

  /** The map is in the order of grants, and no lease outlives `MAX_LOAD_MS`. */
  #forgetDeadLeases(nowMs: number): void {
    for (const [key, { grantedMs }] of this.#leases) {
      if (nowMs < grantedMs + MAX_LOAD_MS) return;
      this.#leases.delete(key);
    }
  }

  #put(key: string, entry: Entry): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    this.#makeRoom();
  }

  #makeRoom(): void {
    for (const map of [this.#kept, this.#entries]) {
      for (const [key, { bytes }] of map) {
        if (this.#bytes <= this.#maxBytes) return;
        map.delete(key);
        this.#bytes -= bytes;
        this.#evictions += 1;
      }
    }
  }
}

const bytesOf = (key: string, value: StoredValue) =>
  entryOverheadBytes + 2 * key.length + (value?.byteLength ?? 0);
