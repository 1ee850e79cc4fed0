import { type Random, randomToken } from '../../kernel/random.ts';
import { Recent } from '../../kernel/recent.ts';
import {
  checkCapacity,
  checkCount,
  ENTRY_BYTES,
  entryBytes,
  groupedByShelf,
  KnownEntries,
  keyBytes,
} from '../../ports/timeline-store/entries.ts';
import type {
  Entry,
  Merge,
  Push,
  Removal,
  Shelf,
  ShelfPage,
  ShelfRead,
  TimelineStore,
  TimelineStoreOptions,
  TimelineStoreStats,
} from '../../ports/timeline-store/port.ts';
import type { RedisConnection, ScriptCall } from './connection.ts';
import {
  beginScript,
  dropScript,
  mergeScript,
  pushScript,
  readScript,
  removeScript,
  runScript,
} from './timeline-scripts.ts';

export interface RedisTimelineStoreOptions {
  readonly redis: RedisConnection;
  readonly random: Random;
  readonly idleMs?: number;
}

interface Asked {
  readonly wanted: ShelfRead;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Top {
  readonly reply: Buffer;
  readonly limit: number;
  readonly page: ShelfPage;
}

/** Shelves that one script pushes to or reads, where keys need not share a slot: a quarter of a millisecond of the server. */
const shelvesOfScript = 64;
/** Scripts in one round trip to each server: about ten milliseconds of its time, in pushes to many shelves some more. */
const maxCalls = 1_000;
/** Shelves whose newest page is kept as it was read last, about a kilobyte each: the same reply is the same page. */
const maxTops = 5_000;
const cold: ShelfPage = { state: 'cold', floor: '0', entries: [], hasMore: false };

/**
 * TimelineStore on Redis 6.2 or later, Valkey, single or Cluster. A shelf is one key of at most 1,251 members and no reply is
 * longer than 31 kB, because no capacity is above 1,000. Idle ones expire, up to a sixteenth later than `idleMs`.
 */
export class RedisTimelineStore implements TimelineStore {
  readonly #redis: RedisConnection;
  readonly #random: Random;
  readonly #idleMs: number;
  readonly #known = new KnownEntries();
  readonly #tops = new Recent<Top>(maxTops);
  #asked: Asked[] = [];

  constructor({ redis, random, idleMs = 14 * 86_400_000 }: RedisTimelineStoreOptions) {
    this.#redis = redis;
    this.#random = random;
    this.#idleMs = idleMs;
  }

