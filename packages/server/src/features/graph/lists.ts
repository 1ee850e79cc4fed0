import type { Page, UserListItem } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { type CursorCodec, pageOfRows } from '../../kernel/cursor.ts';
import type { Database, SqlQuery } from '../../ports/database/port.ts';
import { toUser, type UserColumns } from '../accounts/index.ts';
import { readRelations } from './relations.ts';

export interface ListRequest {
  readonly cursor?: string | undefined;
  readonly limit: number;
}

type ListRow = UserColumns & { readonly bio: string; readonly position: string };

/** Greater than every id. */
const afterAllIds = '9223372036854775807';

/** Lists of people, newest edge first. Two statements a page: the people, and the viewer's relations to them. */
export class PeopleLists {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #cursors: CursorCodec;

  constructor(deps: { db: Database; clock: Clock; cursors: CursorCodec }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#cursors = deps.cursors;
  }

  followers(
    viewerId: string | undefined,
    accountId: string,
    request: ListRequest,
  ): Promise<Page<UserListItem>> {
    const { sql } = this.#db;
    return this.#page(
      `followers:${accountId}`,
      viewerId,
      request,
      (before) => sql`
      follow e join account a on a.id = e.follower_id
      where e.followee_id = ${accountId} and e.id < ${before}`,
    );
  }

  following(
    viewerId: string | undefined,
    accountId: string,
    request: ListRequest,
  ): Promise<Page<UserListItem>> {
    const { sql } = this.#db;
    return this.#page(
      `following:${accountId}`,
      viewerId,
      request,
      (before) => sql`
      follow e join account a on a.id = e.followee_id
      where e.follower_id = ${accountId} and e.id < ${before}`,
    );
  }

  /** Whom both follow, in the order in which the other began to. */
  common(viewerId: string, accountId: string, request: ListRequest): Promise<Page<UserListItem>> {
    const { sql } = this.#db;
    return this.#page(
      `common:${viewerId}:${accountId}`,
      viewerId,
      request,
      (before) => sql`
      follow e join account a on a.id = e.followee_id
      join follow mine on mine.follower_id = ${viewerId} and mine.followee_id = e.followee_id
      where e.follower_id = ${accountId} and e.id < ${before}`,
    );
  }

  /** People who follow the viewer and whom the viewer follows. */
  friends(viewerId: string, request: ListRequest): Promise<Page<UserListItem>> {
    const { sql } = this.#db;
    return this.#page(
      `friends:${viewerId}`,
      viewerId,
      request,
      (before) => sql`
      follow e join account a on a.id = e.followee_id
      join follow back on back.follower_id = e.followee_id and back.followee_id = ${viewerId}
      where e.follower_id = ${viewerId} and e.id < ${before}`,
    );
  }

  muted(viewerId: string, request: ListRequest): Promise<Page<UserListItem>> {
    const { sql } = this.#db;
    return this.#page(
      `muted:${viewerId}`,
      viewerId,
      request,
      (before) => sql`
      mute e join account a on a.id = e.muted_id where e.muter_id = ${viewerId} and e.id < ${before}`,
    );
  }

  /** The one list that shows people who are blocked. */
  blocked(viewerId: string, request: ListRequest): Promise<Page<UserListItem>> {
    const { sql } = this.#db;
    return this.#page(
      `blocked:${viewerId}`,
      viewerId,
      request,
      (before) => sql`
      block e join account a on a.id = e.blocked_id where e.blocker_id = ${viewerId} and e.id < ${before}`,
      true,
    );
  }

  /** `source`: `... e join account a ... where ...`, with the edge as `e`. */
  async #page(
    kind: string,
    viewerId: string | undefined,
    { cursor, limit }: ListRequest,
    source: (before: string) => SqlQuery<unknown[]>,
    withBlocked = false,
  ): Promise<Page<UserListItem>> {
    const { sql } = this.#db;
    const before =
      cursor === undefined ? afterAllIds : (this.#cursors.decode(kind, cursor)[0] ?? afterAllIds);
    const now = new Date(this.#clock.nowMs());
    const unblocked =
      viewerId === undefined || withBlocked
        ? sql`true`
        : sql`not exists (select 1 from block b
            where (b.blocker_id = ${viewerId} and b.blocked_id = a.id) or (b.blocker_id = a.id and b.blocked_id = ${viewerId}))`;
    const rows = await sql<ListRow>`
      select e.id as position, a.id, a.username, a.display_name, a.avatar_key, a.bio
      from ${source(before)}
        and (a.suspended_at is null or a.suspended_until <= ${now}) and ${unblocked}
      order by e.id desc limit ${limit + 1}`;
    const page = pageOfRows(rows, limit, (last) => this.#cursors.encode(kind, [last.position]));
    const relations =
      viewerId === undefined
        ? undefined
        : await readRelations(
            sql,
            viewerId,
            page.rows.map(({ id }) => id),
          );
    return {
      items: page.rows.map((row) => ({
        ...toUser(row),
        bio: row.bio,
        relation: relations?.get(row.id) ?? null,
      })),
      nextCursor: page.nextCursor,
    };
  }
}
