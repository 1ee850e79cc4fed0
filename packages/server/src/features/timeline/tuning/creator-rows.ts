import { ID_EPOCH_MS } from '../../../kernel/ids.ts';
import type { Database, Sql } from '../../../ports/database/port.ts';
import { METRICS } from '../../counters/index.ts';
import { LEVEL_FOLLOWERS, type Level } from './levels.ts';
import { decayFactor, HEAT, POSTS, perEvent } from './rates.ts';

export interface CreatorEvents {
  readonly accounts: readonly { readonly id: string; readonly posts: number; readonly weight: number }[];
  /** What happened to a video counts for its author. */
  readonly views: readonly { readonly id: string; readonly weight: number }[];
}

/** What the level follows from. */
export interface Measured {
  readonly accountId: string;
  /** As of `ratedAt`. */
  readonly heat: number;
  readonly ratedAt: Date;
  readonly level: Level;
  readonly levelAt: Date;
  readonly followers: number;
}

interface MeasuredRow extends Omit<Measured, 'followers' | 'level'> {
  readonly level: number;
  readonly followers: string | null;
}

const measured = ({ level, followers, ...rest }: MeasuredRow): Measured => ({
  ...rest,
  level: level as Level,
  followers: Number(followers ?? 0),
});

/** Posts older than this weigh nothing any more. */
const postsWindowMs = 8 * POSTS.halfLifeMs;
const idOf = (timeMs: number): string => String(BigInt(Math.max(0, timeMs - ID_EPOCH_MS)) << 22n);

const measuredColumns = (sql: Sql) => sql`
  c.account_id as "accountId", c.heat, c.rated_at as "ratedAt", c.level, c.level_at as "levelAt",
  (select total from counter where id = c.account_id and metric = ${METRICS.followers}) as followers`;

/** Adds to the rates, and answers those whom it concerns. Accounts that have gone are left out. */
export async function writeEvents(
  db: Database,
  now: Date,
  { accounts, views }: CreatorEvents,
): Promise<Measured[]> {
  return await db.transaction(async (tx) => {
    const rows = await tx<MeasuredRow>`
      with events as (
        select id, sum(posts) as posts, sum(weight) as weight from (
          select id, posts, weight from unnest(
            ${tx.array(
              accounts.map(({ id }) => id),
              'int8',
            )}, ${tx.array(
              accounts.map(({ posts }) => posts),
              'int4',
            )}, ${tx.array(
              accounts.map(({ weight }) => weight),
              'int8',
            )}) as each (id, posts, weight)
          union all
          select v.author_id, 0, each.weight from unnest(
            ${tx.array(
              views.map(({ id }) => id),
              'int8',
            )}, ${tx.array(
              views.map(({ weight }) => weight),
              'int8',
            )}) as each (id, weight) join video v on v.id = each.id
        ) as single (id, posts, weight) group by id),
      known as (
        select a.id, posts, weight from events join account a on a.id = events.id order by a.id for key share of a)
      insert into feed_creator as c (account_id, posts_per_day, heat, rated_at, level_at)
      select id, posts * ${perEvent(POSTS)}::float8, weight * ${perEvent(HEAT)}::float8, ${now}, 'epoch' from known
      on conflict (account_id) do update set
        posts_per_day = excluded.posts_per_day + c.posts_per_day * ${decayFactor(tx, POSTS, tx`c.rated_at`, now)},
        heat = excluded.heat + c.heat * ${decayFactor(tx, HEAT, tx`c.rated_at`, now)},
        rated_at = greatest(c.rated_at, excluded.rated_at)
      returning ${measuredColumns(tx)}`;
    return rows.map(measured);
  });
}

/** Everybody above level 0, and nobody else. */
export async function largeCreators(
  { sql }: Database,
  after: string,
  limit: number,
  signal: AbortSignal,
): Promise<Measured[]> {
  const rows = await sql<MeasuredRow>`
    select ${measuredColumns(sql)} from feed_creator c
    where level > 0 and account_id > ${after} order by account_id limit ${limit}`.withSignal(signal);
  return rows.map(measured);
}

/** Those at level 0 who have the followers of more. */
export async function unratedCreators({ sql }: Database, signal: AbortSignal): Promise<Measured[]> {
  const rows = await sql<MeasuredRow>`
    select ${measuredColumns(sql)} from feed_creator c join counter k on k.id = c.account_id
    where level = 0 and metric = ${METRICS.followers} and total >= ${LEVEL_FOLLOWERS[0]}`.withSignal(signal);
  return rows.map(measured);
}

export interface LevelStep {
  readonly accountId: string;
  readonly from: Level;
  readonly to: Level;
}

/** Another process may have taken the step meanwhile: then nothing. A walk over the edges under way begins anew. */
export async function setLevels({ sql }: Database, steps: readonly LevelStep[], now: Date): Promise<number> {
  const rows = await sql`
    with steps as (
      select c.account_id, each.to_level from unnest(
        ${sql.array(
          steps.map(({ accountId }) => accountId),
          'int8',
        )}, ${sql.array(
          steps.map(({ from }) => from),
          'int4',
        )}, ${sql.array(
          steps.map(({ to }) => to),
          'int4',
        )}) as each (id, from_level, to_level)
      join feed_creator c on c.account_id = each.id and c.level = each.from_level
      order by c.account_id for update of c)
    update feed_creator c set level = steps.to_level, level_at = ${now}, tuned_after = 0
    from steps where c.account_id = steps.account_id and c.level <> steps.to_level returning 1 as one`;
  return rows.length;
}

/**
 * Rates of posts from the rows themselves, and a row for everybody whom so many follow that they have a level: for
 * communities that were there before, and after changes were missed.
 */
export async function recountPosts(db: Database, now: Date, signal: AbortSignal): Promise<void> {
  const since = idOf(now.getTime() - postsWindowMs);
  await db.transaction(async (tx) => {
    // Every post of months takes longer than a request may.
    await tx`set local statement_timeout = '10min'`;
    await tx`
      with posts (id, weight) as (
        select id, sum(power(0.5::float8,
          greatest(0, ${now.getTime() - ID_EPOCH_MS}::int8 - (feed_key >> 22))::float8 / ${POSTS.halfLifeMs}::float8))
        from (
          select author_id as id, feed_key from video where feed_key > ${since}
          union all select account_id, id from repost where id > ${since}
        ) as single (id, feed_key) group by id
        union all
        select id, 0 from counter where metric = ${METRICS.followers} and total >= ${LEVEL_FOLLOWERS[0]}),
      known as (
        select a.id, sum(weight) as weight from posts join account a on a.id = posts.id group by a.id order by a.id)
      insert into feed_creator as c (account_id, posts_per_day, heat, rated_at, level, level_at)
      select id, weight * ${perEvent(POSTS)}::float8, 0, ${now}, 0, 'epoch' from known
      on conflict (account_id) do update set posts_per_day = excluded.posts_per_day,
        heat = c.heat * ${decayFactor(tx, HEAT, tx`c.rated_at`, now)}, rated_at = excluded.rated_at`.withSignal(
      signal,
    );
  });
}
