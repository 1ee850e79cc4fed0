import type { FeedPosition } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { idTimeMs } from '../../kernel/ids.ts';
import type { Database } from '../../ports/database/port.ts';

export interface PositionDeps {
  readonly db: Database;
  readonly clock: Clock;
  /** The cursor of the page whose entries all have keys below this one. */
  readonly cursorBelow: (viewerId: string, key: string) => string;
}

/** Clocks of nodes may differ by so much. */
const clockSkewMs = 60_000;

/**
 * Where each account has read to: one entry, for all its devices.
 *
 * Guarantees: a position never moves back, whatever the order in which the devices' writes arrive. An entry that is gone
 * by now still is a place.
 * Cost: one statement each.
 */
export class Positions {
  readonly #deps: PositionDeps;

  constructor(deps: PositionDeps) {
    this.#deps = deps;
  }

  async read(viewerId: string): Promise<FeedPosition | null> {
    const [row] = await this.#deps.db.sql<{ key: string; readAt: Date }>`
      select key, read_at as "readAt" from feed_position where account_id = ${viewerId}`;
    if (!row) return null;
    const cursor = this.#deps.cursorBelow(viewerId, (BigInt(row.key) + 1n).toString());
    return { entryId: row.key, cursor, readAt: row.readAt.toISOString() };
  }

  /** Errors: `not-found` for what cannot be an entry yet: it would be ahead of all that come, and stay there. */
  async save(viewerId: string, entryId: string): Promise<void> {
    const { db, clock } = this.#deps;
    const nowMs = clock.nowMs();
    if (idTimeMs(entryId) > nowMs + clockSkewMs) throw new AppError('not-found');
    await db.sql`
      insert into feed_position (account_id, key, read_at) values (${viewerId}, ${entryId}, ${new Date(nowMs)})
      on conflict (account_id) do update set key = excluded.key, read_at = excluded.read_at
      where feed_position.key < excluded.key`;
  }
}
