import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { Metrics } from '../../../kernel/metrics.ts';
import type { Database } from '../../../ports/database/port.ts';
import { nextCapacity } from './bands.ts';
import type { Creators } from './creators.ts';
import { decideEdge, INACTIVE_MS } from './edge-mode.ts';
import type { EdgeReads, KnownEdge } from './edges.ts';
import { type Flips, MAX_FLIPS } from './flips.ts';
import type { Inboxes } from './inbox.ts';
import { decayed, READS } from './rates.ts';

export interface RetunerBudget {
  readonly flipsPerSecond: number;
  readonly readersPerTurn: number;
  readonly turnMs: number;
}

export const RETUNER_BUDGET: RetunerBudget = { flipsPerSecond: 500, readersPerTurn: 2_000, turnMs: 45_000 };

/** A reader is not looked at again before that. */
export const RETUNE_AFTER_MS = 15 * 60_000;
const readersAtOnce = 100;
const edgesAtOnce = MAX_FLIPS;
/** Of one reader in one visit, so that nobody keeps the others waiting. */
const maxFlipsOfReader = 5 * MAX_FLIPS;
const maxFailures = 5;

export interface RetunerDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly edges: EdgeReads;
  readonly flips: Flips;
  readonly inboxes: Inboxes;
  readonly creators: Pick<Creators, 'walkLevels'>;
  readonly budget?: RetunerBudget;
}

interface ReaderRow {
  readonly id: string;
  readonly reads: number;
  readonly ratedAt: Date;
  readonly lastReadAt: Date;
  readonly capacity: number;
}

/**
 * Brings edges to where they should be, in the background and within a budget: first the levels of creators, then the edges
 * of those whose level has changed, then reader after reader, whoever has waited longest first.
 *
 * One process at a time is enough, and several harm nothing but each other's budget: each step is taken from the row that was
 * read. A turn that dies leaves edges in `both`, which the next visit of their reader finishes.
 */
export class Retuner {
  readonly #deps: RetunerDeps;
  readonly #budget: RetunerBudget;
  readonly counts = { promoted: 0, demoted: 0, readers: 0, creators: 0 };

  constructor(deps: RetunerDeps) {
    this.#deps = deps;
    this.#budget = deps.budget ?? RETUNER_BUDGET;
  }

