import type { ListSettings, Page, VideoCard } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { type CursorCodec, pageOfRows } from '../../kernel/cursor.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Database, SqlQuery } from '../../ports/database/port.ts';
import {
  afterAllIds,
  listedTo,
  type PageRequest,
  type People,
  type VideoReads,
  type VideoRow,
  videoColumns,
  visibleTo,
} from '../videos/index.ts';
import { tableOf } from './reactions.ts';

export interface OwnListsDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly cursors: CursorCodec;
  readonly people: People;
  readonly videos: VideoReads;
}

const allPrivate: ListSettings = { likes: false, favorites: false, history: false };
const allOpen: ListSettings = { likes: true, favorites: true, history: true };

/** What somebody likes and keeps: for themselves, and for others if they want it so. */
export class OwnLists {
  readonly #deps: OwnListsDeps;

  constructor(deps: OwnListsDeps) {
    this.#deps = deps;
  }

  async settings(accountId: string): Promise<ListSettings> {
    const [row] = await this.#deps.db.sql<ListSettings>`
      select likes, favorites, history from list_setting where account_id = ${accountId}`;
    return row ?? allPrivate;
  }

  async change(
    accountId: string,
    change: { [list in keyof ListSettings]?: boolean | undefined },
  ): Promise<ListSettings> {
    const { likes = null, favorites = null, history = null } = change;
    const [row] = await this.#deps.db.sql<ListSettings>`
      insert into list_setting as s (account_id, likes, favorites, history)
      values (${accountId}, coalesce(${likes}::bool, false), coalesce(${favorites}::bool, false),
        coalesce(${history}::bool, false))
      on conflict (account_id) do update set likes = coalesce(${likes}::bool, s.likes),
        favorites = coalesce(${favorites}::bool, s.favorites), history = coalesce(${history}::bool, s.history)
      returning likes, favorites, history`;
    return row ?? allPrivate;
  }

  /** Which of somebody's lists the viewer may see. Errors: `not-found`. */
  async open(viewerId: string | undefined, reference: string): Promise<ListSettings> {
    const ownerId = await this.#owner(viewerId, reference);
    return ownerId === viewerId ? allOpen : this.settings(ownerId);
  }

  /** Whose list it is, if the viewer may see it. Errors: `not-found`, `list-private`. */
  async ownerOf(viewerId: string | undefined, reference: string, list: keyof ListSettings): Promise<string> {
    const ownerId = await this.#owner(viewerId, reference);
    if (ownerId !== viewerId && !(await this.settings(ownerId))[list]) throw new AppError('list-private');
    return ownerId;
  }

  async likes(viewerId: string | undefined, reference: string, page: PageRequest): Promise<Page<VideoCard>> {
    const ownerId = await this.ownerOf(viewerId, reference, 'likes');
    return this.#page('likes', viewerId, ownerId, page);
  }

  /** Of a folder that is not the owner's: an empty page. */
  async favorites(
    viewerId: string | undefined,
    reference: string,
    { folder, ...page }: PageRequest & { folder?: string | undefined },
  ): Promise<Page<VideoCard>> {
    const ownerId = await this.ownerOf(viewerId, reference, 'favorites');
    return this.#page('favorites', viewerId, ownerId, page, folder);
  }

  async #owner(viewerId: string | undefined, reference: string): Promise<string> {
    const ownerId = await this.#deps.people.resolve(reference, viewerId);
    if (ownerId === undefined) throw new AppError('not-found');
    return ownerId;
  }

  /** To others it shows only what is meant to be found. */
  async #page(
    list: 'likes' | 'favorites',
    viewerId: string | undefined,
    ownerId: string,
    { cursor, limit }: PageRequest,
    folderId?: string,
  ): Promise<Page<VideoCard>> {
    const { clock, cursors, db, videos } = this.#deps;
    const { sql } = db;
    const kind = `${list}:${ownerId}${folderId ? `:${folderId}` : ''}`;
    const before = cursor === undefined ? afterAllIds : cursors.decode(kind, cursor)[0];
    const now = new Date(clock.nowMs());
    const may: SqlQuery<unknown[]> =
      viewerId === ownerId ? visibleTo(sql, viewerId, now) : listedTo(sql, viewerId, now);
    const rows = await sql<VideoRow & { position: string }>`
      select ${videoColumns(sql)}, r.id as position
      from ${tableOf(sql, list)} r join video v on v.id = r.video_id
      where r.account_id = ${ownerId} and r.id < ${before} and ${may}
        and ${folderId === undefined ? sql`true` : sql`r.folder_id = ${folderId}`}
      order by r.id desc limit ${limit + 1}`;
    const page = pageOfRows(rows, limit, (last) => cursors.encode(kind, [last.position]));
    return { items: await videos.cards(viewerId, page.rows, 'author'), nextCursor: page.nextCursor };
  }
}
