import type { Database, Sql, SqlQuery } from '../../../ports/database/port.ts';
import type { Entry } from '../../../ports/timeline-store/port.ts';

/** The newest entries below `before` of each of these authors, at most `limit` of each; newest first. */
export async function newestOfEach(
  { sql }: Database,
  authorIds: readonly string[],
  before: string,
  limit: number,
  signal?: AbortSignal,
): Promise<Entry[]> {
  return sql<Entry>`
    select each.key, each.author_id as "authorId", each.video_id as "videoId"
    from unnest(${sql.array(authorIds, 'int8')}) as a (id) cross join lateral (
      ${outboxOf(sql, sql`a.id`, before, limit)}) each
    order by each.key desc`.withSignal(signal);
}

/** The newest entries below `before` over the outboxes of all these authors. */
export async function newestOfAll(
  { sql }: Database,
  authorIds: readonly string[],
  before: string,
  limit: number,
  signal?: AbortSignal,
): Promise<Entry[]> {
  return sql<Entry>`
    select each.key, each.author_id as "authorId", each.video_id as "videoId"
    from unnest(${sql.array(authorIds, 'int8')}) as a (id) cross join lateral (
      ${outboxOf(sql, sql`a.id`, before, limit)}) each
    order by each.key desc limit ${limit}`.withSignal(signal);
}

/**
 * What one author has published, whoever may see it: two ranges of indexes. Columns: key, author_id, video_id.
 * Errors: none for an author who does not exist.
 */
export function outboxOf(
  sql: Sql,
  author: SqlQuery<unknown[]>,
  before: string | SqlQuery<unknown[]>,
  limit: number,
): SqlQuery<unknown[]> {
  return sql`
    select * from (
      (select v.feed_key as key, v.author_id, v.id as video_id from video v
        where v.author_id = ${author} and v.feed_key is not null and v.feed_key < ${before}
        order by v.feed_key desc limit ${limit})
      union all
      (select r.id, r.account_id, r.video_id from repost r
        where r.account_id = ${author} and r.id < ${before} order by r.id desc limit ${limit})
    ) both_kinds order by key desc limit ${limit}`;
}