  async begin(shelf: Shelf, capacity: number, { signal }: TimelineStoreOptions = {}): Promise<string> {
    signal?.throwIfAborted();
    checkCapacity(capacity);
    const token = randomToken(this.#random, 12);
    const keptMs = Math.floor(this.#idleMs * 1.0625);
    const args = [String(capacity).padStart(4, '0'), token, String(keptMs)];
    await this.#redis.script(beginScript, [keyOf(shelf)], args);
    return token;
  }

  async merge(shelf: Shelf, merge: Merge, { signal }: TimelineStoreOptions = {}): Promise<boolean> {
    signal?.throwIfAborted();
    checkCount(merge.entries);
    const { token = '', isLast = false, completeDownTo, entries } = merge;
    const state = token !== '' && isLast ? '1' : '';
    const args = [token, state, keyBytes(completeDownTo), ...entries.map(entryBytes)];
    return (await this.#redis.script(mergeScript, [keyOf(shelf)], args)) === 1;
  }

  async push(pushes: readonly Push[], { signal }: TimelineStoreOptions = {}): Promise<void> {
    checkCount(pushes);
    const known = new Map<Entry, Buffer>();
    const bytesOf = (entry: Entry) => {
      const bytes = known.get(entry) ?? entryBytes(entry);
      known.set(entry, bytes);
      return bytes;
    };
    const groups = [...groupedByShelf(pushes).values()].map((group) => ({
      key: keyOf(group[0]!.shelf),
      arg:
        group.length === 1
          ? bytesOf(group[0]!.entry)
          : Buffer.concat(group.map(({ entry }) => bytesOf(entry))),
    }));
    const together = this.#redis.isCluster ? 1 : shelvesOfScript;
    const calls: ScriptCall[] = [];
    for (let at = 0; at < groups.length; at += together) {
      const some = groups.slice(at, at + together);
      calls.push({ keys: some.map(({ key }) => key), args: some.map(({ arg }) => arg) });
    }
    await this.#run(pushScript, calls, signal);
  }

  async read(shelves: readonly ShelfRead[], { signal }: TimelineStoreOptions = {}): Promise<ShelfPage[]> {
    checkCount(shelves);
    signal?.throwIfAborted();
    const replies = await Promise.all(shelves.map((wanted) => this.#reply(wanted)));
    signal?.throwIfAborted();
    return shelves.map((wanted, at) => this.#pageOf(replies[at], wanted));
  }

  /** What is asked for in one turn of the event loop is asked together: a command costs more than its shelf. */
  #reply(wanted: ShelfRead): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#asked.push({ wanted, resolve, reject }) === 1) setImmediate(() => this.#ask());
    });
  }

  #ask(): void {
    const asked = this.#asked;
    this.#asked = [];
    const together = this.#redis.isCluster ? 1 : shelvesOfScript;
    for (let at = 0; at < asked.length; at += together) {
      const some = asked.slice(at, at + together);
      const args = some.flatMap(({ wanted: { before, limit } }) => [
        before === undefined ? '' : keyBytes(before),
        String(limit + 1),
      ]);
      const keys = some.map(({ wanted }) => keyOf(wanted.shelf));
      this.#redis.script(readScript, keys, [String(this.#idleMs), ...args]).then(
        (replies) => {
          for (const [nth, { resolve }] of some.entries())
            resolve(Array.isArray(replies) ? replies[nth] : '');
        },
        (error: unknown) => {
          for (const { reject } of some) reject(error);
        },
      );
    }
  }

  #pageOf(reply: unknown, { shelf, before, limit }: ShelfRead): ShelfPage {
    if (!(reply instanceof Buffer) || reply.length < 9) return cold;
    if (before !== undefined) return decoded(reply, limit, this.#known);
    const key = keyOf(shelf);
    const top = this.#tops.get(key);
    if (top?.limit === limit && top.reply.equals(reply)) return top.page;
    const page = decoded(reply, limit, this.#known);
    // A copy: the reply is a part of all that came with it.
    this.#tops.set(key, { reply: Buffer.from(reply), limit, page });
    return page;
  }

  async remove(removals: readonly Removal[], { signal }: TimelineStoreOptions = {}): Promise<void> {
    checkCount(removals);
    const calls = [...groupedByShelf(removals).values()].map((group) => ({
      keys: [keyOf(group[0]!.shelf)],
      args: group.map(({ key }) => keyBytes(key)),
    }));
    await this.#run(removeScript, calls, signal);
  }

  async drop(shelves: readonly Shelf[], { signal }: TimelineStoreOptions = {}): Promise<void> {
    checkCount(shelves);
    const calls = shelves.map((shelf) => ({ keys: [keyOf(shelf)], args: [] }));
    await this.#run(dropScript, calls, signal);
  }

  /** In a cluster the generation is that of one server: each shelf has the one of its own. */
  async stats(): Promise<TimelineStoreStats> {
    const generation = String(
      await this.#redis.script(runScript, [keyOf({ kind: 'inbox', ownerId: '0' })], []),
    );
    return { generation, shelves: undefined, entries: undefined, bytes: undefined };
  }

  async #run(script: string, calls: readonly ScriptCall[], signal?: AbortSignal): Promise<unknown[]> {
    signal?.throwIfAborted();
    const replies: unknown[] = [];
    for (let start = 0; start < calls.length; start += maxCalls) {
      replies.push(...(await this.#redis.scripts(script, calls.slice(start, start + maxCalls))));
      signal?.throwIfAborted();
    }
    return replies;
  }
}

/** The whole name is the hash tag's: whatever else is kept of a shelf lies in the same slot. */
const keyOf = ({ kind, ownerId }: Shelf) => `hvt:{${kind === 'inbox' ? 'i' : 'o'}:${ownerId}}`;

function decoded(reply: Buffer, limit: number, known: KnownEntries): ShelfPage {
  const floor = reply.readBigUInt64BE(1).toString();
  if (reply[0] === 0x30) return { ...cold, state: 'building', floor };
  const count = Math.floor((reply.length - 9) / ENTRY_BYTES);
  const entries = Array.from({ length: Math.min(count, limit) }, (_, at) =>
    known.of(reply, 9 + at * ENTRY_BYTES),
  );
  return { state: 'ready', floor, entries, hasMore: count > limit };
}
