import type { FeedPosition } from '@hvideo/protocol';
import { type Cache, type CachedReader, dependency } from '../../cache/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { idTimeMs } from '../../kernel/ids.ts';
import { type MaybePromise, whenKnown } from '../../kernel/maybe-promise.ts';
import type { Database } from '../../ports/database/port.ts';
import type { TellOwnChanges } from '../../ports/own-changes/port.ts';

export interface PositionDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly cache: Cache;
  readonly tell: TellOwnChanges;
  /** The cursor of the page whose entries all have keys below this one. */
  readonly cursorBelow: (viewerId: string, key: string) => string;
}

interface StoredPosition {
  readonly key: string;
  readonly readAt: string;
}

/** Clocks of nodes may differ by so much. */
const clockSkewMs = 60_000;
const minuteMs = 60_000;

const positionOf = dependency('feed_position', 'account_id');

/**
 * Where each account has read to: one entry, for all its devices.
 *
 * Guarantees: a position never moves back, whatever the order in which the devices' writes arrive. An entry that is gone
 * by now still is a place.
 * Cost: one statement to save; a look-up to read, or one statement.
 */
export class Positions {
  readonly #deps: PositionDeps;
  readonly #positions: CachedReader<StoredPosition>;
  readonly #shownBefore = new WeakMap<StoredPosition, FeedPosition>();

  constructor(deps: PositionDeps) {
    this.#deps = deps;
    const { sql } = deps.db;
    this.#positions = deps.cache.define<StoredPosition>({
      name: 'feed-position',
      isResident: true,
      freshMs: 10 * minuteMs,
      nullMs: 10 * minuteMs,
      staleMs: 60 * minuteMs,
      dependencies: [positionOf],
      owner: (id) => positionOf(id),
      async load(ids, signal) {
        const rows = await sql<{ id: string; key: string; readAt: Date }>`
          select account_id as id, key, read_at as "readAt" from feed_position
          where account_id = any(${sql.array(ids, 'int8')})`.withSignal(signal);
        return new Map(rows.map(({ id, key, readAt }) => [id, { key, readAt: readAt.toISOString() }]));
      },
    });
  }

  read(viewerId: string): MaybePromise<FeedPosition | null> {
    const here = this.#positions.getIfHot(viewerId);
    return whenKnown(here ?? this.#positions.get(viewerId), ({ value }) => this.#shown(viewerId, value));
  }

  #shown(viewerId: string, value: StoredPosition | null): FeedPosition | null {
    if (!value) return null;
    const known = this.#shownBefore.get(value);
    if (known) return known;
    const cursor = this.#deps.cursorBelow(viewerId, (BigInt(value.key) + 1n).toString());
    const shown = { entryId: value.key, cursor, readAt: value.readAt };
    this.#shownBefore.set(value, shown);
    return shown;
  }

  /** Errors: `not-found` for what cannot be an entry yet: it would be ahead of all that come, and stay there. */
  async save(viewerId: string, entryId: string): Promise<void> {
    const { db, clock, tell } = this.#deps;
    const nowMs = clock.nowMs();
    if (idTimeMs(entryId) > nowMs + clockSkewMs) throw new AppError('not-found');
    await db.sql`
      insert into feed_position (account_id, key, read_at) values (${viewerId}, ${entryId}, ${new Date(nowMs)})
      on conflict (account_id) do update set key = excluded.key, read_at = excluded.read_at
      where feed_position.key < excluded.key`;
    await tell([{ table: 'feed_position', after: { account_id: viewerId } }]);
  }
}
