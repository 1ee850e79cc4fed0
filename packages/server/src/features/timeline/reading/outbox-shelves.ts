import type { Database } from '../../../ports/database/port.ts';
import type { Shelf, TimelineStore } from '../../../ports/timeline-store/port.ts';
import { afterAllIds } from '../../videos/index.ts';
import { floorOf, HOT_ENTRIES } from './outboxes.ts';
import { newestOfEach } from './store.ts';

export interface OutboxShelvesDeps {
  readonly db: Database;
  readonly store: TimelineStore;
}

/** From 10,000 followers on, or much heat: whoever is pulled by most and asked for on every node. */
const minLevel = 1;
/** What waits longer is asked for again. */
const maxWaiting = 10_000;
const askAtOnce = 500;
/** Shelves of a thousand entries made in one turn. */
const makeAtOnce = 20;

/**
 * Puts the outboxes of big creators into the store, where every node finds them that does not hold them, and none asks the
 * database. In the background: a shelf is begun, then the truth is read, then it is merged. So an entry that commits before
 * the read is copied, and the fan-out of a later one finds the shelf; what is in flight meanwhile every reader adds.
 *
 * Cost: a statement for those that were missed, and one for up to twenty shelves that are made.
 */
export class OutboxShelves {
  readonly #deps: OutboxShelvesDeps;
  readonly #missed = new Set<string>();
  /** Found while somebody made them: whoever died over it is not waited for a second time. */
  #beingMade = new Set<string>();
  made = 0;

  constructor(deps: OutboxShelvesDeps) {
    this.#deps = deps;
  }

  /** These were looked for in the store, and were not there. */
  noteMissed(authorIds: readonly string[]): void {
    for (const id of authorIds) {
      if (this.#missed.size >= maxWaiting) return;
      this.#missed.add(id);
    }
  }

  async turn(signal?: AbortSignal): Promise<void> {
    if (this.#missed.size === 0) return;
    const asked = [...this.#missed].slice(0, askAtOnce);
    for (const id of asked) this.#missed.delete(id);
    const { sql } = this.#deps.db;
    const big = await sql<{ id: string }>`
      select account_id as id from feed_creator
      where account_id = any(${sql.array(asked, 'int8')}) and level >= ${minLevel}`.withSignal(signal);
    if (big.length === 0) return;
    const wanted = await this.#cold(
      big.map(({ id }) => id),
      signal,
    );
    this.noteMissed(wanted.slice(makeAtOnce));
    await this.#make(wanted.slice(0, makeAtOnce), signal);
  }

  async #cold(authorIds: readonly string[], signal: AbortSignal | undefined): Promise<string[]> {
    const reads = authorIds.map((id) => ({ shelf: outbox(id), limit: 1 }));
    const pages = await this.#deps.store.read(reads, { signal });
    const state = (at: number) => pages[at]?.state ?? 'cold';
    const before = this.#beingMade;
    this.#beingMade = new Set(authorIds.filter((id, at) => state(at) === 'building' && !before.has(id)));
    return authorIds.filter((id, at) => state(at) === 'cold' || (state(at) === 'building' && before.has(id)));
  }

  async #make(authorIds: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const { db, store } = this.#deps;
    if (authorIds.length === 0) return;
    const tokens: string[] = [];
    for (const id of authorIds) tokens.push(await store.begin(outbox(id), HOT_ENTRIES, { signal }));
    const rows = await newestOfEach(db, authorIds, afterAllIds, HOT_ENTRIES, signal);
    const byAuthor = Map.groupBy(rows, ({ authorId }) => authorId);
    for (const [at, id] of authorIds.entries()) {
      const entries = byAuthor.get(id) ?? [];
      const merge = { entries, completeDownTo: floorOf(entries), token: tokens[at], isLast: true };
      if (await store.merge(outbox(id), merge, { signal })) this.made += 1;
    }
  }
}

const outbox = (ownerId: string): Shelf => ({ kind: 'outbox', ownerId });
