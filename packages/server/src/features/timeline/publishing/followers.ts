import type { Database, SqlQuery } from '../../../ports/database/port.ts';

/** Whose followers, and after which one. */
export interface Walk {
  readonly key: string;
  readonly authorId: string;
  readonly afterFollower: string;
}

export interface Stretch {
  readonly key: string;
  readonly followerIds: readonly string[];
  /** The last one looked at; undefined: there are no more. */
  readonly lastId: string | undefined;
  readonly isLast: boolean;
}

/**
 * `all`; `active`: who read within the day before the entry; `others`: who did not, or may have read so lately that the
 * walk over the active ones did not see it; `activeNow`: who read within the last day.
 */
export type Readers = 'all' | 'active' | 'others' | 'activeNow';

/**
 * A stretch of followers that are pushed to, for each walk: one statement. It looks at `limit` edges for each, however
 * many of them it answers, so that no statement is long.
 *
 * The time of reading is written within an hour of it. So who had read before that hour, and within the day, was seen by
 * every walk over the active ones, which began later.
 */
export async function nextFollowers(
  { sql }: Database,
  walks: readonly Walk[],
  limit: number,
  readers: Readers,
): Promise<Stretch[]> {
  const rows = await sql<{
    key: string;
    ids: string | null;
    last_id: string | null;
    looked: number;
  }>`
    select each.key, stretch.* from unnest(
      ${sql.array(
        walks.map(({ key }) => key),
        'int8',
      )}, ${sql.array(
        walks.map(({ authorId }) => authorId),
        'int8',
      )}, ${sql.array(
        walks.map(({ afterFollower }) => afterFollower),
        'int8',
      )}) as each (key, author_id, after_follower)
    ${readers === 'all' || readers === 'activeNow' ? sql`` : sql`left join fanout on fanout.key = each.key`}
    cross join lateral (
      select count(*)::int as looked, max(edge.follower_id) as last_id, ${chosen(sql, readers)} as ids
      from (
        select follower_id, ${readers === 'all' ? sql`null::timestamptz` : lastRead(sql)} as last_read_at
        from (
          select follower_id from follow
          where followee_id = each.author_id and mode > 0 and follower_id > each.after_follower
          order by follower_id limit ${limit}) as follow
        offset 0) as edge
    ) as stretch`;
  return rows.map(({ key, ids, last_id, looked }) => ({
    key,
    followerIds: ids?.split(',') ?? [],
    lastId: last_id ?? undefined,
    isLast: looked < limit,
  }));
}

/** Looked up one by one: a join would be planned as if a stretch were a few rows, and remember each for nothing. */
const lastRead = (sql: Database['sql']) =>
  sql`(select last_read_at from feed_reader where account_id = follow.follower_id)`;

/** As one text: it is read in half the time that an array takes. */
function chosen(sql: Database['sql'], readers: Readers): SqlQuery<unknown[]> {
  const ids = sql`string_agg(edge.follower_id::text, ',')`;
  const dayBefore = sql`fanout.created_at - interval '1 day'`;
  if (readers === 'all') return ids;
  if (readers === 'active') return sql`${ids} filter (where last_read_at >= ${dayBefore})`;
  if (readers === 'activeNow') return sql`${ids} filter (where last_read_at >= now() - interval '1 day')`;
  return sql`${ids} filter (where last_read_at is null or last_read_at < ${dayBefore}
    or last_read_at >= fanout.created_at - interval '1 hour')`;
}
