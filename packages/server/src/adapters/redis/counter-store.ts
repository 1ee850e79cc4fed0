import type {
  CounterKey,
  CounterStore,
  CounterStoreOptions,
  CounterTotal,
} from '../../ports/counter-store/port.ts';
import type { RedisConnection } from './connection.ts';

const partitions = 256;
const keptMs = 7 * 86_400_000;
/** Keys of one script call: more would hold up the others too long. */
const maxKeysEach = 200;

/*
 * hvn:{N}:<id> is a hash of the counters about one subject: metric -> `revision:total`, and g -> the run id of the server
 * that was told them all. A server that lost writes, or took over from another, has another run id: the hash is then empty.
 */
const common = `
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or 'unknown'
`;

/**
 * KEYS  1... subjects
 * ARGV  for each: its metrics, separated by commas
 * Returns for each a list of `revision:total` or false
 */
const readScript = `${common}
local answers = {}
for index = 1, #KEYS do
  local fields = {'g'}
  for metric in string.gmatch(ARGV[index], '%d+') do fields[#fields + 1] = metric end
  local found = redis.call('HMGET', KEYS[index], unpack(fields))
  local isOurs = found[1] == run
  local answer = {}
  for at = 2, #fields do answer[at - 1] = isOurs and found[at] or false end
  answers[index] = answer
end
return answers
`;

/**
 * KEYS  1... subjects
 * ARGV  1 how long they are kept (ms), then for each: `metric:revision:total`, separated by commas
 */
const putScript = `${common}
for index = 1, #KEYS do
  local key = KEYS[index]
  if redis.call('HGET', key, 'g') ~= run then
    redis.call('DEL', key)
    redis.call('HSET', key, 'g', run)
  end
  for metric, revision, total in string.gmatch(ARGV[index + 1], '(%d+):(%d+):(-?%d+)') do
    local present = redis.call('HGET', key, metric)
    local known = present and tonumber(string.match(present, '^%d+')) or -1
    if tonumber(revision) > known then redis.call('HSET', key, metric, revision .. ':' .. total) end
  end
  redis.call('PEXPIRE', key, ARGV[1])
end
return #KEYS
`;

/** CounterStore on Redis 6.2 or later, Valkey, single or Cluster. */
export class RedisCounterStore implements CounterStore {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async read(
    keys: readonly CounterKey[],
    { signal }: CounterStoreOptions = {},
  ): Promise<(CounterTotal | undefined)[]> {
    signal?.throwIfAborted();
    const found = new Map<string, CounterTotal>();
    const calls = this.#callsOf(keys, ({ metric }) => String(metric));
    await Promise.all(
      calls.map(async (call) => {
        const reply = await this.#redis.script(
          readScript,
          call.map(({ key }) => key),
          call.map(({ items }) => items.join(',')),
        );
        call.forEach(({ id, items }, index) => {
          const texts: unknown[] = Array.isArray(reply) && Array.isArray(reply[index]) ? reply[index] : [];
          items.forEach((metric, at) => {
            const total = totalOf(texts[at]);
            if (total) found.set(`${id}:${metric}`, total);
          });
        });
      }),
    );
    signal?.throwIfAborted();
    return keys.map(({ id, metric }) => found.get(`${id}:${metric}`));
  }

  async putNewer(
    totals: readonly (CounterKey & CounterTotal)[],
    { signal }: CounterStoreOptions = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    const calls = this.#callsOf(totals, ({ metric, revision, total }) => `${metric}:${revision}:${total}`);
    await Promise.all(
      calls.map((call) =>
        this.#redis.script(
          putScript,
          call.map(({ key }) => key),
          [String(keptMs), ...call.map(({ items }) => items.join(','))],
        ),
      ),
    );
  }

  /** Keys of one call lie in one partition, which is one slot of a cluster; one server takes all of them together. */
  #callsOf<Key extends CounterKey>(keys: readonly Key[], textOf: (key: Key) => string): Subject[][] {
    const groups = new Map<number, Map<string, Subject>>();
    for (const key of keys) {
      const partition = Bun.hash.xxHash32(key.id) % partitions;
      const group = this.#redis.isCluster ? partition : 0;
      const subjects = groups.get(group) ?? new Map<string, Subject>();
      groups.set(group, subjects);
      const subject = subjects.get(key.id);
      if (subject) subject.items.push(textOf(key));
      else subjects.set(key.id, { id: key.id, key: `hvn:{${partition}}:${key.id}`, items: [textOf(key)] });
    }
    return [...groups.values()].flatMap((subjects) => chunked([...subjects.values()]));
  }
}

interface Subject {
  readonly id: string;
  readonly key: string;
  readonly items: string[];
}

function chunked(subjects: readonly Subject[]): Subject[][] {
  const count = Math.ceil(subjects.length / maxKeysEach);
  return Array.from({ length: count }, (_, at) => subjects.slice(at * maxKeysEach, (at + 1) * maxKeysEach));
}

function totalOf(reply: unknown): CounterTotal | undefined {
  if (!(reply instanceof Buffer)) return undefined;
  const [revision, total] = reply.toString().split(':');
  return { revision: Number(revision), total: Number(total) };
}
