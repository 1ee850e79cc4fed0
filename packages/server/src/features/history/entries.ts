import type { HistoryEntry, HistoryPlace, HistorySettings, Page, VideoCard } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { type CursorCodec, pageOfRows } from '../../kernel/cursor.ts';
import type { Database } from '../../ports/database/port.ts';
import type { OwnLists } from '../engagement/index.ts';
import {
  listedTo,
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
  readonly lists: Pick<OwnLists, 'ownerOf'>;
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
    const page = await this.#rows(accountId, accountId, { cursor, limit });
    const cards = new Map(
      (await this.#deps.videos.cards(accountId, page.rows, 'author')).map((card) => [card.id, card]),
    );
    const items = page.rows.flatMap(({ id, positionMs, isCompleted, watchedAt }) => {
      const video = cards.get(id);
      return video ? [{ video, positionMs, completed: isCompleted, watchedAt: watchedAt.toISOString() }] : [];
    });
    return { items, nextCursor: page.nextCursor };
  }

  /** Somebody's, for those to whom they show it: only what is meant to be found. Errors: `not-found`, `list-private`. */
  async of(viewerId: string | undefined, reference: string, request: PageRequest): Promise<Page<VideoCard>> {
    const { lists, videos } = this.#deps;
    const ownerId = await lists.ownerOf(viewerId, reference, 'history');
    const page = await this.#rows(viewerId, ownerId, request);
    return { items: await videos.cards(viewerId, page.rows, 'author'), nextCursor: page.nextCursor };
  }

  async #rows(viewerId: string | undefined, ownerId: string, { cursor, limit }: PageRequest) {
    const { clock, cursors, db } = this.#deps;
    const { sql } = db;
    const kind = cursorKind(ownerId);
    const [beforeMs, beforeId] = cursor === undefined ? [undefined, undefined] : cursors.decode(kind, cursor);
    const before =
      beforeMs === undefined
        ? sql`true`
        : sql`(h.watched_at, h.video_id) < (${new Date(Number(beforeMs))}, ${beforeId}::int8)`;
    const now = new Date(clock.nowMs());
    const may = viewerId === ownerId ? visibleTo(sql, viewerId, now) : listedTo(sql, viewerId, now);
    const rows = await sql<EntryRow>`
      select ${videoColumns(sql)}, h.position_ms as "positionMs", h.completed as "isCompleted", h.watched_at as "watchedAt"
      from watch_history h join video v on v.id = h.video_id
      where h.account_id = ${ownerId} and ${before} and ${may}
      order by h.watched_at desc, h.video_id desc limit ${limit + 1}`;
    return pageOfRows(rows, limit, (last) =>
      cursors.encode(kind, [String(last.watchedAt.getTime()), last.id]),
    );
  }

  /** The beginning for what is not kept, so that a player need not tell the two apart. */
  async place(accountId: string, videoId: string): Promise<HistoryPlace> {
    const [row] = await this.#deps.db.sql<HistoryPlace>`
      select position_ms as "positionMs", completed from watch_history
      where account_id = ${accountId} and video_id = ${videoId}`;
    return row ?? { positionMs: 0, completed: false };
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
