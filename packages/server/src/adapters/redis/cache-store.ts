import { type Random, randomToken } from '../../kernel/random.ts';
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
} from '../../ports/cache-store/port.ts';
import {
  fillScript,
  invalidateScript,
  pinScript,
  readScript,
  releaseScript,
  renewScript,
  stampsScript,
} from './cache-scripts.ts';
import { bufferOf, type RedisConnection } from './connection.ts';

/** Slots' worth of spreading over a cluster; each has a generation of its own. */
const partitions = 256;
const markMs = MAX_LOAD_MS + 5_000;
const empty = Buffer.alloc(0);

interface Hit {
  readonly value: Buffer | null;
  readonly freshForMs: number;
  readonly rows: readonly Pinned[];
  readonly filledBy: string;
}

type Pinned = readonly [row: string, stamp: string];

/**
 * CacheStore on Redis 6.2 or later, Valkey, single or Cluster. Set `maxmemory-policy` to `noeviction` or `allkeys-lru`: others
 * may throw out the mark of a row that changed a moment ago, while a page that contains it is being loaded.
 */
export class RedisCacheStore implements CacheStore {
  readonly #redis: RedisConnection;
  readonly #random: Random;

  private constructor(redis: RedisConnection, random: Random) {
    this.#redis = redis;
    this.#random = random;
  }

  /** Makes the generations of an empty store, so that the first pages find them old enough. */
  static async open(redis: RedisConnection, random: Random): Promise<RedisCacheStore> {
    const store = new RedisCacheStore(redis, random);
    await Promise.all(
      Array.from({ length: partitions }, (_, partition) =>
        redis.script(stampsScript, [generationKey(partition)], [randomToken(random, 9)]),
      ),
    );
    return store;
  }

  async read(
    keys: readonly EntryKey[],
    lease: LeaseRequest | undefined,
    { signal }: CacheStoreOptions = {},
  ): Promise<ReadResult[]> {
    signal?.throwIfAborted();
    const replies = await Promise.all(keys.map((key) => this.#readOne(key, lease, '')));
    const rows = new Set(replies.flatMap((reply) => ('rows' in reply ? reply.rows.map(([row]) => row) : [])));
    const stamps = rows.size > 0 ? await this.#stamps([...rows]) : new Map<string, string>();
    signal?.throwIfAborted();
    return Promise.all(
      replies.map(async (reply, index) => {
        if (!('rows' in reply)) return reply;
        if (reply.rows.every(([row, stamp]) => stamps.get(row) === stamp)) return hitOf(reply);
        const again = await this.#readOne(keys[index]!, lease, reply.filledBy);
        // It was filled anew in between, by a load that began after the change; the next reader checks it.
        if ('rows' in again) return { kind: lease ? 'busy' : 'miss', stale: { value: again.value } } as const;
        return again;
      }),
    );
  }

  async #readOne(
    { key, owner }: EntryKey,
    lease: LeaseRequest | undefined,
    disbelieved: string,
  ): Promise<Hit | ReadResult> {
    const partition = partitionOf(owner);
    const token = randomToken(this.#random, 12);
    const leaseMs = Math.min(Math.ceil(lease?.leaseMs ?? 0), MAX_LOAD_MS);
    const reply = await this.#redis.script(
      readScript,
      [
        generationKey(partition),
        markKey(partition, owner),
        entryKey(partition, key),
        leaseKey(partition, key),
      ],
      [String(leaseMs), token, String(markMs), disbelieved],
    );
    const [kind, value, isNull, left, rows, filledBy] = listOf(reply);
    const held = value instanceof Buffer ? { value: textOf(isNull) === '1' ? null : value } : undefined;
    switch (textOf(kind)) {
      case 'hit':
        return {
          value: held?.value ?? null,
          freshForMs: Number(left),
          rows: pinnedOf(textOf(rows)),
          filledBy: textOf(filledBy),
        };
      case 'lease':
        return { kind: 'lease', token: textOf(left), stale: held };
      case 'busy':
        return { kind: 'busy', stale: held };
      default:
        return { kind: 'miss', stale: held };
    }
  }

  async renew(leases: readonly Lease[], leaseMs: number, { signal }: CacheStoreOptions = {}) {
    signal?.throwIfAborted();
    return Promise.all(
      leases.map(async ({ key, owner, token }) => {
        const partition = partitionOf(owner);
        const keys = [generationKey(partition), markKey(partition, owner), leaseKey(partition, key)];
        const args = [token, String(Math.ceil(leaseMs)), String(MAX_LOAD_MS)];
        return (await this.#redis.script(renewScript, keys, args)) === 1;
      }),
    );
  }

  async fill(fills: readonly Fill[], { signal }: CacheStoreOptions = {}): Promise<FillResult[]> {
    signal?.throwIfAborted();
    return Promise.all(fills.map((fill) => this.#fillOne(fill)));
  }

  async #fillOne(fill: Fill): Promise<FillResult> {
    const { key, owner, token, value, contains } = fill;
    const isWithinLimits =
      contains.length <= MAX_ROWS && (value?.byteLength ?? 0) <= MAX_VALUE_BYTES && fill.ageMs <= MAX_LOAD_MS;
    const pinned = isWithinLimits ? await this.#pin(fill) : undefined;
    if (!pinned) {
      const [isAwaited = false] = await this.release([fill]);
      return { kind: 'void', isAwaited };
    }
    const partition = partitionOf(owner);
    const freshForMs = Math.floor(fill.freshForMs);
    const reply = await this.#redis.script(
      fillScript,
      [
        generationKey(partition),
        markKey(partition, owner),
        entryKey(partition, key),
        leaseKey(partition, key),
      ],
      [
        token,
        String(freshForMs),
        String(Math.max(1, Math.ceil(freshForMs + fill.staleForMs))),
        value === null ? '1' : '0',
        pinned.length > 0 ? JSON.stringify(pinned) : '',
        value === null ? empty : bufferOf(value),
      ],
    );
    const [filled, awaited] = listOf(reply);
    return { kind: filled === 1 ? 'filled' : 'void', isAwaited: awaited === 1 };
  }

  /** The present stamps of the contained rows; undefined when one of them changed since the load began. */
  async #pin({ token, contains, ageMs, freshForMs }: Fill): Promise<Pinned[] | undefined> {
    if (contains.length === 0) return [];
    const startedMs = performance.now();
    const windowMs = Math.ceil(ageMs + this.#redis.timeoutMs);
    const livesMs = Math.ceil(freshForMs + 1_000);
    const groups = await this.#eachPartition(contains, (keys) =>
      this.#redis.script(pinScript, keys, [
        randomToken(this.#random, 9),
        token,
        String(windowMs),
        String(Math.max(livesMs, markMs)),
      ]),
    );
    // The window reaches back to the start of the load only for a server that was asked in time.
    const isInTime = performance.now() - startedMs <= this.#redis.timeoutMs;
    const pinned: Pinned[] = [];
    for (const { rows, reply } of groups) {
      const [isExact, ...stamps] = listOf(reply).map(textOf);
      if (stamps.length !== rows.length || (isExact !== '1' && !isInTime)) return undefined;
      rows.forEach((row, index) => {
        pinned.push([row, stamps[index]!]);
      });
    }
    return pinned;
  }

