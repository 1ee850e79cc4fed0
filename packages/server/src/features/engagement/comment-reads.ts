import type { Comment, CommentOrder, Page } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { type CursorCodec, pageOfRows } from '../../kernel/cursor.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Database, SqlQuery } from '../../ports/database/port.ts';
import { toUser, type Viewer } from '../accounts/index.ts';
import type { Counters } from '../counters/index.ts';
import { afterAllIds, type PageRequest, visibleTo } from '../videos/index.ts';

export interface CommentReadsDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly cursors: CursorCodec;
  readonly counters: Counters;
}

/** Who looks: moderators may delete what others wrote. */
export type CommentViewer = Pick<Viewer, 'accountId' | 'role'> | undefined;

interface CommentRow {
  readonly id: string;
  readonly videoId: string;
  readonly rootId: string | null;
  readonly text: string;
  readonly pinned: boolean;
  readonly heat: string;
  readonly createdAt: Date;
  readonly creatorId: string;
  readonly authorId: string;
  readonly username: string;
  readonly display_name: string;
  readonly avatar_key: string | null;
  readonly replyToId: string | null;
  readonly replyToUsername: string;
  readonly replyToName: string;
  readonly replyToAvatar: string | null;
  readonly liked: boolean;
}

interface Options {
  readonly signal?: AbortSignal | undefined;
}

/** Comments as people see them: without those of the suspended, and of whom one blocks or is blocked by. */
export class CommentReads {
  readonly #deps: CommentReadsDeps;

  constructor(deps: CommentReadsDeps) {
    this.#deps = deps;
  }

  /** Three statements and one read of the counters. Errors: `not-found`, `invalid-cursor`. */
  async page(
    viewer: CommentViewer,
    videoId: string,
    request: PageRequest & { sort: CommentOrder },
    { signal }: Options = {},
  ): Promise<Page<Comment>> {
    const { sql } = this.#deps.db;
    const [visible, page] = await Promise.all([
      sql`select 1 as one from video v where v.id = ${videoId} and ${this.#mayWatch(viewer)}`.withSignal(
        signal,
      ),
      this.#page(viewer, videoId, request, signal),
    ]);
    if (visible.length === 0) throw new AppError('not-found');
    return page;
  }

