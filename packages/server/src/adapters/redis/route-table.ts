import { AppError } from '../../kernel/errors.ts';
import { MAX_ACCOUNTS, type NodeIdentity, type RouteTable } from '../../ports/route-table/port.ts';
import type { RedisConnection } from './connection.ts';
import { addScript, findScript, removeScript, renewScript } from './route-scripts.ts';

export interface RedisRouteTableOptions {
  readonly redis: RedisConnection;
  /** What the bus knows this node by; no other process has ever had it. */
  readonly name: string;
  /** Undefined while the node has no number that is surely its own. */
  readonly identity: () => NodeIdentity | undefined;
  readonly ttlMs?: number;
}

/** Spread over the servers of a cluster; one call goes to each of them. */
const PARTITIONS = 16;

/** `none`: nothing was added yet. `lost`: what was added is not surely there. */
type State = 'none' | 'kept' | 'lost';

/** Route table on Redis 6.2 or later, Valkey, single or Cluster. */
export class RedisRouteTable implements RouteTable {
  readonly isAlone = false;
  readonly #redis: RedisConnection;
  readonly #name: string;
  readonly #identity: () => NodeIdentity | undefined;
  readonly #ttlMs: string;
  readonly #states: State[] = Array<State>(PARTITIONS).fill('none');
  #present: NodeIdentity | undefined;

  constructor({ redis, name, identity, ttlMs = 30_000 }: RedisRouteTableOptions) {
    this.#redis = redis;
    this.#name = name;
    this.#identity = identity;
    this.#ttlMs = String(ttlMs);
  }

  async add(accountIds: readonly string[]): Promise<void> {
    const identity = this.#check();
    const places = placesOf(accountIds);
    // All are begun by the first call: what an earlier process of our number had in them is no longer found.
    for (const [partition, state] of this.#states.entries())
      if (state === 'none' && !places.has(partition)) places.set(partition, []);
    await inPartitions(accountIds, places, async (partition, accounts) => {
      const isNew = this.#states[partition] === 'none';
      // At once, so that a second call on its way does not begin the set anew.
      if (isNew) this.#states[partition] = 'kept';
      const put = (begin: boolean) =>
        this.#redis.script(addScript, this.#keys(partition, identity), [
          ...this.#self(identity),
          begin ? '1' : '0',
          ...accounts,
        ]);
      try {
        if ((await put(isNew)) === 1) return;
        this.#states[partition] = 'lost';
        // The others of the partition come again with the next renewal; these are there from now on.
        if ((await put(true)) === -1) this.#states[partition] = 'lost';
      } catch (error) {
        this.#states[partition] = 'lost';
        throw error;
      }
    });
  }

  async remove(accountIds: readonly string[]): Promise<void> {
    const identity = this.#check();
    await inPartitions(accountIds, placesOf(accountIds), async (partition, accounts) => {
      const [, own] = this.#keys(partition, identity);
      await this.#redis.script(removeScript, [own], accounts);
    });
  }

  /** A partition that was lost is begun anew by what is added next. */
  async renew(): Promise<boolean> {
    const identity = this.#check();
    const partitions = this.#states.flatMap((state, index) => (state === 'none' ? [] : [index]));
    const replies = await this.#redis.scripts(
      renewScript,
      partitions.map((partition) => ({
        keys: this.#keys(partition, identity),
        args: this.#self(identity),
      })),
    );
    let isWhole = true;
    for (const [index, partition] of partitions.entries()) {
      if (replies[index] === 1 && this.#states[partition] === 'kept') continue;
      this.#states[partition] = 'none';
      isWhole = false;
    }
    return isWhole;
  }

  async nodesOf(accountIds: readonly string[]): Promise<readonly (readonly string[])[]> {
    const found: string[][] = accountIds.map(() => []);
    const places = placesOf(accountIds);
    const asked = [...places.keys()];
    const replies = await this.#redis.scripts(
      findScript,
      asked.map((partition) => ({
        keys: [`hvr:{${partition}}`],
        args: [this.#name, ...places.get(partition)!.map((place) => accountIds[place]!)],
      })),
    );
    for (const [index, partition] of asked.entries()) {
      const reply = replies[index] as Buffer[];
      for (let at = 0; at < reply.length; at += 2) {
        const name = String(reply[at]);
        const bits = reply[at + 1]!;
        for (const [nth, place] of places.get(partition)!.entries())
          if (bits[nth] === 0x31) found[place]!.push(name);
      }
    }
    return found;
  }

  /** The sets expire by themselves where the server cannot be reached. */
  async [Symbol.asyncDispose](): Promise<void> {
    const identity = this.#present;
    if (!identity || !this.#redis.isReady) return;
    const keys = this.#states.flatMap((state, partition) =>
      state === 'none' ? [] : [this.#keys(partition, identity)[1]],
    );
    this.#states.fill('none');
    await Promise.allSettled(keys.map((key) => this.#redis.del(key)));
  }

  /** Under another number everything has to be added again. */
  #check(): NodeIdentity {
    const identity = this.#identity();
    if (!identity) throw new AppError('timeout', { detail: 'The node has no number' });
    const { node, generation } = this.#present ?? identity;
    if (node !== identity.node || generation !== identity.generation) {
      for (const [index, state] of this.#states.entries()) if (state !== 'none') this.#states[index] = 'lost';
    }
    this.#present = identity;
    return identity;
  }

  #keys(partition: number, { node, generation }: NodeIdentity): [string, string] {
    return [`hvr:{${partition}}`, `hvr:{${partition}}:${node}:${generation}`];
  }

  #self({ node, generation }: NodeIdentity): string[] {
    return [String(node), String(generation), this.#name, this.#ttlMs];
  }
}

async function inPartitions(
  accountIds: readonly string[],
  places: ReadonlyMap<number, readonly number[]>,
  run: (partition: number, accounts: string[]) => Promise<void>,
): Promise<void> {
  const runs = [...places].map(([partition, own]) =>
    run(
      partition,
      own.map((place) => accountIds[place]!),
    ),
  );
  await Promise.all(runs);
}

/** By partition: where in the list its accounts stand. */
function placesOf(accountIds: readonly string[]): Map<number, number[]> {
  if (accountIds.length > MAX_ACCOUNTS) throw new Error(`${accountIds.length} accounts in one call`);
  const places = new Map<number, number[]>();
  for (const [place, id] of accountIds.entries()) {
    const partition = partitionOf(id);
    const own = places.get(partition);
    if (own) own.push(place);
    else places.set(partition, [place]);
  }
  return places;
}

/** FNV-1a. */
function partitionOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return (hash >>> 8) % PARTITIONS;
}
