import type { HistoryEntry, HistorySettings, Page } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { type CursorCodec, pageOfRows } from '../../kernel/cursor.ts';
import type { Database } from '../../ports/database/port.ts';
import {
  type PageRequest,
  type VideoReads,
  type VideoRow,
  videoColumns,
  visibleTo,
} from '../videos/index.ts';

export interface EntriesDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly cursors: CursorCodec;
  readonly videos: VideoReads;
}

interface EntryRow extends VideoRow {
  readonly positionMs: number;
  readonly isCompleted: boolean;
  readonly watchedAt: Date;
}

const cursorKind = (accountId: string) => `history:${accountId}`;

/** What somebody has watched, for themselves alone. */
export class Entries {
  readonly #deps: EntriesDeps;

  constructor(deps: EntriesDeps) {
    this.#deps = deps;
  }

  /** The last watched first; what may not be seen any more is left out. Three statements. */
  async page(accountId: string, { cursor, limit }: PageRequest): Promise<Page<HistoryEntry>> {
    const { clock, cursors, db, videos } = this.#deps;
    const { sql } = db;
    const [beforeMs, beforeId] =
      cursor === undefined ? [undefined, undefined] : cursors.decode(cursorKind(accountId), cursor);
    const before =
      beforeMs === undefined
        ? sql`true`
        : sql`(h.watched_at, h.video_id) < (${new Date(Number(beforeMs))}, ${beforeId}::int8)`;
    const rows = await sql<EntryRow>`
      select ${videoColumns(sql)}, h.position_ms as "positionMs", h.completed as "isCompleted", h.watched_at as "watchedAt"
      from watch_history h join video v on v.id = h.video_id
      where h.account_id = ${accountId} and ${before} and ${visibleTo(sql, accountId, new Date(clock.nowMs()))}
      order by h.watched_at desc, h.video_id desc limit ${limit + 1}`;
    const page = pageOfRows(rows, limit, (last) =>
      cursors.encode(cursorKind(accountId), [String(last.watchedAt.getTime()), last.id]),
    );
    const cards = new Map(
      (await videos.cards(accountId, page.rows, 'author')).map((card) => [card.id, card]),
    );
    const items = page.rows.flatMap(({ id, positionMs, isCompleted, watchedAt }) => {
      const video = cards.get(id);
      return video ? [{ video, positionMs, completed: isCompleted, watchedAt: watchedAt.toISOString() }] : [];
    });
    return { items, nextCursor: page.nextCursor };
  }

  async remove(accountId: string, videoId: string): Promise<void> {
    await this.#deps.db.sql`
      delete from watch_history where account_id = ${accountId} and video_id = ${videoId}`;
  }

  async clear(accountId: string): Promise<void> {
    await this.#deps.db.sql`delete from watch_history where account_id = ${accountId}`;
  }

  async settings(accountId: string): Promise<HistorySettings> {
    const [row] = await this.#deps.db
      .sql`select 1 as one from history_paused where account_id = ${accountId}`;
    return { paused: row !== undefined };
  }

  async change(accountId: string, { paused }: HistorySettings): Promise<HistorySettings> {
    const { sql } = this.#deps.db;
    if (paused)
      await sql`insert into history_paused (account_id) values (${accountId}) on conflict do nothing`;
    else await sql`delete from history_paused where account_id = ${accountId}`;
    return { paused };
  }

  /** What was watched longer ago than anybody looks back. */
  async clean(): Promise<void> {
    await this.#deps.db.sql`delete from watch_history where watched_at < now() - interval '400 days'`;
  }
}
