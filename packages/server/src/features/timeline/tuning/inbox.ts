import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { Metrics } from '../../../kernel/metrics.ts';
import { Occasionally } from '../../../kernel/occasionally.ts';
import type { Database } from '../../../ports/database/port.ts';
import type { TimelineStore } from '../../../ports/timeline-store/port.ts';
import { INBOX_CAPACITIES } from './bands.ts';
import { inboxOf } from './flips.ts';
import { newestEntries } from './newest-entries.ts';

/** Rebuilds under way at once in this process, and those that wait. */
const maxAtOnce = 4;
const maxWaiting = 1_000;
const deadlineMs = 30_000;

export interface InboxesDeps {
  readonly db: Database;
  readonly store: Pick<TimelineStore, 'begin' | 'merge'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Makes inboxes anew, behind pages that are answered by pulling.
 *
 * The shelf is begun before the reader's edges are read, and these before the entries: whatever commits later is pushed
 * to the edge, or brought by the promotion that comes after. A rebuild of the same inbox by another process voids the token.
 */
export class Inboxes {
  readonly #deps: InboxesDeps;
  readonly #said: Occasionally;
  readonly #underWay = new Map<string, Promise<boolean>>();
  readonly #turns: (() => void)[] = [];
  readonly #ended = new AbortController();
  readonly counts = { rebuilt: 0, failed: 0, refused: 0 };
  #running = 0;

  constructor(deps: InboxesDeps) {
    this.#deps = deps;
    this.#said = new Occasionally(deps.clock, 10_000);
  }

  /**
   * For whoever does not wait. A failure is logged; the next page that finds the inbox cold asks again, and so does it
   * when too many wait.
   */
  request(readerId: string): void {
    if (this.#ended.signal.aborted) return;
    if (!this.#underWay.has(readerId) && this.#underWay.size >= maxAtOnce + maxWaiting) {
      this.counts.refused += 1;
      return;
    }
    this.rebuild(readerId).catch((error: unknown) => {
      if (this.#ended.signal.aborted) return;
      this.#said.say('rebuild', (times) => {
        this.#deps.log.warn({ err: error, readerId, times }, 'an inbox could not be rebuilt');
      });
    });
  }

  /** True when it is ready; false when it was lost, or begun anew by another, meanwhile. One at a time for each reader. */
  rebuild(readerId: string): Promise<boolean> {
    const known = this.#underWay.get(readerId);
    if (known) return known;
    const rebuild = this.#inTurn(readerId).finally(() => this.#underWay.delete(readerId));
    this.#underWay.set(readerId, rebuild);
    return rebuild;
  }

  /** Those under way are given up. */
  async stop(): Promise<void> {
    this.#ended.abort(new Error('inboxes are not rebuilt any more'));
    await Promise.allSettled(this.#underWay.values());
  }

  exportTo(metrics: Metrics): void {
    metrics.gauge('timeline_inbox_rebuilds_waiting', 'Inboxes being rebuilt, or waiting for it', () => {
      return this.#underWay.size;
    });
    metrics.counter(
      'timeline_inbox_rebuilds_total',
      'Rebuilds of inboxes, by how they ended',
      ['outcome'],
      () => Object.entries(this.counts).map(([outcome, count]) => [{ outcome }, count] as const),
    );
  }

  async #inTurn(readerId: string): Promise<boolean> {
    if (this.#running >= maxAtOnce) await new Promise<void>((resolve) => this.#turns.push(resolve));
    else this.#running += 1;
    try {
      this.#ended.signal.throwIfAborted();
      const isReady = await this.#rebuild(readerId);
      if (isReady) this.counts.rebuilt += 1;
      return isReady;
    } catch (error) {
      this.counts.failed += 1;
      throw error;
    } finally {
      const next = this.#turns.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }

  async #rebuild(readerId: string): Promise<boolean> {
    const { clock, db, store } = this.#deps;
    const late = new AbortController();
    using _deadline = clock.after(deadlineMs, () => late.abort(new Error('a rebuild took too long')));
    const signal = AbortSignal.any([late.signal, this.#ended.signal]);
    const { sql } = db;
    const [reader] = await sql<{ capacity: number }>`
      select inbox_capacity as capacity from feed_reader where account_id = ${readerId}`.withSignal(signal);
    const capacity = reader?.capacity ?? INBOX_CAPACITIES[0];
    const shelf = inboxOf(readerId);
    const token = await store.begin(shelf, capacity, { signal });
    const edges = await sql<{ authorId: string; mode: number }>`
      select followee_id as "authorId", mode from follow where follower_id = ${readerId} and mode > 0`.withSignal(
      signal,
    );
    const authorIds = edges.map(({ authorId }) => authorId);
    const newest = await newestEntries(db, authorIds, capacity, signal);
    const isReady = await store.merge(shelf, { ...newest, token, isLast: true }, { signal });
    // Promotions that waited for an inbox to copy into can be finished now.
    if (isReady && edges.some(({ mode }) => mode === 1))
      await sql`update feed_reader set tuned_at = null where account_id = ${readerId}`.withSignal(signal);
    return isReady;
  }
}