  async #page(
    viewer: CommentViewer,
    videoId: string,
    { sort, cursor, limit }: PageRequest & { sort: CommentOrder },
    signal: AbortSignal | undefined,
  ): Promise<Page<Comment>> {
    const { cursors, db } = this.#deps;
    const { sql } = db;
    const kind = `comments:${videoId}:${sort}`;
    const [heat = null, id = afterAllIds] = cursor === undefined ? [] : cursors.decode(kind, cursor);
    const isFirst = cursor === undefined;
    const before =
      sort === 'time' || heat === null
        ? sql`c.id < ${id}`
        : sql`(c.heat, c.id) < (${heat}::int8, ${id}::int8)`;
    const [pinned, rows] = await Promise.all([
      isFirst ? this.#select(viewer, sql`c.video_id = ${videoId} and c.pinned`).withSignal(signal) : [],
      this.#select(
        viewer,
        sql`c.video_id = ${videoId} and c.root_id is null and not c.pinned and ${before}
        order by ${sort === 'heat' ? sql`c.heat desc, c.id desc` : sql`c.id desc`} limit ${limit + 1}`,
      ).withSignal(signal),
    ]);
    const page = pageOfRows([...pinned, ...rows].slice(0, limit + 1), limit, (last) =>
      last.pinned
        ? cursors.encode(kind, [afterAllIds, afterAllIds])
        : cursors.encode(kind, [last.heat, last.id]),
    );
    return { items: await this.#shown(viewer, page.rows, signal), nextCursor: page.nextCursor };
  }

  /** The first by heat, as nobody in particular sees them, of a video that the caller may show. */
  async shared(videoId: string, limit: number, signal: AbortSignal): Promise<Page<Comment>> {
    return this.#page(undefined, videoId, { sort: 'heat', limit }, signal);
  }

  /** The thread below a comment, oldest first. Errors: `not-found`, `invalid-cursor`. */
  async replies(
    viewer: CommentViewer,
    rootId: string,
    { cursor, limit }: PageRequest,
  ): Promise<Page<Comment>> {
    const { cursors, db } = this.#deps;
    const { sql } = db;
    const kind = `replies:${rootId}`;
    const after = cursor === undefined ? '0' : cursors.decode(kind, cursor)[0];
    const [root, rows] = await Promise.all([
      this.#select(viewer, sql`c.id = ${rootId} and ${this.#mayWatch(viewer)}`),
      this.#select(viewer, sql`c.root_id = ${rootId} and c.id > ${after} order by c.id limit ${limit + 1}`),
    ]);
    if (root.length === 0) throw new AppError('not-found');
    const page = pageOfRows(rows, limit, (last) => cursors.encode(kind, [last.id]));
    return { items: await this.#shown(viewer, page.rows, undefined), nextCursor: page.nextCursor };
  }

  /** Errors: `not-found`. */
  async get(viewer: CommentViewer, id: string): Promise<Comment> {
    const { sql } = this.#deps.db;
    const rows = await this.#select(viewer, sql`c.id = ${id} and ${this.#mayWatch(viewer)}`);
    const [comment] = await this.#shown(viewer, rows, undefined);
    if (!comment) throw new AppError('not-found');
    return comment;
  }

  #mayWatch(viewer: CommentViewer): SqlQuery<unknown[]> {
    const { clock, db } = this.#deps;
    return visibleTo(db.sql, viewer?.accountId, new Date(clock.nowMs()));
  }

  /** `which`: the rest of a statement, after `where`. */
  #select(viewer: CommentViewer, which: SqlQuery<unknown[]>): SqlQuery<CommentRow[]> {
    const { clock, db } = this.#deps;
    const { sql } = db;
    const viewerId = viewer?.accountId;
    const unblocked =
      viewerId === undefined
        ? sql`true`
        : sql`not exists (select 1 from block b
            where (b.blocker_id = ${viewerId} and b.blocked_id = c.author_id)
              or (b.blocker_id = c.author_id and b.blocked_id = ${viewerId}))`;
    const liked =
      viewerId === undefined
        ? sql`false`
        : sql`exists (select 1 from comment_like l where l.comment_id = c.id and l.account_id = ${viewerId})`;
    return sql<CommentRow>`
      select c.id, c.video_id as "videoId", c.root_id as "rootId", c.text, c.pinned, c.heat,
        c.created_at as "createdAt", v.author_id as "creatorId", c.author_id as "authorId", a.username, a.display_name,
        a.avatar_key, r.id as "replyToId", r.username as "replyToUsername", r.display_name as "replyToName",
        r.avatar_key as "replyToAvatar", ${liked} as liked
      from comment c join video v on v.id = c.video_id join account a on a.id = c.author_id
        left join account r on r.id = c.reply_to_account
      where (a.suspended_at is null or a.suspended_until <= ${new Date(clock.nowMs())}) and ${unblocked} and ${which}`;
  }

  async #shown(
    viewer: CommentViewer,
    rows: readonly CommentRow[],
    signal: AbortSignal | undefined,
  ): Promise<Comment[]> {
    if (rows.length === 0) return [];
    const names = rows.flatMap(({ id }) => [
      { id, metric: 'commentLikes' as const },
      { id, metric: 'replies' as const },
    ]);
    const totals = await this.#deps.counters.read(names, { signal });
    return rows.map((row, at) =>
      toComment(viewer, row, { likes: totals[at * 2] ?? 0, replies: totals[at * 2 + 1] ?? 0 }),
    );
  }
}

function toComment(
  viewer: CommentViewer,
  row: CommentRow,
  { likes, replies }: { likes: number; replies: number },
): Comment {
  const viewerId = viewer?.accountId;
  const isOwn = viewerId === row.authorId;
  const isCreator = viewerId === row.creatorId;
  return {
    id: row.id,
    videoId: row.videoId,
    author: toUser({ ...row, id: row.authorId }),
    text: row.text,
    createdAt: row.createdAt.toISOString(),
    rootId: row.rootId,
    replyTo:
      row.replyToId === null
        ? null
        : toUser({
            id: row.replyToId,
            username: row.replyToUsername,
            display_name: row.replyToName,
            avatar_key: row.replyToAvatar,
          }),
    likes: Math.max(0, likes),
    replies: Math.max(0, replies),
    pinned: row.pinned,
    byCreator: row.authorId === row.creatorId,
    viewer: {
      own: isOwn,
      liked: row.liked,
      mayDelete: isOwn || isCreator || isModerator(viewer),
      mayPin: isCreator && row.rootId === null,
    },
  };
}

export const isModerator = (viewer: CommentViewer): boolean =>
  viewer?.role === 'moderator' || viewer?.role === 'admin';
