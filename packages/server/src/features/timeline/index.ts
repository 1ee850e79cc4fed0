/**
 * What a person sees when the app opens: the newest videos of everybody followed, and of everybody.
 *
 *     const outboxes = createOutboxes({ db, announcements, clock });   // before the videos, which publish into them
 *     const timeline = createTimeline({ db, clock, cursors, videos: videos.reads });
 */
import type { FeedExplanation, FollowingPage, Page, VideoCard } from '@hvideo/protocol';
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
import { Positions } from './position.ts';
import { Outboxes, type OutboxesDeps } from './publishing/outboxes.ts';
import { type FollowingRequest, firstKeyFor, keyBefore } from './range.ts';
import { Costs } from './tuning/costs.ts';
import { EdgeReads } from './tuning/edges.ts';
import { explainEdge } from './tuning/explain.ts';

export { createPublishing, type Publishing } from './publishing/index.ts';
export type { Outboxes } from './publishing/outboxes.ts';
export type { FollowingRequest } from './range.ts';
export { createTuning, type Tuning } from './tuning/index.ts';

export const createOutboxes = (deps: OutboxesDeps) => new Outboxes(deps);

/**
 * Guarantees: a page is what a query over all videos would give at this moment; newest first by feed key; following the
 * cursors from the start gives every entry that was there all the time once.
 * Cost: one statement for the entries and two for their cards, whatever the limit; one more at the top, for the position.
 */
export interface Timeline {
  following(viewerId: string, request: FollowingRequest): Promise<FollowingPage>;
  latest(viewerId: string | undefined, page: PageRequest): Promise<Page<VideoCard>>;
  readonly positions: Positions;
  /** Why an author is pushed or pulled. Errors: `not-found` when the viewer does not follow them. */
  explain(viewerId: string, authorId: string): Promise<FeedExplanation>;
}

export interface TimelineDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly cursors: CursorCodec;
  readonly videos: VideoReads;
  /** Those that the edges are decided by. */
  readonly costs?: Costs;
}

const followingKind = (viewerId: string) => `following:${viewerId}`;
const sinceKind = (viewerId: string) => `following-since:${viewerId}`;

/** Older than every entry. */
const beforeAllIds = '0';

export function createTimeline(deps: TimelineDeps): Timeline {
  const { db, clock, cursors, videos, costs = new Costs() } = deps;
  const { sql } = db;
  const now = () => new Date(clock.nowMs());
  const keyOf = (kind: string, cursor: string) => cursors.decode(kind, cursor)[0] ?? beforeAllIds;
  const positions = new Positions({
    ...{ db, clock },
    cursorBelow: (viewerId, key) => cursors.encode(followingKind(viewerId), [key]),
  });

  /** Entries with keys between the two, without them. */
  const entries = (viewerId: string, after: string, before: string, limit: number) =>
    // From each outbox no more than a page is read, so that the cost grows with the follows and not with the videos.
    sql<VideoRow>`
      select newest.* from follow f cross join lateral (
        select ${videoColumns(sql)} from video v
        where v.author_id = f.followee_id and v.feed_key < ${before} and v.feed_key > ${after}
          and ${listedTo(sql, viewerId, now())}
        order by v.feed_key desc limit ${limit}
      ) newest
      where f.follower_id = ${viewerId} and ${notMuted(sql, viewerId, sql`f.followee_id`)}
      order by newest."feedKey" desc limit ${limit}`;

  const cardsOf = async (viewerId: string, rows: readonly VideoRow[]): Promise<VideoCard[]> => {
    const keys = new Map(rows.map((row) => [row.id, row.feedKey]));
    const cards = await videos.cards(viewerId, rows, 'following');
    return cards.map((card) => {
      const entryId = keys.get(card.id);
      return entryId ? { ...card, reason: { ...card.reason, entryId } } : card;
    });
  };
  const newest = (rows: readonly VideoRow[], known = beforeAllIds) => rows[0]?.feedKey ?? known;

  const newSince = async (viewerId: string, since: string, limit: number): Promise<FollowingPage> => {
    const known = keyOf(sinceKind(viewerId), since);
    const rows = await entries(viewerId, firstKeyFor(known), afterAllIds, limit);
    const next = BigInt(newest(rows)) > BigInt(known) ? newest(rows) : known;
    return {
      items: await cardsOf(viewerId, rows),
      nextCursor: null,
      since: cursors.encode(sinceKind(viewerId), [next]),
      position: null,
    };
  };

  const edges = new EdgeReads({ db, clock, costs });
  return {
    positions,
    explain: (viewerId, authorId) => explainEdge(edges, viewerId, authorId),
    async following(viewerId, request) {
      const { cursor, limit, since, at } = request;
      if (since !== undefined) return newSince(viewerId, since, limit);
      const kind = followingKind(viewerId);
      const before = cursor === undefined ? keyBefore(request, clock.nowMs()) : keyOf(kind, cursor);
      const isTop = cursor === undefined && at === undefined;
      const [rows, position] = await Promise.all([
        entries(viewerId, beforeAllIds, before, limit + 1),
        isTop ? positions.read(viewerId) : null,
      ]);
      const page = pageOfRows(rows, limit, (last) => cursors.encode(kind, [last.feedKey ?? afterAllIds]));
      return {
        items: await cardsOf(viewerId, page.rows),
        nextCursor: page.nextCursor,
        since: isTop ? cursors.encode(sinceKind(viewerId), [newest(rows)]) : null,
        position,
      };
    },
    async latest(viewerId, request) {
      const kind = 'latest';
      const before = request.cursor === undefined ? afterAllIds : keyOf(kind, request.cursor);
      const rows = await sql<VideoRow>`
        select ${videoColumns(sql)} from video v
        where v.feed_key < ${before} and v.visibility = 'public' and ${listedTo(sql, viewerId, now())}
          and ${viewerId === undefined ? sql`true` : notMuted(sql, viewerId, sql`v.author_id`)}
        order by v.feed_key desc limit ${request.limit + 1}`;
      const page = pageOfRows(rows, request.limit, (last) =>
        cursors.encode(kind, [last.feedKey ?? afterAllIds]),
      );
      return { items: await videos.cards(viewerId, page.rows, 'latest'), nextCursor: page.nextCursor };
    },
  };
}

function notMuted(sql: Sql, viewerId: string, author: SqlQuery<unknown[]>): SqlQuery<unknown[]> {
  return sql`not exists (select 1 from mute where muter_id = ${viewerId} and muted_id = ${author})`;
}
