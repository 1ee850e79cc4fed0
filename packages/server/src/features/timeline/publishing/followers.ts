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
      select cardinality(edges.ids) as looked, edges.ids[cardinality(edges.ids)] as last_id, ${chosen(sql, readers)} as ids
      from (
        select array(
          select follower_id from follow
          where followee_id = each.author_id and mode > 0 and follower_id > each.after_follower
          order by follower_id limit ${limit}) as ids
        offset 0) as edges
    ) as stretch`;
  return rows.map(({ key, ids, last_id, looked }) => ({
    key,
    followerIds: ids ? ids.split(',') : [],
    lastId: last_id ?? undefined,
    isLast: looked < limit,
  }));
}

/**
 * As one text, which is read in half the time that an array takes. The readers of a stretch are looked up as one sorted array, for which
 * an index is walked once, and not searched for each.
 */
function chosen(sql: Database['sql'], readers: Readers): SqlQuery<unknown[]> {
  const dayBefore = sql`fanout.created_at - interval '1 day'`;
  const read = (condition: SqlQuery<unknown[]>) =>
    sql`select account_id from feed_reader where account_id = any(edges.ids) and ${condition}`;
  switch (readers) {
    case 'all':
      return sql`array_to_string(edges.ids, ',')`;
    case 'active':
      return joined(sql, read(sql`last_read_at >= ${dayBefore}`));
    case 'activeNow':
      return joined(sql, read(sql`last_read_at >= now() - interval '1 day'`));
    case 'others': {
      const surelySeen = read(
        sql`last_read_at >= ${dayBefore} and last_read_at < fanout.created_at - interval '1 hour'`,
      );
      return joined(sql, sql`select unnest(edges.ids) as account_id except ${surelySeen}`);
    }
  }
}

const joined = (sql: Database['sql'], ids: SqlQuery<unknown[]>) =>
  sql`(select string_agg(account_id::text, ',' order by account_id) from (${ids}) as chosen)`;
