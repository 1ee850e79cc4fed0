import type { Sql, SqlQuery } from '../../ports/database/port.ts';
import type { VideoRow } from './store.ts';

/**
 * Who may see a video: the one rule, as SQL over `video v`, used by every page, list, feed and media request.
 *
 * It reads the tables of accounts and graph itself. Asking those features row by row would be right only at some moment
 * before the answer; one statement sees one state of everything.
 */
export function visibleTo(sql: Sql, viewerId: string | undefined, now: Date): SqlQuery<unknown[]> {
  if (viewerId === undefined) return sql`(${watchable(sql, now)} and ${openToAll(sql, now)})`;
  return sql`(
    v.taken_down_at is null and (
      v.author_id = ${viewerId}
      or (
        ${watchable(sql, now)}
        and (${openToAll(sql, now)} or (v.visibility = 'followers' and v.feed_key is not null and exists (
          select 1 from follow where followee_id = v.author_id and follower_id = ${viewerId})))
        and not exists (select 1 from block where blocker_id = ${viewerId} and blocked_id = v.author_id)
        and not exists (select 1 from block where blocker_id = v.author_id and blocked_id = ${viewerId})
      )
    )
  )`;
}

export interface Watched {
  readonly row: Pick<
    VideoRow,
    'authorId' | 'feedKey' | 'publishAt' | 'status' | 'takedownReason' | 'visibility'
  >;
  readonly suspension: { readonly untilMs: number | null } | null;
}

/** The same rule over what was read before. A test compares the two. */
export function mayWatch(
  { row, suspension }: Watched,
  viewerId: string | undefined,
  viewing: { following: boolean; blocked: boolean; blockedBy: boolean } | undefined,
  nowMs: number,
): boolean {
  if (row.takedownReason !== null) return false;
  if (viewerId === row.authorId) return true;
  if (row.status !== 'playable' && row.status !== 'ready') return false;
  if (suspension && (suspension.untilMs === null || suspension.untilMs > nowMs)) return false;
  if (viewing && (viewing.blocked || viewing.blockedBy)) return false;
  if (row.visibility === 'public') return row.feedKey !== null;
  if (row.visibility === 'unlisted') return row.publishAt === null || row.publishAt.getTime() <= nowMs;
  return row.visibility === 'followers' && row.feedKey !== null && (viewing?.following ?? false);
}

/** What lists and feeds hold of what the viewer may see: published, and meant to be found. */
export function listedTo(sql: Sql, viewerId: string | undefined, now: Date): SqlQuery<unknown[]> {
  return sql`(${listed(sql)} and ${visibleTo(sql, viewerId, now)})`;
}

/** Published and meant to be found, whoever looks. `account_counts.videos` counts these. */
export function listed(sql: Sql): SqlQuery<unknown[]> {
  return sql`(v.feed_key is not null and v.visibility in ('public', 'followers')
    and v.status in ('playable', 'ready') and v.taken_down_at is null)`;
}

/** For everybody but the author. */
function watchable(sql: Sql, now: Date): SqlQuery<unknown[]> {
  return sql`(v.status in ('playable', 'ready') and v.taken_down_at is null and not exists (
    select 1 from account a where a.id = v.author_id and a.suspended_at is not null
      and (a.suspended_until is null or a.suspended_until > ${now})))`;
}

/** An unlisted video never gets a feed key: it is open from its time on. */
function openToAll(sql: Sql, now: Date): SqlQuery<unknown[]> {
  return sql`((v.visibility = 'public' and v.feed_key is not null)
    or (v.visibility = 'unlisted' and (v.publish_at is null or v.publish_at <= ${now})))`;
}
