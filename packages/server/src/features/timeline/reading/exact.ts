import type { VideoCard } from '@hvideo/protocol';
import { idTimeMs } from '../../../kernel/ids.ts';
import type { Database, Sql, SqlQuery } from '../../../ports/database/port.ts';
import { toUser, type UserColumns } from '../../accounts/index.ts';
import { listedTo, type VideoReads, type VideoRow, videoColumns } from '../../videos/index.ts';
import { REPEAT_WINDOW_MS } from './rules.ts';

/** Keys between the two, without them. */
export interface KeyRange {
  readonly after: string;
  readonly before: string;
}

export type ExactRow = VideoRow & {
  readonly key: string;
  readonly repostComment: string | null;
  readonly by: string | null;
};

/**
 * The following feed as one statement over the truth: what every page has to equal. Pages are answered by it while the
 * announcements cannot be heard.
 *
 * Cost: two ranges of indexes for each followee.
 */
export async function exactEntries(
  { sql }: Database,
  readerId: string,
  { after, before }: KeyRange,
  limit: number,
  now: Date,
  signal?: AbortSignal,
): Promise<ExactRow[]> {
  return sql<ExactRow>`
    select newest.* from follow f cross join lateral (
      (select v.feed_key as key, null::text as "repostComment", null::int8 as by, ${videoColumns(sql)} from video v
        where v.author_id = f.followee_id and v.feed_key < ${before} and v.feed_key > ${after}
          and ${listedTo(sql, readerId, now)}
        order by v.feed_key desc limit ${limit})
      union all
      (select r.id as key, r.comment as "repostComment", r.account_id as by, ${videoColumns(sql)}
        from repost r join video v on v.id = r.video_id
        where r.account_id = f.followee_id and r.id < ${before} and r.id > ${after}
          and ${listedTo(sql, readerId, now)} and ${notMuted(sql, readerId, sql`v.author_id`)}
          and not ${isSuspended(sql, sql`r.account_id`, now)} and not ${isRepeat(sql, readerId)}
        order by r.id desc limit ${limit})
    ) newest
    where f.follower_id = ${readerId} and ${notMuted(sql, readerId, sql`f.followee_id`)}
    order by newest.key desc limit ${limit}`.withSignal(signal);
}

/** Cards for these rows, in their order. */
export async function exactCards(
  { sql }: Database,
  videos: VideoReads,
  readerId: string,
  rows: readonly ExactRow[],
): Promise<VideoCard[]> {
  const reposters = [...new Set(rows.flatMap(({ by }) => by ?? []))];
  const people =
    reposters.length === 0
      ? []
      : await sql<UserColumns>`
          select id, username, display_name, avatar_key from account
          where id = any(${sql.array(reposters, 'int8')})`;
  const byId = new Map(people.map((row) => [row.id, toUser(row)]));
  const cards = await videos.cards(readerId, rows, 'following');
  // A card is left out when its author was deleted meanwhile.
  const cardsById = new Map(cards.map((card) => [card.id, card]));
  return rows.flatMap(({ id, key, by, repostComment }) => {
    const card = cardsById.get(id);
    if (!card) return [];
    const reposter = by === null ? undefined : byId.get(by);
    if (by !== null && !reposter) return [];
    const at = new Date(idTimeMs(key)).toISOString();
    const reason: VideoCard['reason'] = reposter
      ? { kind: 'repost', entryId: key, repost: { by: reposter, comment: repostComment, at } }
      : { kind: 'following', entryId: key };
    return [{ ...card, reason }];
  });
}

/** Of `repost r` and its `video v`: the reader's feed holds the video further down, not long before. */
function isRepeat(sql: Sql, readerId: string): SqlQuery<unknown[]> {
  // As `windowStart` has it.
  const shift = 22;
  const from = sql`(greatest((r.id >> ${shift}::int4) - ${REPEAT_WINDOW_MS}::int8, 0) << ${shift}::int4)`;
  const follows = (author: SqlQuery<unknown[]>) => sql`exists (
    select 1 from follow own where own.follower_id = ${readerId} and own.followee_id = ${author})`;
  return sql`(
    (v.feed_key < r.id and v.feed_key >= ${from} and ${follows(sql`v.author_id`)})
    or exists (
      select 1 from repost o where o.video_id = v.id and o.id < r.id and o.id >= ${from}
        and ${follows(sql`o.account_id`)} and ${notMuted(sql, readerId, sql`o.account_id`)}))`;
}

export function notMuted(sql: Sql, readerId: string, author: SqlQuery<unknown[]>): SqlQuery<unknown[]> {
  return sql`not exists (select 1 from mute where muter_id = ${readerId} and muted_id = ${author})`;
}

function isSuspended(sql: Sql, account: SqlQuery<unknown[]>, now: Date): SqlQuery<unknown[]> {
  return sql`exists (select 1 from account s where s.id = ${account} and s.suspended_at is not null
    and (s.suspended_until is null or s.suspended_until > ${now}))`;
}
