import type { Logger } from '../../../kernel/log.ts';
import type { Announcements } from '../../../ports/announcements/port.ts';
import type { Database } from '../../../ports/database/port.ts';
import type { Shelf, TimelineStore } from '../../../ports/timeline-store/port.ts';
import { demote, MAX_FLIPS, pushedEdges } from '../tuning/flips.ts';
import { nextFollowers } from './followers.ts';
import type { Leased } from './queue.ts';

export interface GivingUpDeps {
  readonly db: Database;
  readonly store: Pick<TimelineStore, 'push' | 'drop'>;
  readonly announcements: Pick<Announcements, 'announce'>;
  readonly log: Logger;
}

/** Small, so that few edges are turned to pull for one shelf that cannot be reached. */
const chunk = MAX_FLIPS;
const maxAttempts = 5;

/**
 * The end of an entry that has failed too often: it goes on slowly, and the edges of a stretch that cannot be pushed are
 * pulled from then on, so that nobody waits for a shelf that is gone for good. The entry stays in flight meanwhile. While
 * nothing at all can be reached, not even the author's outbox, nothing is turned: that is an outage, and ends.
 */
export class GivingUp {
  readonly #deps: GivingUpDeps;

  constructor(deps: GivingUpDeps) {
    this.#deps = deps;
  }

  /** One stretch. */
  async crawl(
    leased: Leased,
  ): Promise<{ lastId: string | undefined; isLast: boolean; turnedToPull: number }> {
    const { announcements, db, log, store } = this.#deps;
    const { key, authorId, videoId } = leased;
    const entry = { key, authorId, videoId };
    await this.#outbox(entry);
    const [stretch] = await nextFollowers(db, [leased], chunk, 'all');
    if (!stretch) return { lastId: undefined, isLast: true, turnedToPull: 0 };
    const { followerIds, isLast, lastId } = stretch;
    try {
      await store.push(followerIds.map((ownerId) => ({ shelf: { kind: 'inbox' as const, ownerId }, entry })));
      return { lastId, isLast, turnedToPull: 0 };
    } catch (error) {
      log.error({ err: error, key, edges: followerIds.length }, 'edges are turned to pull');
      await turnToPull({ db, announcements }, authorId, followerIds);
      return { lastId, isLast, turnedToPull: followerIds.length };
    }
  }

  /** A shelf that lacks an entry must not pass for complete. */
  async #outbox(entry: { key: string; authorId: string; videoId: string }): Promise<void> {
    const { log, store } = this.#deps;
    const shelf: Shelf = { kind: 'outbox', ownerId: entry.authorId };
    try {
      await store.push([{ shelf, entry }]);
    } catch (error) {
      log.warn({ err: error, key: entry.key }, 'an outbox could not be pushed to and is dropped');
      await store.drop([shelf]);
    }
  }
}

/**
 * From push over both to pull. A reader hears of each step before it trusts an inbox again: when the edge is no longer
 * pushed to, everybody pulls it already. An edge that somebody else turns meanwhile is looked at again, so that none stays
 * pushed that lacks the entry.
 */
export async function turnToPull(
  deps: Pick<GivingUpDeps, 'db' | 'announcements'>,
  authorId: string,
  followerIds: readonly string[],
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const edges = await pushedEdges(deps.db, authorId, followerIds);
    if (edges.length === 0) return;
    // The stretch is tried again later.
    if (attempt === maxAttempts)
      throw new Error(`${edges.length} edges are turned by somebody else all the time`);
    await demote(deps, edges);
  }
}
