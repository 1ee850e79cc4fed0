import type { Comment } from '@hvideo/protocol';
import { type Cache, dependency } from '../../cache/index.ts';
import type { Database, Sql } from '../../ports/database/port.ts';
import type { CommentReads } from '../engagement/index.ts';
import { graphOf } from '../graph/index.ts';
import {
  type PageRow,
  reviveVideoPage,
  toVideoPage,
  type VideoPage,
  type VideoPages,
  videoColumns,
} from '../videos/index.ts';

/** What a viewer is to a video and its author. */
export interface Viewing {
  readonly authorId: string;
  readonly following: boolean;
  readonly followedBy: boolean;
  readonly muted: boolean;
  readonly blocked: boolean;
  readonly blockedBy: boolean;
  readonly liked: boolean;
  readonly favorited: boolean;
  readonly reposted: boolean;
  /** Comments of this video that the viewer likes. */
  readonly likedComments: readonly string[];
}

export interface CommentsPage {
  readonly items: readonly Comment[];
  /** After what there the next page begins; null at the end. */
  readonly nextCursor: string | null;
}

export interface DetailCachesDeps {
  readonly db: Database;
  readonly cache: Cache;
  readonly comments: CommentReads;
  readonly pages: VideoPages;
}

export type DetailCaches = ReturnType<typeof defineDetailCaches>;

export const FIRST_COMMENTS = 10;
const RELATED = 8;
const MAX_LIKED_COMMENTS = 400;
const MAX_BLOCKS = 10_000;
const secondMs = 1_000;
const dayMs = 86_400_000;

const video = dependency('video', 'id');
const account = dependency('account', 'id');
const follow = dependency('follow', 'follower_id', 'followee_id');
const mute = dependency('mute', 'muter_id', 'muted_id');
const block = dependency('block', 'blocker_id', 'blocked_id');
const blocker = dependency('block', 'blocker_id');
const blocked = dependency('block', 'blocked_id');
const like = dependency('video_like', 'account_id', 'video_id');
const favorite = dependency('favorite', 'account_id', 'video_id');
const repost = dependency('repost', 'account_id', 'video_id');
const commentsOf = dependency('comment', 'video_id');
const commentLikesOf = dependency('comment_like', 'account_id');

/** Everything that the page of a video is made of, apart from counters. */
export function defineDetailCaches({ db, cache, comments, pages }: DetailCachesDeps) {
  const { sql } = db;
  const viewings = cache.define<Viewing>({
    name: 'video-viewing',
    freshMs: 30 * secondMs,
    staleMs: dayMs,
    dependencies: [like, favorite, repost, follow, mute, block, commentLikesOf, graphOf],
    owner: (id) => like(...splitViewing(id)),
    contains: ({ authorId }, id) => rowsOfViewing(...splitViewing(id), authorId),
    load: (ids, signal) => loadViewings(db, ids, signal),
  });
  const blocks = cache.define<readonly string[]>({
    name: 'blocks',
    freshMs: 30 * secondMs,
    staleMs: dayMs,
    dependencies: [blocker, blocked, graphOf],
    owner: (id) => blocker(id),
    contains: (_value, id) => [blocked(id), graphOf(id)],
    async load(ids, signal) {
      const rows = await sql<{ id: string; others: string[] }>`
        select each.id, array(
          select blocked_id::text from block where blocker_id = each.id
          union select blocker_id::text from block where blocked_id = each.id limit ${MAX_BLOCKS}) as others
        from unnest(${sql.array(ids, 'int8')}) as each (id)`.withSignal(signal);
      return new Map(rows.map(({ id, others }) => [id, others]));
    },
  });
  const firstComments = cache.define<CommentsPage>({
    name: 'first-comments',
    freshMs: 10 * secondMs,
    staleMs: dayMs,
    maxBatch: 1,
    dependencies: [commentsOf, account],
    owner: (id) => commentsOf(id),
    contains: ({ items }) => [...new Set(items.map(({ author }) => account(author.id)))],
    load: async (ids, signal) =>
      new Map(
        await Promise.all(
          ids.map(async (id) => [id, await comments.shared(id, FIRST_COMMENTS, signal)] as const),
        ),
      ),
  });
  const related = cache.define<readonly VideoPage[]>({
    name: 'related-videos',
    freshMs: 30 * secondMs,
    staleMs: dayMs,
    maxBatch: 1,
    dependencies: [video, account],
    owner: (id) => video(id),
    contains: (found) => found.flatMap(({ row, author }) => [video(row.id), account(author.id)]),
    load: async (ids, signal) =>
      new Map(await Promise.all(ids.map(async (id) => [id, await loadRelated(db, id, signal)] as const))),
    decode: (bytes) => (JSON.parse(new TextDecoder().decode(bytes)) as VideoPage[]).map(reviveVideoPage),
  });
  return { pages, viewings, blocks, firstComments, related };
}

