import type { Clock } from '../../../kernel/clock.ts';
import { compareIds, smallestIdAt } from '../../../kernel/ids.ts';
import type { Announcements } from '../../../ports/announcements/port.ts';
import type { Database, Sql, SqlQuery } from '../../../ports/database/port.ts';
import type { Entry } from '../../../ports/timeline-store/port.ts';
import { entryFact, SETTLE_GRACE_MS } from '../facts.ts';

export interface OutboxesDeps {
  readonly db: Database;
  readonly announcements: Pick<Announcements, 'announce'>;
  readonly clock: Clock;
}

/**
 * How many reposts of a deleted video are taken out of inboxes, the newest first. Older ones lie deep, and whoever comes
 * to them finds nothing behind them.
 */
const maxWithdrawnReposts = 10_000;
/** Fan-outs that hold an entry which is gone notice it within this time. */
const removalDelaySeconds = 2;
/** Younger than this, by its key: it is in its time of grace at the earliest. */
const surelyInFlightMs = SETTLE_GRACE_MS / 3;
/** Entries known to be announced: those that the fan-out of this process need not announce again. */
const maxNoted = 10_000;

/**
 * Where entries begin: recorded in the transaction that makes them visible, announced after its commit and before the
 * answer. The record is at once the queue of the fan-out, so that nothing published can be forgotten.
 */
export class Outboxes {
  readonly #deps: OutboxesDeps;
  readonly #noted = new Set<string>();
  #onEntries: () => void = () => {};

  constructor(deps: OutboxesDeps) {
    this.#deps = deps;
  }

  /** A part of the statement that publishes; `made` has the columns key, author_id and video_id. */
  recording(sql: Sql, made: SqlQuery<unknown[]>): SqlQuery<unknown[]> {
    return sql`
      insert into fanout (key, author_id, video_id) select key, author_id, video_id from ${made}
      on conflict do nothing returning key`;
  }

  /**
   * After the commit and before the answer. Those that have arrived everywhere since are passed over, so that a request
   * may be repeated at any time. Errors: `timeout` (outcome unknown): the fan-out announces them again.
   */
  async announce(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    const { announcements, clock } = this.#deps;
    // Nothing is settled so soon, so that hardly anybody has to look.
    const newest = smallestIdAt(clock.nowMs() - surelyInFlightMs);
    const inFlight = entries.every(({ key }) => compareIds(key, newest) > 0)
      ? entries
      : await this.#inFlight(entries);
    if (inFlight.length === 0) return;
    await announcements.announce(inFlight.map(entryFact));
    this.#note(inFlight.map(({ key }) => key));
    this.#onEntries();
  }

  async #inFlight(entries: readonly Entry[]): Promise<Entry[]> {
    const { sql } = this.#deps.db;
    const keys = entries.map(({ key }) => key);
    const rows = await sql<{
      key: string;
    }>`select key from fanout where key = any(${sql.array(keys, 'int8')})`;
    const found = new Set(rows.map(({ key }) => key));
    return entries.filter(({ key }) => found.has(key));
  }

  /** Before the rows of these videos are deleted, in the same transaction: they and their reposts leave the inboxes. */
  async withdraw(tx: Sql, videoIds: readonly string[]): Promise<void> {
    if (videoIds.length === 0) return;
    const ids = tx.array(videoIds, 'int8');
    const gone = tx`(
      select feed_key as key, author_id, id as video_id from video
      where id = any(${ids}) and feed_key is not null
      union select key, author_id, video_id from fanout where video_id = any(${ids})
      union select * from (
        select id, account_id, video_id from repost where video_id = any(${ids})
        order by id desc limit ${maxWithdrawnReposts}) as reposts
    ) as gone`;
    await this.withdrawing(tx, gone);
  }

  /** As a part of the caller's statement; `gone` has the columns key, author_id and video_id. */
  withdrawing(sql: Sql, gone: SqlQuery<unknown[]>): SqlQuery<unknown[]> {
    return sql`
      insert into timeline_removal (key, author_id, video_id, due_at)
      select key, author_id, video_id, now() + ${removalDelaySeconds} * interval '1 second' from ${gone}
      on conflict do nothing returning key`;
  }

  /** Of what this account published with this video and was taken back lately: the keys. */
  async withdrawn(authorId: string, videoId: string): Promise<string[]> {
    const rows = await this.#deps.db.sql<{ key: string }>`
      select key from timeline_removal where author_id = ${authorId} and video_id = ${videoId}`;
    return rows.map(({ key }) => key);
  }

  /** Called whenever there is something to fan out; at most one caller, in the same process. */
  onEntries(run: () => void): void {
    this.#onEntries = run;
  }

  /** Announced by this process, and to be forgotten: asked once for each. */
  takeNoted(key: string): boolean {
    return this.#noted.delete(key);
  }

  #note(keys: Iterable<string>): void {
    if (this.#noted.size >= maxNoted) this.#noted.clear();
    for (const key of keys) this.#noted.add(key);
  }
}
