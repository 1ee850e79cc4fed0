/**
 * What a person sees when the app opens: the newest videos of everybody followed, and of everybody.
 *
 *     const timeline = createTimeline({ db, clock, cursors, videos: videos.reads });
 */
import type { Page, VideoCard } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { type CursorCodec, pageOfRows } from '../../kernel/cursor.ts';
import type { Database, Sql, SqlQuery } from '../../ports/database/port.ts';
import {
  afterAllIds,
  listedTo,
  type PageRequest,
  type VideoReads,
  type VideoRow,
  videoColumns,
} from '../videos/index.ts';

/**
 * Guarantees: a page is what a query over all videos would give at this moment; newest first by feed key; following the
 * cursors from the start gives every entry that was there all the time once.
 * Cost: one statement for the entries and two for their cards, whatever the limit.
 */
export interface Timeline {
  following(viewerId: string, page: PageRequest): Promise<Page<VideoCard>>;
  latest(viewerId: string | undefined, page: PageRequest): Promise<Page<VideoCard>>;
}

export interface TimelineDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly cursors: CursorCodec;
  readonly videos: VideoReads;
}

export function createTimeline({ db, clock, cursors, videos }: TimelineDeps): Timeline {
  const { sql } = db;
  const now = () => new Date(clock.nowMs());
  const beforeOf = (kind: string, cursor: string | undefined) =>
    cursor === undefined ? afterAllIds : cursors.decode(kind, cursor)[0];
  const cards = async (
    viewerId: string | undefined,
    rows: readonly VideoRow[],
    { limit }: PageRequest,
    kind: string,
    reason: 'following' | 'latest',
  ): Promise<Page<VideoCard>> => {
    const page = pageOfRows(rows, limit, (last) => cursors.encode(kind, [last.feedKey ?? afterAllIds]));
    return { items: await videos.cards(viewerId, page.rows, reason), nextCursor: page.nextCursor };
  };
  return {
    async following(viewerId, request) {
      const kind = `following:${viewerId}`;
      const before = beforeOf(kind, request.cursor);
      // From each outbox no more than a page is read, so that the cost grows with the follows and not with the videos.
      const rows = await sql<VideoRow>`
        select newest.* from follow f cross join lateral (
          select ${videoColumns(sql)} from video v
          where v.author_id = f.followee_id and v.feed_key < ${before} and ${listedTo(sql, viewerId, now())}
          order by v.feed_key desc limit ${request.limit + 1}
        ) newest
        where f.follower_id = ${viewerId} and ${notMuted(sql, viewerId, sql`f.followee_id`)}
        order by newest."feedKey" desc limit ${request.limit + 1}`;
      return cards(viewerId, rows, request, kind, 'following');
    },
    async latest(viewerId, request) {
      const kind = 'latest';
      const before = beforeOf(kind, request.cursor);
      const rows = await sql<VideoRow>`
        select ${videoColumns(sql)} from video v
        where v.feed_key < ${before} and v.visibility = 'public' and ${listedTo(sql, viewerId, now())}
          and ${viewerId === undefined ? sql`true` : notMuted(sql, viewerId, sql`v.author_id`)}
        order by v.feed_key desc limit ${request.limit + 1}`;
      return cards(viewerId, rows, request, kind, 'latest');
    },
  };
}

function notMuted(sql: Sql, viewerId: string, author: SqlQuery<unknown[]>): SqlQuery<unknown[]> {
  return sql`not exists (select 1 from mute where muter_id = ${viewerId} and muted_id = ${author})`;
}
