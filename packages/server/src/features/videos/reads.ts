import type { OwnVideo, Page, Relation, User, VideoCard, VideoDetail } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { type CursorCodec, pageOfRows } from '../../kernel/cursor.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Database } from '../../ports/database/port.ts';
import type { Presenter } from './present.ts';
import { type VideoRow, videoColumns } from './store.ts';
import { listedTo, visibleTo } from './visibility.ts';

/** What videos need of the features of accounts and graph. */
export interface People {
  cards(ids: readonly string[]): Promise<ReadonlyMap<string, User>>;
  /** An id for an id or `@name`; undefined when there is nobody whom the viewer may see. */
  resolve(reference: string, viewerId: string | undefined): Promise<string | undefined>;
  relations(viewerId: string, ids: readonly string[]): Promise<ReadonlyMap<string, Relation>>;
}

export interface PageRequest {
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface VideoReadsDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly cursors: CursorCodec;
  readonly people: People;
  readonly presenter: Presenter;
}

/** Greater than every id. */
export const afterAllIds = '9223372036854775807';

export class VideoReads {
  readonly #deps: VideoReadsDeps;

  constructor(deps: VideoReadsDeps) {
    this.#deps = deps;
  }

  /** Three statements, whatever the video. */
  async detail(viewerId: string | undefined, id: string): Promise<VideoDetail> {
    const { db, people, presenter } = this.#deps;
    const [row] = await db.sql<VideoRow>`
      select ${videoColumns(db.sql)} from video v
      where v.id = ${id} and ${visibleTo(db.sql, viewerId, this.#now())}`;
    if (!row) throw new AppError('not-found');
    const [authors, relations] = await Promise.all([
      people.cards([row.authorId]),
      viewerId === undefined ? undefined : people.relations(viewerId, [row.authorId]),
    ]);
    const author = authors.get(row.authorId);
    if (!author) throw new AppError('not-found');
    const relation = relations?.get(row.authorId);
    const own = viewerId === row.authorId;
    return {
      video: presenter.card(row, author, relation, { viewerId, reason: 'author' }),
      own: own ? presenter.own(row, author) : null,
      author,
      relation: relation ?? null,
      degraded: [],
    };
  }

  /** One's own video in any state, also a withdrawn one. */
  async own(authorId: string, id: string): Promise<OwnVideo> {
    const { db, people, presenter } = this.#deps;
    const [row] = await db.sql<VideoRow>`
      select ${videoColumns(db.sql)} from video v where v.id = ${id} and v.author_id = ${authorId}`;
    const author = row && (await people.cards([authorId])).get(authorId);
    if (!row || !author) throw new AppError('not-found');
    return presenter.own(row, author);
  }

  async ownPage(authorId: string, { cursor, limit }: PageRequest): Promise<Page<OwnVideo>> {
    const { db, people, presenter, cursors } = this.#deps;
    const kind = `own-videos:${authorId}`;
    const before = cursor === undefined ? afterAllIds : cursors.decode(kind, cursor)[0];
    const rows = await db.sql<VideoRow>`
      select ${videoColumns(db.sql)} from video v
      where v.author_id = ${authorId} and v.id < ${before} order by v.id desc limit ${limit + 1}`;
    const page = pageOfRows(rows, limit, (last) => cursors.encode(kind, [last.id]));
    const author = (await people.cards([authorId])).get(authorId);
    if (!author) throw new AppError('not-found');
    return { items: page.rows.map((row) => presenter.own(row, author)), nextCursor: page.nextCursor };
  }

  /** Somebody's videos, newest first; for the author also those that nobody else sees. */
  async byUser(
    viewerId: string | undefined,
    reference: string,
    { cursor, limit }: PageRequest,
  ): Promise<Page<VideoCard>> {
    const { db, people, cursors } = this.#deps;
    const { sql } = db;
    const authorId = await people.resolve(reference, viewerId);
    if (authorId === undefined) throw new AppError('not-found');
    const own = authorId === viewerId;
    const kind = `videos-of:${authorId}${own ? ':own' : ''}`;
    const before = cursor === undefined ? afterAllIds : cursors.decode(kind, cursor)[0];
    // Ids and feed keys come from the same clock, so that what has no key yet still has its place.
    const rows = own
      ? await sql<VideoRow>`
          select ${videoColumns(sql)} from video v
          where v.author_id = ${authorId} and v.taken_down_at is null and coalesce(v.feed_key, v.id) < ${before}
          order by coalesce(v.feed_key, v.id) desc limit ${limit + 1}`
      : await sql<VideoRow>`
          select ${videoColumns(sql)} from video v
          where v.author_id = ${authorId} and v.feed_key < ${before} and ${listedTo(sql, viewerId, this.#now())}
          order by v.feed_key desc limit ${limit + 1}`;
    const page = pageOfRows(rows, limit, (last) => cursors.encode(kind, [last.feedKey ?? last.id]));
    return { items: await this.cards(viewerId, page.rows, 'author'), nextCursor: page.nextCursor };
  }

  /** Cards for a page of rows, in their order: two statements, however long the page. */
  async cards(
    viewerId: string | undefined,
    rows: readonly VideoRow[],
    reason: VideoCard['reason']['kind'],
  ): Promise<VideoCard[]> {
    if (rows.length === 0) return [];
    const { people, presenter } = this.#deps;
    const authorIds = [...new Set(rows.map((row) => row.authorId))];
    const [authors, relations] = await Promise.all([
      people.cards(authorIds),
      viewerId === undefined ? undefined : people.relations(viewerId, authorIds),
    ]);
    return rows.flatMap((row) => {
      const author = authors.get(row.authorId);
      // The account was deleted since the rows were read, and its videos with it.
      if (!author) return [];
      return [presenter.card(row, author, relations?.get(row.authorId), { viewerId, reason })];
    });
  }

  #now(): Date {
    return new Date(this.#deps.clock.nowMs());
  }
}
