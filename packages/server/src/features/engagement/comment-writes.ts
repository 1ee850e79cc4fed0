import { AppError } from '../../kernel/errors.ts';
import type { Idempotency, Sql } from '../../ports/database/port.ts';
import type { Viewer } from '../accounts/index.ts';
import { visibleTo } from '../videos/index.ts';
import { isModerator } from './comment-reads.ts';
import { mentionsIn } from './mentions.ts';
import { counted, type ReactionDeps } from './reactions.ts';

export interface NewComment {
  readonly text: string;
  readonly replyTo?: string | undefined;
}

interface Answered {
  readonly id: string;
  readonly rootId: string | null;
  readonly authorId: string;
}

/** Writing, deleting, liking and pinning comments. */
export class CommentWrites {
  readonly #deps: ReactionDeps;

  constructor(deps: ReactionDeps) {
    this.#deps = deps;
  }

  /** Answers the comment's id. Errors: `not-found`, `comment-gone`. */
  async create(
    viewerId: string,
    videoId: string,
    { text, replyTo }: NewComment,
    idempotency?: Idempotency,
  ): Promise<string> {
    const { clock, ids, tell } = this.#deps;
    const written = await counted(this.#deps, idempotency, async (tx) => {
      await this.#ensureVisible(tx, viewerId, videoId);
      const answered =
        replyTo === undefined ? undefined : await this.#answered(tx, viewerId, videoId, replyTo);
      const rootId = answered ? (answered.rootId ?? answered.id) : null;
      const id = ids.next();
      await tx`
        insert into comment (id, video_id, author_id, root_id, reply_to, reply_to_account, text, mentions, created_at)
        values (${id}, ${videoId}, ${viewerId}, ${rootId}, ${answered?.id ?? null},
          ${answered?.rootId ? answered.authorId : null}, ${text},
          ${tx.array(await this.#mentioned(tx, text), 'int8')}, ${new Date(clock.nowMs())})`;
      const inThread = rootId === null ? [] : [{ id: rootId, metric: 'replies' as const, delta: 1 }];
      return { increments: [{ id: videoId, metric: 'comments', delta: 1 }, ...inThread], answer: id };
    });
    await tell([{ table: 'comment', after: { id: written, video_id: videoId } }]);
    return written;
  }

  /** With its thread. Errors: `not-found`, `forbidden`. */
  async delete(
    viewer: Pick<Viewer, 'accountId' | 'role'>,
    id: string,
    idempotency?: Idempotency,
  ): Promise<void> {
    const { counters, tell } = this.#deps;
    const videoId = await counted(this.#deps, idempotency, async (tx) => {
      // FOR UPDATE: nobody can answer it any more.
      const [row] = await tx<{ authorId: string; creatorId: string; videoId: string; rootId: string | null }>`
        select c.author_id as "authorId", v.author_id as "creatorId", c.video_id as "videoId", c.root_id as "rootId"
        from comment c join video v on v.id = c.video_id where c.id = ${id} for update of c`;
      if (!row) throw new AppError('not-found');
      const isOwner = viewer.accountId === row.authorId || viewer.accountId === row.creatorId;
      if (!isOwner && !isModerator(viewer)) throw new AppError('forbidden');
      const gone = await tx<{ id: string }>`
        delete from comment where id = ${id} or root_id = ${id} returning id`;
      await counters.forget(
        tx,
        gone.map((comment) => comment.id),
      );
      const inThread = row.rootId === null ? [] : [{ id: row.rootId, metric: 'replies' as const, delta: -1 }];
      return {
        increments: [{ id: row.videoId, metric: 'comments', delta: -gone.length }, ...inThread],
        answer: row.videoId,
      };
    });
    await tell([{ table: 'comment', before: { id, video_id: videoId } }]);
  }

  /** Errors: `not-found`. */
  async like(viewerId: string, id: string, idempotency?: Idempotency): Promise<void> {
    const now = new Date(this.#deps.clock.nowMs());
    await counted(this.#deps, idempotency, async (tx) => {
      const [found] = await tx<{ isMade: boolean }>`
        with seen as (
          select c.id from comment c join video v on v.id = c.video_id
          where c.id = ${id} and ${visibleTo(tx, viewerId, now)} and ${notBlocked(tx, viewerId)}),
        made as (
          insert into comment_like (comment_id, account_id, created_at) select id, ${viewerId}, ${now} from seen
          on conflict do nothing returning 1)
        select exists (select 1 from made) as "isMade" from seen`;
      if (!found) throw new AppError('not-found');
      return { increments: found.isMade ? [{ id, metric: 'commentLikes', delta: 1 }] : [], answer: null };
    });
    await this.#tellLike(viewerId, id);
  }

  async unlike(viewerId: string, id: string, idempotency?: Idempotency): Promise<void> {
    await counted(this.#deps, idempotency, async (tx) => {
      const [gone] = await tx`
        delete from comment_like where comment_id = ${id} and account_id = ${viewerId} returning 1 as one`;
      return { increments: gone ? [{ id, metric: 'commentLikes', delta: -1 }] : [], answer: null };
    });
    await this.#tellLike(viewerId, id);
  }

  /** In place of any other. Errors: `not-found`, `forbidden`, `invalid-request` for a reply. */
  async pin(viewerId: string, id: string, pinned: boolean, idempotency?: Idempotency): Promise<void> {
    const { db, tell } = this.#deps;
    const videoId = await db.write(idempotency, async (tx) => {
      const [row] = await tx<{ creatorId: string; videoId: string; rootId: string | null }>`
        select v.author_id as "creatorId", c.video_id as "videoId", c.root_id as "rootId"
        from comment c join video v on v.id = c.video_id where c.id = ${id} for no key update of v`;
      if (!row) throw new AppError('not-found');
      if (row.creatorId !== viewerId) throw new AppError('forbidden');
      if (row.rootId !== null) throw new AppError('invalid-request', { detail: 'A reply cannot be pinned.' });
      if (pinned)
        await tx`update comment set pinned = false where video_id = ${row.videoId} and pinned and id <> ${id}`;
      await tx`update comment set pinned = ${pinned} where id = ${id}`;
      return row.videoId;
    });
    await tell([{ table: 'comment', after: { id, video_id: videoId } }]);
  }

  async #tellLike(viewerId: string, commentId: string): Promise<void> {
    const row = { account_id: viewerId, comment_id: commentId };
    await this.#deps.tell([{ table: 'comment_like', after: row }]);
  }

  async #ensureVisible(tx: Sql, viewerId: string, videoId: string): Promise<void> {
    const [visible] = await tx`
      select 1 as one from video v
      where v.id = ${videoId} and ${visibleTo(tx, viewerId, new Date(this.#deps.clock.nowMs()))}`;
    if (!visible) throw new AppError('not-found');
  }

  async #answered(tx: Sql, viewerId: string, videoId: string, id: string): Promise<Answered> {
    // The thread as well: it must not end between here and the insert.
    const [row] = await tx<Answered>`
      select c.id, c.root_id as "rootId", c.author_id as "authorId" from comment c
      where c.id = ${id} and c.video_id = ${videoId} and ${notBlocked(tx, viewerId)} for key share of c`;
    if (!row) throw new AppError('comment-gone');
    if (row.rootId === null) return row;
    const [root] = await tx`select 1 as one from comment where id = ${row.rootId} for key share`;
    if (!root) throw new AppError('comment-gone');
    return row;
  }

  async #mentioned(tx: Sql, text: string): Promise<string[]> {
    const names = mentionsIn(text);
    if (names.length === 0) return [];
    const rows = await tx<{ id: string }>`
      select id from account where username = any(${tx.array(names, 'text')}) order by id`;
    return rows.map(({ id }) => id);
  }
}

/** Neither has blocked the other: the viewer and who wrote `comment c`. */
function notBlocked(sql: Sql, viewerId: string) {
  return sql`not exists (select 1 from block b
    where (b.blocker_id = ${viewerId} and b.blocked_id = c.author_id)
      or (b.blocker_id = c.author_id and b.blocked_id = ${viewerId}))`;
}
