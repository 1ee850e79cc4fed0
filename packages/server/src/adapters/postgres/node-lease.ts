import type { Logger } from 'pino';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { type IdLease, type Ids, MAX_NODES, SnowflakeGenerator } from '../../kernel/ids.ts';
import { type Random, randomToken, systemRandom } from '../../kernel/random.ts';
import type { Database } from '../../ports/database/port.ts';
import { StartError } from './start-error.ts';

/**
 * The node number of this process, leased from the database, and the ids made with it.
 *
 * The database's clock decides about leases. A number is free when its lease has expired and its last permitted
 * time has passed as well, so that neither a restart nor a clock that stepped back repeats an id.
 */
export interface NodeLease extends AsyncDisposable {
  readonly ids: Ids;
  /** Undefined while the process holds no number that is surely its own. */
  readonly node: number | undefined;
  /** The number with its generation, which is larger for each process that takes the number after this one. */
  readonly identity: { readonly node: number; readonly generation: number } | undefined;
  /** Gives the number back. No id can be made afterwards. */
  release(): Promise<void>;
}

export interface NodeLeaseOptions {
  readonly database: Database;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Tests only; 30 s. */
  readonly leaseMs?: number;
}

const LEASE_MS = 30_000;
/** How far this machine's clock may run ahead of the database's before ids are refused. */
const CLOCK_AHEAD_MS = 30_000;

interface Row {
  readonly node: number;
  readonly issued_until_ms: string;
}

/** Takes a number, then renews it until it is released. */
export async function leaseNode(options: NodeLeaseOptions): Promise<NodeLease> {
  const lease = new LeasedNode(options);
  await lease.start();
  return lease;
}

class LeasedNode implements NodeLease {
  readonly ids: Ids;
  #lease: IdLease | undefined;
  /** A number is leased again only when the time that its ids may carry has passed: that time at the start tells who came later. */
  #generation = 0;
  #timer: Disposable | undefined;
  #renewal: Promise<void> = Promise.resolve();
  readonly #options: NodeLeaseOptions;
  readonly #clock: Clock;
  readonly #holder: string;
  readonly #leaseMs: number;

  constructor(options: NodeLeaseOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#holder = randomToken(options.random ?? systemRandom, 12);
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.ids = new SnowflakeGenerator(this.#clock, () => this.#lease);
  }

  get node(): number | undefined {
    const lease = this.#lease;
    return lease && this.#clock.monotonicMs() < lease.deadlineMs ? lease.node : undefined;
  }

  get identity() {
    const { node } = this;
    return node === undefined ? undefined : { node, generation: this.#generation };
  }

  async start(): Promise<void> {
    if (!(await this.#acquire())) {
      throw new StartError(
        `all ${MAX_NODES} node numbers are leased`,
        'Stop processes that are not needed; the number of one that was killed is free after a minute.',
      );
    }
    this.#timer = this.#clock.every(this.#leaseMs / 3, () => {
      this.#renewal = this.#keep();
      return this.#renewal;
    });
  }

  async #keep(): Promise<void> {
    try {
      if (await this.#renew()) return;
      // Another process has it: this one was away for longer than its lease.
      this.#lease = undefined;
      await this.#acquire();
    } catch (error) {
      // Ids go on until the deadline, then they are refused; the next turn tries again.
      this.#options.log.warn({ err: error }, 'the lease of the node number could not be renewed');
    }
  }

  async #renew(): Promise<boolean> {
    const lease = this.#lease;
    if (!lease) return false;
    const askedAtMs = this.#clock.monotonicMs();
    const rows = await this.#options.database.sql<Row>`
      update node_lease set expires_at = clock_timestamp() + ${this.#leaseMs} * interval '1 millisecond',
        issued_until_ms = greatest(issued_until_ms, ${this.#untilMs()})
      where node = ${lease.node} and holder = ${this.#holder}
      returning node, issued_until_ms`;
    return this.#adopt(rows[0], askedAtMs);
  }

  async #acquire(): Promise<boolean> {
    const askedAtMs = this.#clock.monotonicMs();
    const row = await this.#options.database.transaction(async (tx) => {
      // One process at a time chooses, so that two never choose the same number.
      await tx`select pg_advisory_xact_lock(7239485102934858)`;
      const [taken] = await tx<Row>`
        insert into node_lease (node, holder, expires_at, issued_until_ms)
        select n, ${this.#holder}, clock_timestamp() + ${this.#leaseMs} * interval '1 millisecond', ${this.#untilMs(tx)}
        from generate_series(0, ${MAX_NODES - 1}::int4) n
        left join node_lease l on l.node = n
        where l.node is null or (l.expires_at < clock_timestamp()
          and l.issued_until_ms < extract(epoch from clock_timestamp()) * 1000)
        order by n limit 1
        on conflict (node) do update set holder = excluded.holder, expires_at = excluded.expires_at,
          issued_until_ms = excluded.issued_until_ms
        returning node, issued_until_ms`;
      return taken;
    });
    if (row) this.#generation = Number(row.issued_until_ms);
    return this.#adopt(row, askedAtMs);
  }

  #untilMs(sql = this.#options.database.sql) {
    const aheadMs = this.#leaseMs + CLOCK_AHEAD_MS;
    return sql`(extract(epoch from clock_timestamp()) * 1000)::int8 + ${aheadMs}::int8`;
  }

  #adopt(row: Row | undefined, askedAtMs: number): boolean {
    if (!row) return false;
    // Counted from before the question: the lease of the database ends later, never earlier.
    const deadlineMs = askedAtMs + this.#leaseMs;
    this.#lease = { node: row.node, issuedUntilMs: Number(row.issued_until_ms), deadlineMs };
    return true;
  }

  async release(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    await this.#renewal;
    const lease = this.#lease;
    this.#lease = undefined;
    if (!lease) return;
    // The time that ids may carry stays, so the number rests until that has passed.
    await this.#options.database.sql`
      update node_lease set expires_at = clock_timestamp()
      where node = ${lease.node} and holder = ${this.#holder}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
