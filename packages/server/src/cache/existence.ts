import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import { CuckooFilter } from './cuckoo-filter.ts';
import type { Dependency } from './dependency.ts';

export interface ExistenceOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** How the rows are named, by their id alone: a row that changes exists, or did a moment ago. */
  readonly row: Dependency;
  /** When an id was made (Unix time, ms); undefined for what cannot be an id. */
  readonly createdMs: (id: string) => number | undefined;
  /** All ids made at that time or later, in parts, from the primary. */
  readonly scan: (sinceMs: number, signal: AbortSignal) => AsyncIterable<readonly string[]>;
  /** How often what is new is read. */
  readonly everyMs?: number;
  /** Nothing is said of ids younger than this at the last scan: they may be on their way to their commit. */
  readonly youngMs?: number;
  /** How far back a scan looks again, for transactions that took long. */
  readonly overlapMs?: number;
  /** How often everything is read anew, which forgets what was deleted. */
  readonly rebuildMs?: number;
}

const minCapacity = 10_000;
/** Clocks of nodes may differ, and a generator under load borrows some time. */
const futureMs = 300_000;

/**
 * Which ids of a table surely do not exist, so that asking for invented ones costs no query.
 *
 * An id says when it was made. One that the filter does not hold is absent if every row of its age has been read: a scan
 * reads all, then every `everyMs` what is new (again for `overlapMs`, because a row appears when its transaction commits,
 * not when its id is made). Rows of which an invalidation tells are added at once. So a wrong "absent" takes a transaction
 * longer than `youngMs` whose invalidation was lost as well, and lasts `everyMs`.
 *
 * Nothing is taken out one by one: a fingerprint deleted twice takes another's away (Fan et al., section 3.3), and changes
 * are told at least once. A deleted id is "perhaps" until the next rebuild, which costs a read of its null entry.
 */
export class Existence implements AsyncDisposable {
  readonly #options: Required<ExistenceOptions>;
  readonly #prefix: string;
  #filter: CuckooFilter | undefined;
  /** The filter being filled from a scan of everything; takes what is told meanwhile too. */
  #next: CuckooFilter | undefined;
  /** Every row made before is in the filter. */
  #completeUntilMs = 0;
  #rebuiltAtMs = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> | undefined;
  #ticker: Disposable | undefined;
  readonly #closing = new AbortController();

  constructor(options: ExistenceOptions) {
    this.#options = {
      everyMs: 10_000,
      youngMs: 30_000,
      overlapMs: 600_000,
      rebuildMs: 86_400_000,
      ...options,
    };
    const [nameOfNone, ...others] = options.row.columns;
    if (nameOfNone === undefined || others.length > 0) throw new Error('rows are named by their id alone');
    this.#prefix = options.row('');
  }

  get size(): number {
    return this.#filter?.size ?? 0;
  }

  get isReady(): boolean {
    return this.#filter !== undefined && !this.#filter.isFull;
  }

  /** Reads everything, then goes on in the background. A failure is logged, and tried again. */
  start(): void {
    const refresh = () =>
      this.refresh().catch((error: unknown) =>
        this.#options.log.warn({ error: String(error) }, 'existing ids could not be read'),
      );
    this.#ticker ??= this.#options.clock.every(this.#options.everyMs, refresh);
    void refresh();
  }

  /** True only if there is no such row. */
  isSurelyAbsent(id: string): boolean {
    const filter = this.#filter;
    if (!filter || filter.isFull || filter.has(id)) return false;
    const createdMs = this.#options.createdMs(id);
    if (createdMs === undefined) return true;
    return createdMs < this.#completeUntilMs || createdMs > this.#options.clock.nowMs() + futureMs;
  }

  /** Rows that changed, named as caches name them. */
  noteRows(rows: readonly string[]): void {
    for (const row of rows) if (row.startsWith(this.#prefix)) this.#add(row.slice(this.#prefix.length));
  }

  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ticker?.[Symbol.dispose]();
    this.#closing.abort();
    // It has been told to whoever asked for it.
    await this.#refreshing?.catch(() => undefined);
  }

  async #refresh(): Promise<void> {
    const { clock, rebuildMs, youngMs, overlapMs, scan } = this.#options;
    const { signal } = this.#closing;
    const startedMs = clock.nowMs();
    const isDue = !this.isReady || clock.monotonicMs() - this.#rebuiltAtMs >= rebuildMs;
    if (isDue) await this.#rebuild(signal);
    else {
      const sinceMs = this.#completeUntilMs - overlapMs;
      for await (const ids of scan(sinceMs, signal)) for (const id of ids) this.#add(id);
    }
    this.#completeUntilMs = startedMs - youngMs;
  }

  async #rebuild(signal: AbortSignal): Promise<void> {
    const { clock, scan } = this.#options;
    for (let capacity = Math.max(minCapacity, 2 * this.size); ; capacity *= 4) {
      const next = new CuckooFilter(capacity);
      this.#next = next;
      try {
        for await (const ids of scan(0, signal)) {
          for (const id of ids) if (!next.has(id)) next.add(id);
          if (next.isFull) break;
        }
      } finally {
        this.#next = undefined;
      }
      if (next.isFull) continue;
      this.#filter = next;
      this.#rebuiltAtMs = clock.monotonicMs();
      return;
    }
  }

  #add(id: string): void {
    for (const filter of [this.#filter, this.#next]) if (filter && !filter.has(id)) filter.add(id);
  }
}