export const viewingId = (viewerId: string, videoId: string) => `${viewerId}:${videoId}`;

function splitViewing(id: string): [viewerId: string, videoId: string] {
  const at = id.indexOf(':');
  return [id.slice(0, at), id.slice(at + 1)];
}

function rowsOfViewing(viewerId: string, videoId: string, authorId: string): string[] {
  return [
    ...[favorite(viewerId, videoId), repost(viewerId, videoId), commentLikesOf(viewerId)],
    ...[follow(viewerId, authorId), follow(authorId, viewerId), mute(viewerId, authorId)],
    ...[block(viewerId, authorId), block(authorId, viewerId), graphOf(viewerId)],
  ];
}

async function loadViewings(
  { sql }: Database,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Viewing>> {
  const pairs = ids.map(splitViewing);
  const rows = await sql<Viewing & { viewerId: string; videoId: string }>`
    select each.viewer as "viewerId", each.video as "videoId", v.author_id as "authorId",
      exists (select 1 from follow where follower_id = each.viewer and followee_id = v.author_id) as following,
      exists (select 1 from follow where follower_id = v.author_id and followee_id = each.viewer) as "followedBy",
      exists (select 1 from mute where muter_id = each.viewer and muted_id = v.author_id) as muted,
      exists (select 1 from block where blocker_id = each.viewer and blocked_id = v.author_id) as blocked,
      exists (select 1 from block where blocker_id = v.author_id and blocked_id = each.viewer) as "blockedBy",
      exists (select 1 from video_like r where r.video_id = v.id and r.account_id = each.viewer) as liked,
      exists (select 1 from favorite r where r.video_id = v.id and r.account_id = each.viewer) as favorited,
      exists (select 1 from repost r where r.video_id = v.id and r.account_id = each.viewer) as reposted,
      array(select l.comment_id::text from comment_like l join comment c on c.id = l.comment_id
        where l.account_id = each.viewer and c.video_id = v.id limit ${MAX_LIKED_COMMENTS}) as "likedComments"
    from ${pairsOf(sql, pairs)} as each (viewer, video) join video v on v.id = each.video`.withSignal(signal);
  return new Map(
    rows.map(({ viewerId, videoId, ...viewing }) => [viewingId(viewerId, videoId), viewing] as const),
  );
}

/**
 * One pair alone stands there as it is. The planner takes an array of unknown length for ten times the work, and would plan
 * anew each time what a single viewer asks for, which costs more than the statement itself.
 */
function pairsOf(sql: Sql, pairs: readonly (readonly [viewerId: string, videoId: string])[]) {
  const [only] = pairs;
  if (only && pairs.length === 1) return sql`(values (${only[0]}::int8, ${only[1]}::int8))`;
  const viewers = pairs.map(([viewerId]) => viewerId);
  const videos = pairs.map(([, videoId]) => videoId);
  return sql`unnest(${sql.array(viewers, 'int8')}, ${sql.array(videos, 'int8')})`;
}

/** The author's newest, then everybody's: public ones only, so that all viewers share them. */
async function loadRelated({ sql }: Database, videoId: string, signal: AbortSignal): Promise<VideoPage[]> {
  const open = sql`v.feed_key is not null and v.visibility = 'public' and v.taken_down_at is null
    and v.status in ('playable', 'ready') and v.id <> ${videoId}`;
  const rows = await sql<PageRow>`
    with own as (
      select v.id, 0 as place from video v
      where v.author_id = (select author_id from video where id = ${videoId}) and ${open}
      order by v.feed_key desc limit ${RELATED / 2}),
    newest as (
      select v.id, 1 as place from video v where ${open} order by v.feed_key desc limit ${RELATED * 2}),
    found as (select id, min(place) as place from (select * from own union all select * from newest) each group by id)
    select ${videoColumns(sql)}, a.username, a.display_name, a.avatar_key,
      a.suspended_at as "suspendedAt", a.suspended_until as "suspendedUntil"
    from found join video v on v.id = found.id join account a on a.id = v.author_id
    where a.suspended_at is null or a.suspended_until <= now()
    order by found.place, v.feed_key desc limit ${RELATED}`.withSignal(signal);
  return rows.map(toVideoPage);
}
