import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { Metrics } from '../../../kernel/metrics.ts';
import { Occasionally } from '../../../kernel/occasionally.ts';
import type { Database } from '../../../ports/database/port.ts';
import { INACTIVE_MS } from './edge-mode.ts';
import { decayFactor, perEvent, READS } from './rates.ts';

const flushEveryMs = 5_000;
/** Readers in one statement, and those that may wait for it. Whoever reads beyond that is noted with a later read. */
const maxAtOnce = 5_000;
const maxWaiting = 50_000;
/**
 * The time of the last read is told to this grain: the column has an index, and a row whose indexed columns stay is
 * updated in place. It is the database's time, because the fan-out compares it with that of entries.
 */
const lastReadGrain = '5 minutes';

export interface ActivityDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Who reads how often. Reads are counted in the process; a crash forgets some seconds of them. */
export class Activity {
  readonly #deps: ActivityDeps;
  readonly #said: Occasionally;
  #reads = new Map<string, number>();
  #timer: Disposable | undefined;
  #writing: Promise<void> = Promise.resolve();
  #unnoted = 0;

  constructor(deps: ActivityDeps) {
    this.#deps = deps;
    this.#said = new Occasionally(deps.clock, 60_000);
  }

  /** A first page of the following feed. Costs nothing. */
  noteRead(readerId: string): void {
    const reads = this.#reads.get(readerId);
    if (reads === undefined && this.#reads.size >= maxWaiting) this.#unnoted += 1;
    else this.#reads.set(readerId, (reads ?? 0) + 1);
  }

  start(): void {
    const { clock, log } = this.#deps;
    this.#timer ??= clock.every(flushEveryMs, () =>
      this.flush().catch((error: unknown) =>
        this.#said.say('flush', () => log.warn({ err: error }, 'reads of the feed were not noted')),
      ),
    );
  }

  /** Writes what waits. What cannot be written waits on. */
  flush(): Promise<void> {
    const writing = this.#writing.then(
      () => this.#flush(),
      () => this.#flush(),
    );
    this.#writing = writing.catch(() => undefined);
    return writing;
  }

  async stop(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    await this.flush();
  }

  exportTo(metrics: Metrics): void {
    metrics.gauge('timeline_reads_waiting', 'Readers whose reads are not written yet', () => {
      return this.#reads.size;
    });
    metrics.counter('timeline_reads_unnoted_total', 'Reads not counted because too many waited', [], () => [
      [{}, this.#unnoted],
    ]);
  }

  async #flush(): Promise<void> {
    while (this.#reads.size > 0) {
      const batch = [...this.#reads].slice(0, maxAtOnce);
      for (const [id] of batch) this.#reads.delete(id);
      try {
        await this.#write(batch);
      } catch (error) {
        for (const [id, reads] of batch) this.#reads.set(id, (this.#reads.get(id) ?? 0) + reads);
        throw error;
      }
    }
  }

  async #write(batch: readonly (readonly [string, number])[]): Promise<void> {
    const now = new Date(this.#deps.clock.nowMs());
    const inactive = `${INACTIVE_MS} milliseconds`;
    await this.#deps.db.transaction(async (tx) => {
      // The accounts are locked in their order, and those that have gone are left out.
      await tx`
        with noted as (
          select a.id, each.reads from unnest(
            ${tx.array(
              batch.map(([id]) => id),
              'int8',
            )}, ${tx.array(
              batch.map(([, reads]) => reads),
              'int4',
            )}) as each (id, reads)
          join account a on a.id = each.id order by a.id for key share of a)
        insert into feed_reader (account_id, reads_per_day, rated_at, last_read_at)
        select id, reads * ${perEvent(READS)}::float8, ${now}, now() from noted
        on conflict (account_id) do update set
          reads_per_day = excluded.reads_per_day
            + feed_reader.reads_per_day * ${decayFactor(tx, READS, tx`feed_reader.rated_at`, now)},
          rated_at = greatest(feed_reader.rated_at, excluded.rated_at),
          last_read_at = case when excluded.last_read_at < feed_reader.last_read_at + ${lastReadGrain}::interval
            then feed_reader.last_read_at else excluded.last_read_at end,
          -- Whoever comes back after a long time is looked at again.
          tuned_at = case when feed_reader.last_read_at < now() - ${inactive}::interval
            then null else feed_reader.tuned_at end`;
    });
  }
}
