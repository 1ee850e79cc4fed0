import type { OwnVideo, Page, Relation, User, VideoCard, VideoCounts, ViewerState } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { type CursorCodec, pageOfRows } from '../../kernel/cursor.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Database, Sql } from '../../ports/database/port.ts';
import type { Presenter } from './present.ts';
import { type VideoRow, videoColumns } from './store.ts';
import { listedTo } from './visibility.ts';

/** What videos need of the features of accounts and graph. */
export interface People {
  cards(ids: readonly string[]): Promise<ReadonlyMap<string, User>>;
  /** An id for an id or `@name`; undefined when there is nobody whom the viewer may see. */
  resolve(reference: string, viewerId: string | undefined): Promise<string | undefined>;
  relations(viewerId: string, ids: readonly string[]): Promise<ReadonlyMap<string, Relation>>;
}

/** What videos need of the feature of engagement. */
export interface Reactions {
  counts(videoIds: readonly string[]): Promise<ReadonlyMap<string, VideoCounts>>;
  viewer(
    viewerId: string,
    videoIds: readonly string[],
  ): Promise<ReadonlyMap<string, Pick<ViewerState, 'liked' | 'favorited' | 'reposted'>>>;
  /** Before the rows of these videos are deleted, in the same transaction. */
  forget(tx: Sql, videoIds: readonly string[]): Promise<void>;
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
  readonly reactions: Reactions;
  readonly presenter: Presenter;
}

/** Greater than every id. */
export const afterAllIds = '9223372036854775807';

export class VideoReads {
  readonly #deps: VideoReadsDeps;

  constructor(deps: VideoReadsDeps) {
    this.#deps = deps;
  }

  /** One's own video in any state, also a withdrawn one. */
  async own(authorId: string, id: string): Promise<OwnVideo> {
    const { db } = this.#deps;
    const rows = await db.sql<VideoRow>`
      select ${videoColumns(db.sql)} from video v where v.id = ${id} and v.author_id = ${authorId}`;
    const [own] = await this.#owns(authorId, rows);
    if (!own) throw new AppError('not-found');
    return own;
  }

  async ownPage(authorId: string, { cursor, limit }: PageRequest): Promise<Page<OwnVideo>> {
    const { db, cursors } = this.#deps;
    const kind = `own-videos:${authorId}`;
    const before = cursor === undefined ? afterAllIds : cursors.decode(kind, cursor)[0];
    const rows = await db.sql<VideoRow>`
      select ${videoColumns(db.sql)} from video v
      where v.author_id = ${authorId} and v.id < ${before} order by v.id desc limit ${limit + 1}`;
    const page = pageOfRows(rows, limit, (last) => cursors.encode(kind, [last.id]));
    return { items: await this.#owns(authorId, page.rows), nextCursor: page.nextCursor };
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

  /** Cards for a page of rows, in their order: three statements and one read of the counters, however long the page. */
  async cards(
    viewerId: string | undefined,
    rows: readonly VideoRow[],
    reason: VideoCard['reason']['kind'],
  ): Promise<VideoCard[]> {
    if (rows.length === 0) return [];
    const { authors, relations, counts, states } = await this.#around(viewerId, rows);
    return rows.flatMap((row) => {
      const author = authors.get(row.authorId);
      // The account was deleted since the rows were read, and its videos with it.
      if (!author) return [];
      const about = {
        ...{ author, relation: relations?.get(row.authorId) },
        ...{ counts: counts.get(row.id), state: states?.get(row.id) },
      };
      return [this.#deps.presenter.card(row, about, { viewerId, reason })];
    });
  }

  async #owns(authorId: string, rows: readonly VideoRow[]): Promise<OwnVideo[]> {
    if (rows.length === 0) return [];
    const { authors, counts, states } = await this.#around(authorId, rows);
    const author = authors.get(authorId);
    if (!author) throw new AppError('not-found');
    return rows.map((row) =>
      this.#deps.presenter.own(row, { author, counts: counts.get(row.id), state: states?.get(row.id) }),
    );
  }

  /** What cards of these rows show besides the rows. */
  async #around(viewerId: string | undefined, rows: readonly VideoRow[]) {
    const { people, reactions } = this.#deps;
    const ids = rows.map(({ id }) => id);
    const authorIds = [...new Set(rows.map((row) => row.authorId))];
    const [authors, counts, relations, states] = await Promise.all([
      people.cards(authorIds),
      reactions.counts(ids),
      viewerId === undefined ? undefined : people.relations(viewerId, authorIds),
      viewerId === undefined ? undefined : reactions.viewer(viewerId, ids),
    ]);
    return { authors, counts, relations, states };
  }

  #now(): Date {
    return new Date(this.#deps.clock.nowMs());
  }
}
