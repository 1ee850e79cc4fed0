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
import { listedTo, visibleTo } from '../videos/index.ts';

export interface ReactionDeps {
  readonly db: Database;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly tell: TellOwnChanges;
}

/** Each is a row of (account, video), and the counter of the same name. */
export type Reaction = 'likes' | 'favorites' | 'reposts' | 'shares';

/** In place of a folder: outside of all of them. */
const noFolder = 'none';

const tables: Readonly<Record<Reaction, string>> = {
  likes: 'video_like',
  favorites: 'favorite',
  reposts: 'repost',
  shares: 'video_share',
};

export function tableOf(sql: Sql, reaction: Reaction): SqlQuery<unknown[]> {
  if (reaction === 'likes') return sql`video_like`;
  if (reaction === 'favorites') return sql`favorite`;
  return reaction === 'reposts' ? sql`repost` : sql`video_share`;
}

/**
 * Likes, favourites, reposts and shares: facts that are there or not, so that a repeated request changes nothing. Nobody
 * locks a row of the video.
 *
 * Cost: two statements in a transaction; one when nothing changes.
 */
export class Reactions {
  readonly #deps: ReactionDeps;

  constructor(deps: ReactionDeps) {
    this.#deps = deps;
  }

  /** Errors: `not-found` for what the viewer may not see. */
  async add(reaction: Reaction, viewerId: string, videoId: string, idempotency?: Idempotency): Promise<void> {
    await this.#change(reaction, viewerId, videoId, idempotency, async (tx) =>
      (await this.#insert(tx, reaction, viewerId, videoId))
        ? [{ id: videoId, metric: reaction, delta: 1 }]
        : [],
    );
  }

  /** Also of what the viewer may no longer see. */
  async remove(
    reaction: Reaction,
    viewerId: string,
    videoId: string,
    idempotency?: Idempotency,
  ): Promise<void> {
    await this.#change(reaction, viewerId, videoId, idempotency, async (tx) => {
      const [gone] = await tx`
        delete from ${tableOf(tx, reaction)} where video_id = ${videoId} and account_id = ${viewerId}
        returning 1 as one`;
      return gone ? [{ id: videoId, metric: reaction, delta: -1 }] : [];
    });
  }

  /** `folderId` puts it there, or moves it; `none` takes it out; without one it stays where it is. Errors: `not-found`, also for the folder. */
  async keep(
    viewerId: string,
    videoId: string,
    folderId: string | undefined,
    idempotency?: Idempotency,
  ): Promise<void> {
    await this.#change('favorites', viewerId, videoId, idempotency, async (tx) => {
      if (folderId !== undefined && folderId !== noFolder) {
        const [folder] = await tx`
          select 1 as one from favorite_folder where id = ${folderId} and account_id = ${viewerId} for key share`;
        if (!folder) throw new AppError('not-found');
      }
      const made = await this.#insert(tx, 'favorites', viewerId, videoId);
      if (folderId !== undefined)
        await tx`
          update favorite set folder_id = ${folderId === noFolder ? null : folderId} where video_id = ${videoId} and account_id = ${viewerId}`;
      return made ? [{ id: videoId, metric: 'favorites', delta: 1 }] : [];
    });
  }

  async #insert(tx: Sql, reaction: Reaction, viewerId: string, videoId: string): Promise<boolean> {
    const { clock, ids } = this.#deps;
    const now = new Date(clock.nowMs());
    // What is recommended to others has to be meant to be found.
    const may = reaction === 'reposts' ? listedTo(tx, viewerId, now) : visibleTo(tx, viewerId, now);
    const [found] = await tx<{ isMade: boolean }>`
      with seen as (select v.id from video v where v.id = ${videoId} and ${may}),
      made as (
        insert into ${tableOf(tx, reaction)} (id, account_id, video_id, created_at)
        select ${ids.next()}, ${viewerId}, seen.id, ${now} from seen
        on conflict do nothing returning 1)
      select exists (select 1 from made) as "isMade" from seen`;
    if (!found) throw new AppError('not-found');
    return found.isMade;
  }

  async #change(
    reaction: Reaction,
    viewerId: string,
    videoId: string,
    idempotency: Idempotency | undefined,
    work: (tx: Sql) => Promise<Increment[]>,
  ): Promise<void> {
    await counted(this.#deps, idempotency, async (tx) => ({ increments: await work(tx), answer: null }));
    const row = { account_id: viewerId, video_id: videoId };
    await this.#deps.tell([{ table: tables[reaction], after: row }]);
  }
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
    .catch((error: unknown) => {
      throw error instanceof ForeignKeyViolation ? new AppError('not-found', { cause: error }) : error;
    });
  if (recorded) counters.committed(recorded);
  return answer;
}
