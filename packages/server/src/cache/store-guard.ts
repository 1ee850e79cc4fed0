import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type {
  CacheStore,
  EntryKey,
  Fill,
  FillResult,
  Lease,
  LeaseRequest,
  ReadResult,
} from '../ports/cache-store/port.ts';
import { Breaker } from './breaker.ts';

const retryMs = 100;
const maxMissedRows = 10_000;

/**
 * The store as the cache uses it: it may be away, and nothing becomes wrong by that.
 *
 * While it is away, calls answer undefined at once (a circuit breaker) and the truth is read instead. Invalidations that it
 * missed are remembered and told as soon as it is back; until then no entry that depends on one of these rows is
 * believed, whatever the store says. When there are too many to remember, the store forgets everything before it is
 * believed again. What the store itself lost in a crash is its own to notice (its generation).
 */
export class StoreGuard implements AsyncDisposable {
  readonly #store: CacheStore;
  readonly #clock: Clock;
  readonly #onReached: (rows: readonly string[] | 'all') => void;
  readonly #breaker: Breaker;
  readonly #closing = new AbortController();
  /** Rows whose invalidation the store has not acknowledged, with the number of the attempt to tell it. */
  readonly #missed = new Map<string, number>();
  #attempts = 0;
  #hasMissedTooMany = false;
  #replaying: Promise<void> | undefined;
  failures = 0;

  /** `onReached` is called when the store has taken an invalidation that it had missed at first. */
  constructor(store: CacheStore, clock: Clock, onReached: (rows: readonly string[] | 'all') => void) {
    this.#store = store;
    this.#clock = clock;
    this.#onReached = onReached;
    this.#breaker = new Breaker(clock);
  }

  get breakerState() {
    return this.#breaker.state;
  }

  get timesOpened(): number {
    return this.#breaker.opened;
  }

  get missedRows(): number {
    return this.#missed.size;
  }

  stats() {
    return this.#store.stats();
  }

  async read(
    keys: readonly EntryKey[],
    lease: LeaseRequest | undefined,
  ): Promise<(ReadResult | undefined)[] | undefined> {
    const results = await this.#attempt(() => this.#store.read(keys, lease));
    if (!results || (this.#missed.size === 0 && !this.#hasMissedTooMany)) return results;
    return results.map((result, index) =>
      result.kind === 'hit' && this.#isDoubtful(keys[index]!.owner, result.contains) ? undefined : result,
    );
  }

  renew(leases: readonly Lease[], leaseMs: number): Promise<boolean[] | undefined> {
    return this.#attempt(() => this.#store.renew(leases, leaseMs));
  }

  fill(fills: readonly Fill[]): Promise<FillResult[] | undefined> {
    return this.#attempt(() => this.#store.fill(fills));
  }

  release(leases: readonly Lease[]): Promise<boolean[] | undefined> {
    return this.#attempt(() => this.#store.release(leases));
  }

  /** False when the store could not be told; it is then told later, and doubted until then. */
  async invalidate(rows: readonly string[]): Promise<boolean> {
    const isTold = await this.#attempt(async () => {
      await this.#store.invalidate(rows);
      return true;
    });
    if (isTold) return true;
    // Not before: while the call is under way the invalidation has not reached anybody, and doubt costs a load.
    const attempt = ++this.#attempts;
    for (const row of rows) this.#missed.set(row, attempt);
    if (this.#missed.size > maxMissedRows) this.#hasMissedTooMany = true;
    this.#replaying ??= this.#replay();
    return false;
  }

  #forgetMissed(rows: Iterable<string>, attempt: number): void {
    for (const row of rows) {
      if ((this.#missed.get(row) ?? Number.POSITIVE_INFINITY) <= attempt) this.#missed.delete(row);
    }
  }

  #isDoubtful(owner: string, contains: readonly string[]): boolean {
    if (this.#hasMissedTooMany || this.#missed.has(owner)) return true;
    return contains.some((row) => this.#missed.has(row));
  }

  async #attempt<T>(call: () => Promise<T>): Promise<T | undefined> {
    if (!this.#breaker.allows()) return undefined;
    try {
      const result = await call();
      this.#breaker.succeed();
      return result;
    } catch (error) {
      this.failures += 1;
      this.#breaker.fail();
      // Anything but an unreachable store is a bug, and not for us to hide.
      if (error instanceof AppError && error.code === 'timeout') return undefined;
      throw error;
    }
  }

  /** Tells the store what it missed, until it has heard all of it. */
  async #replay(): Promise<void> {
    while (this.#missed.size > 0 || this.#hasMissedTooMany) {
      try {
        await this.#clock.sleep(retryMs, { signal: this.#closing.signal });
      } catch {
        break; // closed
      }
      if (this.#hasMissedTooMany) await this.#replayEverything();
      else await this.#replayRows([...this.#missed.keys()]);
    }
    this.#replaying = undefined;
  }

  async #replayRows(rows: readonly string[]): Promise<void> {
    const attempt = this.#attempts;
    const isTold = await this.#attempt(async () => {
      for (let from = 0; from < rows.length; from += 1_000) {
        await this.#store.invalidate(rows.slice(from, from + 1_000));
      }
      return true;
    });
    if (!isTold) return;
    this.#forgetMissed(rows, attempt);
    this.#onReached(rows);
  }

  async #replayEverything(): Promise<void> {
    const attempt = this.#attempts;
    const isTold = await this.#attempt(async () => {
      await this.#store.forgetAll();
      return true;
    });
    if (!isTold) return;
    this.#forgetMissed([...this.#missed.keys()], attempt);
    this.#hasMissedTooMany = this.#missed.size > maxMissedRows;
    this.#onReached('all');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#replaying;
  }
}
