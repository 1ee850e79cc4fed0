import type { Logger } from 'pino';
import { AppError } from '../../kernel/errors.ts';
import type { FenceOptions, Fences, LoadFences } from '../../ports/fences/port.ts';
import type { RedisConnection } from './connection.ts';

export interface RedisFencesOptions {
  readonly redis: RedisConnection;
  readonly load: LoadFences;
  /** Which of these names are raised, from the truth: asked while the server is away. */
  readonly read: (names: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly log: Logger;
}

const partitions = 64;
const chunkSize = 1_000;
const fillAttempts = 4;
const keptMs = 3 * 86_400_000;

/*
 * hvf:{N} is a sorted set of names by when they were raised (server ms), and one marker with the score +inf: the run id
 * of the server that holds all fences of the partition. A server that was started again, took over from another or was
 * given the slot has another run id, and so counts as empty. Marker and names are one key: evicted, they go together.
 */
const common = `
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or 'unknown'
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function add(from)
  local now = now_ms()
  for index = from, #ARGV do redis.call('ZADD', KEYS[1], string.format('%d', now), ARGV[index]) end
end
`;

/**
 * KEYS  1 partition
 * ARGV  1 name
 * Returns 1 raised, 0 not raised, -1 this server does not hold all fences
 */
const readScript = `${common}
if not redis.call('ZSCORE', KEYS[1], '!' .. run) then return -1 end
return redis.call('ZSCORE', KEYS[1], ARGV[1]) and 1 or 0
`;

/**
 * KEYS  1 partition
 * ARGV  1 how long names are kept (ms), 2... names
 * The marker of an earlier server goes: should that one come back with these data, it has missed something.
 */
const raiseScript = `${common}
if not redis.call('ZSCORE', KEYS[1], '!' .. run) then redis.call('ZREMRANGEBYSCORE', KEYS[1], '+inf', '+inf') end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', now_ms() - tonumber(ARGV[1])))
add(2)
return 1
`;

/** KEYS  1 partition. Returns the run id of its server. */
const runScript = `${common}
return run
`;

/**
 * KEYS  1 partition
 * ARGV  1 the run id from before the truth was read, 2 "1" with the last names, 3... names
 * Returns 1, or 0 when the server is another one now
 */
const fillScript = `${common}
if run ~= ARGV[1] then return 0 end
add(3)
if ARGV[2] == '1' then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '+inf', '+inf')
  redis.call('ZADD', KEYS[1], '+inf', '!' .. run)
end
return 1
`;

/** Fences on Redis 6.2 or later, Valkey, single or Cluster. While it is away, the truth is asked, for many at a time. */
export class RedisFences implements Fences {
  readonly #options: RedisFencesOptions;
  readonly #looks = new Map<string, Promise<unknown>>();
  #filling: Promise<void> | undefined;
  #asking: Promise<ReadonlySet<string>> | undefined;
  #askNext: { names: Set<string>; answer: Promise<ReadonlySet<string>> } | undefined;

  constructor(options: RedisFencesOptions) {
    this.#options = options;
  }

  async raise(names: readonly string[], { signal }: FenceOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    const { redis } = this.#options;
    await Promise.all(
      [...grouped(names)].map(([partition, group]) =>
        redis.script(raiseScript, [keyOf(partition)], [String(keptMs), ...group]),
      ),
    );
  }

  async isRaised(name: string, { signal }: FenceOptions = {}): Promise<boolean> {
    signal?.throwIfAborted();
    try {
      const reply = await this.#look(name);
      if (reply !== -1) return reply === 1;
      await this.#fill();
      const again = await this.#look(name);
      if (again !== -1) return again === 1;
    } catch (error) {
      signal?.throwIfAborted();
      this.#options.log.debug({ err: error }, 'fences are read from the database');
    }
    return (await this.#ask(name)).has(name);
  }

  /** One look for all who ask in the same turn of the event loop: it leaves when they have asked. */
  #look(name: string): Promise<unknown> {
    const present = this.#looks.get(name);
    if (present) return present;
    const look = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#looks.delete(name);
      return this.#options.redis.script(readScript, [keyOf(partitionOf(name))], [name]);
    });
    this.#looks.set(name, look);
    return look;
  }

  #fill(): Promise<void> {
    this.#filling ??= this.#fillAll().finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  async #fillAll(): Promise<void> {
    const { redis, load, log } = this.#options;
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    for (let attempt = 0; attempt < fillAttempts; attempt += 1) {
      // First which servers these are, then the truth: what is raised after it reaches these servers by itself.
      const runs = await Promise.all(
        all.map(async (partition) => String(await redis.script(runScript, [keyOf(partition)], []))),
      );
      const groups = grouped(await load());
      const filled = await Promise.all(
        all.map((partition) => this.#fillPartition(partition, runs[partition]!, groups.get(partition) ?? [])),
      );
      if (filled.every(Boolean)) {
        log.info('fences filled from the database');
        return;
      }
    }
    throw new AppError('timeout', { detail: 'The store of the fences keeps changing' });
  }

  async #fillPartition(partition: number, run: string, names: readonly string[]): Promise<boolean> {
    for (let start = 0; ; start += chunkSize) {
      const chunk = names.slice(start, start + chunkSize);
      const isLast = start + chunkSize >= names.length;
      const args = [run, isLast ? '1' : '0', ...chunk];
      const reply = await this.#options.redis.script(fillScript, [keyOf(partition)], args);
      if (reply !== 1) return false;
      if (isLast) return true;
    }
  }

  /** One question to the truth at a time; those who come meanwhile share the next one. */
  #ask(name: string): Promise<ReadonlySet<string>> {
    if (this.#askNext) {
      this.#askNext.names.add(name);
      return this.#askNext.answer;
    }
    const names = new Set([name]);
    const next = { names, answer: this.#askAfter(this.#asking, names) };
    this.#askNext = next;
    return next.answer;
  }

  async #askAfter(
    before: Promise<unknown> | undefined,
    names: ReadonlySet<string>,
  ): Promise<ReadonlySet<string>> {
    // Its own callers hear of its error.
    await before?.catch(() => undefined);
    this.#asking = this.#askNext?.answer;
    this.#askNext = undefined;
    return this.#options.read([...names]);
  }
}

const partitionOf = (name: string) => Bun.hash.xxHash32(name) % partitions;
const keyOf = (partition: number) => `hvf:{${partition}}`;

function grouped(names: readonly string[]): Map<number, string[]> {
  const groups = new Map<number, string[]>();
  for (const name of names) {
    const partition = partitionOf(name);
    const group = groups.get(partition);
    if (group) group.push(name);
    else groups.set(partition, [name]);
  }
  return groups;
}
