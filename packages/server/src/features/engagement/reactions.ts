import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Ids } from '../../kernel/ids.ts';
import {
  type Database,
  ForeignKeyViolation,
  type Idempotency,
  type Sql,
  type SqlQuery,
} from '../../ports/database/port.ts';
import type { TellOwnChanges } from '../../ports/own-changes/port.ts';
import type { Counters, Increment, Recorded } from '../counters/index.ts';
import { visibleTo } from '../videos/index.ts';

export interface ReactionDeps {
  readonly db: Database;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly tell: TellOwnChanges;
}

/** Each is a row of (account, video), and the counter of the same name. Reposts, which are more, are made by `Reposts`. */
export type Reaction = 'likes' | 'favorites' | 'shares';

/** In place of a folder: outside of all of them. */
const noFolder = 'none';

const tables: Readonly<Record<Reaction, string>> = {
  likes: 'video_like',
  favorites: 'favorite',
  shares: 'video_share',
};

export function tableOf(sql: Sql, reaction: Reaction): SqlQuery<unknown[]> {
  if (reaction === 'likes') return sql`video_like`;
  return reaction === 'favorites' ? sql`favorite` : sql`video_share`;
}

/**
 * Likes, favourites and shares: facts that are there or not, so that a repeated request changes nothing. Nobody
 * locks a row of the video.
 *
 * Cost: one statement.
 */
export class Reactions {
  readonly #deps: ReactionDeps;

  constructor(deps: ReactionDeps) {
    this.#deps = deps;
  }

  /** Errors: `not-found` for what the viewer may not see. */
  async add(reaction: Reaction, viewerId: string, videoId: string, idempotency?: Idempotency): Promise<void> {
    await this.#change(reaction, viewerId, videoId, idempotency, (sql) =>
      this.#insert(sql, reaction, viewerId, videoId),
    );
  }

  /** Also of what the viewer may no longer see. */
  async remove(
    reaction: Reaction,
    viewerId: string,
    videoId: string,
    idempotency?: Idempotency,
  ): Promise<void> {
    const increments = [{ id: videoId, metric: reaction, delta: -1 }];
    await this.#change(reaction, viewerId, videoId, idempotency, async (sql) => {
      const [row] = await sql<{ xid: string | null }>`
        with gone as (
          delete from ${tableOf(sql, reaction)} where video_id = ${videoId} and account_id = ${viewerId} returning 1),
        counted as (${this.#deps.counters.recording(sql, increments, sql`gone`)})
        select (select xid from counted) as xid`;
      return row?.xid ? { xid: Number(row.xid), increments } : undefined;
    });
  }

  /** `folderId` puts it there, or moves it; `none` takes it out; without one it stays where it is. Errors: `not-found`, also for the folder. */
  async keep(
    viewerId: string,
    videoId: string,
    folderId: string | undefined,
    idempotency?: Idempotency,
  ): Promise<void> {
    if (folderId === undefined) return this.add('favorites', viewerId, videoId, idempotency);
    const { db } = this.#deps;
    const folder = folderId === noFolder ? null : folderId;
    await this.#changeIn(
      (work) => db.write(idempotency, work),
      'favorites',
      viewerId,
      videoId,
      async (tx) => {
        if (folder !== null) {
          const [found] = await tx`
          select 1 as one from favorite_folder where id = ${folder} and account_id = ${viewerId} for key share`;
          if (!found) throw new AppError('not-found');
        }
        const recorded = await this.#insert(tx, 'favorites', viewerId, videoId);
        await tx`update favorite set folder_id = ${folder} where video_id = ${videoId} and account_id = ${viewerId}`;
        return recorded;
      },
    );
  }

  async #insert(
    sql: Sql,
    reaction: Reaction,
    viewerId: string,
    videoId: string,
  ): Promise<Recorded | undefined> {
    const { clock, counters, ids } = this.#deps;
    const now = new Date(clock.nowMs());
    const increments = [{ id: videoId, metric: reaction, delta: 1 }];
    const [found] = await sql<{ xid: string | null }>`
      with seen as (select v.id from video v where v.id = ${videoId} and ${visibleTo(sql, viewerId, now)}),
      made as (
        insert into ${tableOf(sql, reaction)} (id, account_id, video_id, created_at)
        select ${ids.next()}, ${viewerId}, seen.id, ${now} from seen
        on conflict do nothing returning 1),
      counted as (${counters.recording(sql, increments, sql`made`)})
      select (select xid from counted) as xid from seen`;
    if (!found) throw new AppError('not-found');
    return found.xid === null ? undefined : { xid: Number(found.xid), increments };
  }

  /** One statement is a transaction of its own, unless its answer has to be remembered with it. */
  #change(
    reaction: Reaction,
    viewerId: string,
    videoId: string,
    idempotency: Idempotency | undefined,
    work: (sql: Sql) => Promise<Recorded | undefined>,
  ): Promise<void> {
    const { db } = this.#deps;
    const run: Run = idempotency ? (work) => db.write(idempotency, work) : (work) => work(db.sql);
    return this.#changeIn(run, reaction, viewerId, videoId, work);
  }

  async #changeIn(
    run: Run,
    reaction: Reaction,
    viewerId: string,
    videoId: string,
    work: (sql: Sql) => Promise<Recorded | undefined>,
  ): Promise<void> {
    const { counters, tell } = this.#deps;
    let recorded: Recorded | undefined;
    await run(async (sql) => {
      recorded = undefined;
      recorded = await work(sql);
      return null;
    }).catch(goneIsNotFound);
    if (recorded) counters.committed(recorded);
    const row = { account_id: viewerId, video_id: videoId };
    await tell([{ table: tables[reaction], after: row }], recorded?.xid);
  }
}

type Run = (work: (sql: Sql) => Promise<null>) => Promise<null>;

/** An account or video that went meanwhile. */
export function goneIsNotFound(error: unknown): never {
  throw error instanceof ForeignKeyViolation ? new AppError('not-found', { cause: error }) : error;
}

/** A write with its increments: both commit, or neither does. An account or video that went meanwhile is `not-found`. */
export async function counted<T>(
  { db, counters }: Pick<ReactionDeps, 'db' | 'counters'>,
  idempotency: Idempotency | undefined,
  work: (tx: Sql) => Promise<{ increments: readonly Increment[]; answer: T }>,
): Promise<T> {
  let recorded: Recorded | undefined;
  const answer = await db
    .write(idempotency, async (tx) => {
      recorded = undefined;
      const { increments, answer } = await work(tx);
      if (increments.length > 0) recorded = await counters.record(tx, increments);
      return answer;
    })
    .catch(goneIsNotFound);
  if (recorded) counters.committed(recorded);
  return answer;
}