  async #stamps(rows: readonly string[]): Promise<Map<string, string>> {
    const random = randomToken(this.#random, 9);
    const groups = await this.#eachPartition(rows, (keys) =>
      this.#redis.script(stampsScript, keys, [random]),
    );
    return new Map(
      groups.flatMap(({ rows: group, reply }) => {
        const stamps = listOf(reply).map(textOf);
        return group.map((row, index): Pinned => [row, stamps[index] ?? '']);
      }),
    );
  }

  async release(leases: readonly Lease[], { signal }: CacheStoreOptions = {}): Promise<boolean[]> {
    signal?.throwIfAborted();
    return Promise.all(
      leases.map(async ({ key, owner, token }) => {
        const reply = await this.#redis.script(releaseScript, [leaseKey(partitionOf(owner), key)], [token]);
        return reply === 1;
      }),
    );
  }

  async invalidate(rows: readonly string[], { signal }: CacheStoreOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    await this.#eachPartition(rows, (keys) =>
      this.#redis.script(invalidateScript, keys, [randomToken(this.#random, 9), String(markMs)]),
    );
  }

  async forgetAll({ signal }: CacheStoreOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    await Promise.all(
      Array.from({ length: partitions }, (_, partition) => this.#redis.del(generationKey(partition))),
    );
  }

  async keep(
    keys: readonly EntryKey[],
    values: readonly (Uint8Array | null)[],
    forMs: number,
  ): Promise<void> {
    await Promise.all(
      keys.map(({ key, owner }, index) => {
        const value = values[index];
        const kept = keptKey(partitionOf(owner), key);
        return value ? this.#redis.set(kept, value, forMs) : this.#redis.del(kept);
      }),
    );
  }

  async recall(keys: readonly EntryKey[], { signal }: CacheStoreOptions = {}) {
    signal?.throwIfAborted();
    return Promise.all(keys.map(({ key, owner }) => this.#redis.get(keptKey(partitionOf(owner), key))));
  }

  stats(): CacheStoreStats {
    return {
      bytes: undefined,
      entries: undefined,
      evictions: undefined,
      isConnected: this.#redis.isReady,
    };
  }

  /** Calls `send` once for each partition that the rows fall into, with its keys: generation first, then marks. */
  async #eachPartition(rows: readonly string[], send: (keys: string[]) => Promise<unknown>) {
    const groups = new Map<number, string[]>();
    for (const row of rows) {
      const partition = partitionOf(row);
      const group = groups.get(partition);
      if (group) group.push(row);
      else groups.set(partition, [row]);
    }
    return Promise.all(
      [...groups].map(async ([partition, group]) => ({
        rows: group,
        reply: await send([generationKey(partition), ...group.map((row) => markKey(partition, row))]),
      })),
    );
  }
}

const partitionOf = (row: string) => Bun.hash.xxHash32(row) % partitions;
const generationKey = (partition: number) => `hvc:{${partition}}:g`;
const markKey = (partition: number, row: string) => `hvc:{${partition}}:m:${row}`;
const entryKey = (partition: number, key: string) => `hvc:{${partition}}:e:${key}`;
const leaseKey = (partition: number, key: string) => `hvc:{${partition}}:l:${key}`;
const keptKey = (partition: number, key: string) => `hvc:{${partition}}:k:${key}`;

const hitOf = ({ value, freshForMs, rows }: Hit): ReadResult => ({
  kind: 'hit',
  value,
  freshForMs,
  contains: rows.map(([row]) => row),
});

const listOf = (reply: unknown): unknown[] => (Array.isArray(reply) ? reply : []);
const textOf = (reply: unknown) => (reply instanceof Buffer ? reply.toString() : '');
const pinnedOf = (text: string): Pinned[] => (text === '' ? [] : JSON.parse(text));