  /** Once a minute, on one process. */
  async turn(signal: AbortSignal): Promise<void> {
    const { clock, creators, log } = this.#deps;
    const startedMs = clock.monotonicMs();
    await creators.walkLevels(signal);
    // Readers get the second half of the turn in any case.
    await this.#tuneCreators(startedMs + this.#budget.turnMs / 2, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      log.warn({ err: error }, 'the edges of a creator could not be turned');
    });
    await this.#tuneReaders(startedMs + this.#budget.turnMs, signal);
  }

  exportTo(metrics: Metrics): void {
    metrics.counter('timeline_edge_flips_total', 'Edges turned by this process', ['to'], () => [
      [{ to: 'push' }, this.counts.promoted],
      [{ to: 'pull' }, this.counts.demoted],
    ]);
    metrics.counter(
      'timeline_tuned_total',
      'Readers looked at, and large creators gone through',
      ['what'],
      () => [
        [{ what: 'readers' }, this.counts.readers],
        [{ what: 'creators' }, this.counts.creators],
      ],
    );
  }

  /** The edges of those whose level has changed, in stretches of followers. Progress is kept. */
  async #tuneCreators(endMs: number, signal: AbortSignal): Promise<void> {
    const { clock, db, edges } = this.#deps;
    while (clock.monotonicMs() < endMs) {
      signal.throwIfAborted();
      const [creator] = await db.sql<{ id: string; level: number; tuned: number; after: string }>`
        select account_id as id, level, tuned_level as tuned, tuned_after as after from feed_creator
        where level <> tuned_level order by account_id limit 1`;
      if (!creator) return;
      const { id, level, tuned, after } = creator;
      const isRise = level > tuned;
      const stretch = await edges.ofAuthor(id, after, edgesAtOnce, isRise, signal);
      await this.#turnEdges(stretch, signal);
      const last = stretch.length === edgesAtOnce ? stretch.at(-1)!.readerId : undefined;
      if (last === undefined) this.counts.creators += 1;
      // Unless the level has changed again meanwhile: then from the beginning.
      await db.sql`
        update feed_creator set tuned_after = ${last ?? '0'}, tuned_level = ${last === undefined ? level : tuned}
        where account_id = ${id} and level = ${level} and tuned_level = ${tuned} and tuned_after = ${after}`;
    }
  }

  async #tuneReaders(endMs: number, signal: AbortSignal): Promise<void> {
    const { clock, db, log } = this.#deps;
    let failures = 0;
    for (let seen = 0; seen < this.#budget.readersPerTurn; seen += readersAtOnce) {
      const before = new Date(clock.nowMs() - RETUNE_AFTER_MS);
      const readers = await db.sql<ReaderRow>`
        select account_id as id, reads_per_day as reads, rated_at as "ratedAt", last_read_at as "lastReadAt",
          inbox_capacity as capacity
        from feed_reader where tuned_at is null or tuned_at < ${before}
        order by tuned_at nulls first limit ${readersAtOnce}`;
      for (const reader of readers) {
        signal.throwIfAborted();
        if (clock.monotonicMs() >= endMs) return;
        await this.#tuneReader(reader, signal).catch(async (error: unknown) => {
          signal.throwIfAborted();
          failures += 1;
          // One may be odd; when it is all of them, it is the store or the database, and the next turn tries again.
          if (failures >= maxFailures) throw error;
          log.warn({ err: error, readerId: reader.id }, 'the edges of a reader could not be turned');
          await db.sql`update feed_reader set tuned_at = ${new Date(clock.nowMs())} where account_id = ${reader.id}`;
        });
      }
      if (readers.length < readersAtOnce) return;
    }
  }

  async #tuneReader(
    { id, reads, ratedAt, lastReadAt, capacity }: ReaderRow,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, db, edges, inboxes } = this.#deps;
    const nowMs = clock.nowMs();
    const own = await edges.ofReader(id, signal);
    await this.#turnEdges(own, signal, maxFlipsOfReader);
    const isAllPulled = own.every(({ mode }) => mode === 'pull');
    const size = nextCapacity(capacity, decayed(READS, reads, ratedAt.getTime(), nowMs));
    // Whoever stays away is not looked at again before the next read, which sets the time back.
    await db.sql`
      update feed_reader set inbox_capacity = ${size}, tuned_at = case
        when ${isAllPulled} and last_read_at < ${new Date(nowMs - INACTIVE_MS)} then 'infinity'
        else ${new Date(nowMs)}::timestamptz end
      where account_id = ${id}`;
    this.counts.readers += 1;
    // A smaller one comes by itself when the inbox is made anew the next time.
    if (size > capacity && nowMs - lastReadAt.getTime() <= INACTIVE_MS) inboxes.request(id);
  }

  async #turnEdges(edges: readonly KnownEdge[], signal: AbortSignal, limit = edges.length): Promise<void> {
    const { flips } = this.#deps;
    const wanted = edges.map((edge) => ({ edge, to: decideEdge(edge).mode }));
    const toTurn = wanted.filter(({ edge, to }) => edge.mode !== to).slice(0, limit);
    const up = toTurn.filter(({ to }) => to === 'push').map(({ edge }) => edge);
    const down = toTurn.filter(({ to }) => to === 'pull').map(({ edge }) => edge);
    // Those that cost most first: a push to somebody who does not read.
    for (const part of partsOf(down))
      await this.#paced(part.length, signal, async () => {
        this.counts.demoted += await flips.demote(part);
      });
    for (const part of partsOf(up))
      await this.#paced(part.length, signal, async () => {
        this.counts.promoted += await flips.promote(part, signal);
      });
  }

  /** So many edges a second at most: waits for what the work itself has not taken. */
  async #paced(edges: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    const { clock } = this.#deps;
    const startedMs = clock.monotonicMs();
    await work();
    const restMs = (edges / this.#budget.flipsPerSecond) * 1_000 - (clock.monotonicMs() - startedMs);
    if (restMs > 0) await clock.sleep(restMs, { signal });
  }
}

function* partsOf<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += MAX_FLIPS) yield all.slice(at, at + MAX_FLIPS);
}
