import { AppError } from '../../kernel/errors.ts';
import type { Idempotency, Sql, SqlQuery } from '../../ports/database/port.ts';
import type { Fences } from '../../ports/fences/port.ts';
import type { Recorded } from '../counters/index.ts';
import { listedTo } from '../videos/index.ts';
import { goneIsNotFound, type ReactionDeps } from './reactions.ts';

/** What engagement needs of the timeline: a repost is an entry in the outbox of who made it. */
export interface RepostOutbox {
  /** A part of the statement that makes reposts; `made` has the columns key, author_id and video_id. */
  recording(sql: Sql, made: SqlQuery<unknown[]>): SqlQuery<unknown[]>;
  /** A part of the statement that takes them back; `gone` has the same columns. */
  withdrawing(sql: Sql, gone: SqlQuery<unknown[]>): SqlQuery<unknown[]>;
  /** After the commit, before the answer; harmless at any later time. Errors: `timeout` (outcome unknown). */
  announce(entries: readonly RepostEntry[]): Promise<void>;
  /** The keys of what was taken back lately. */
  withdrawn(authorId: string, videoId: string): Promise<string[]>;
}

export interface RepostEntry {
  /** The repost's id. */
  readonly key: string;
  readonly authorId: string;
  readonly videoId: string;
}

export interface RepostDeps extends ReactionDeps {
  readonly outbox: RepostOutbox;
  readonly fences: Fences;
}

export const repostFenceOf = (repostId: string) => `repost:${repostId}`;

interface Made {
  readonly id: string | null;
  readonly xid: string | null;
}

/**
 * Recommending a video to one's followers, with a comment or without. A repost is there or not, so that a repeated request
 * changes nothing; its id is its place in timelines, and stays when the comment is changed.
 *
 * Cost: one statement, and one more for its announcement.
 */
export class Reposts {
  readonly #deps: RepostDeps;

  constructor(deps: RepostDeps) {
    this.#deps = deps;
  }

  /** Without a comment one that is there stays as it is; an empty one takes it away. Errors: `not-found`, `timeout`. */
  async add(
    viewerId: string,
    videoId: string,
    comment: string | undefined,
    idempotency?: Idempotency,
  ): Promise<void> {
    const { counters, db, outbox, tell } = this.#deps;
    const increments = [{ id: videoId, metric: 'reposts' as const, delta: 1 }];
    let recorded: Recorded | undefined;
    const work = async (sql: Sql) => {
      recorded = undefined;
      const made = await this.#insert(sql, viewerId, videoId, comment);
      if (made.xid !== null) recorded = { xid: Number(made.xid), increments };
      return made.id ?? (await idOf(sql, viewerId, videoId));
    };
    const key = await (idempotency ? db.write(idempotency, work) : work(db.sql)).catch(goneIsNotFound);
    if (recorded) counters.committed(recorded);
    // Also when it was there before: the request that made it may not have got so far.
    if (key !== undefined) await outbox.announce([{ key, authorId: viewerId, videoId }]);
    await tell(
      [{ table: 'repost', after: { id: key, account_id: viewerId, video_id: videoId } }],
      recorded?.xid,
    );
  }

  /** Also of what the viewer may no longer see. It holds from the next request on. Errors: `timeout`. */
  async remove(viewerId: string, videoId: string, idempotency?: Idempotency): Promise<void> {
    const { counters, db, fences, outbox, tell } = this.#deps;
    const increments = [{ id: videoId, metric: 'reposts' as const, delta: -1 }];
    let recorded: Recorded | undefined;
    const work = async (sql: Sql) => {
      recorded = undefined;
      const [row] = await sql<{ id: string | null; xid: string | null }>`
        with gone as (
          delete from repost where video_id = ${videoId} and account_id = ${viewerId}
          returning id as key, account_id as author_id, video_id),
        fenced as (
          insert into fence (name) select ${repostFenceOf('')} || key from gone
          on conflict (name) do update set raised_at = excluded.raised_at),
        withdrawn as (${outbox.withdrawing(sql, sql`gone`)}),
        counted as (${counters.recording(sql, increments, sql`gone`)})
        select (select key from gone) as id, (select xid from counted) as xid`;
      if (row?.xid) recorded = { xid: Number(row.xid), increments };
      return row?.id ?? null;
    };
    const id = await (idempotency ? db.write(idempotency, work) : work(db.sql));
    if (recorded) counters.committed(recorded);
    // Also when it was gone before: the request that took it back may not have got so far.
    const ids = id === null ? await outbox.withdrawn(viewerId, videoId) : [id];
    if (ids.length > 0) await fences.raise(ids.map(repostFenceOf));
    await tell([{ table: 'repost', before: { id, account_id: viewerId, video_id: videoId } }], recorded?.xid);
  }

  async #insert(sql: Sql, viewerId: string, videoId: string, comment: string | undefined): Promise<Made> {
    const { clock, counters, ids, outbox } = this.#deps;
    const now = new Date(clock.nowMs());
    const increments = [{ id: videoId, metric: 'reposts' as const, delta: 1 }];
    const text = comment || null;
    // `xmax` of a row that this statement has made, and not found, is 0.
    const [row] = await sql<Made>`
      with seen as (
        select v.id from video v where v.id = ${videoId} and ${listedTo(sql, viewerId, now)}),
      kept as (
        insert into repost (id, account_id, video_id, created_at, comment)
        select ${ids.next()}, ${viewerId}, seen.id, ${now}, ${text}::text from seen
        on conflict (video_id, account_id) do update set comment = excluded.comment
          where ${comment !== undefined} and repost.comment is distinct from excluded.comment
        returning id as key, account_id as author_id, video_id, xmax = 0 as is_new),
      made as (select key, author_id, video_id from kept where is_new),
      recorded as (${outbox.recording(sql, sql`made`)}),
      counted as (${counters.recording(sql, increments, sql`made`)})
      select (select key from kept) as id, (select xid from counted) as xid from seen`;
    if (!row) throw new AppError('not-found');
    return row;
  }
}

async function idOf(sql: Sql, viewerId: string, videoId: string): Promise<string | undefined> {
  const [row] = await sql<{ id: string }>`
    select id from repost where video_id = ${videoId} and account_id = ${viewerId}`;
  return row?.id;
}
