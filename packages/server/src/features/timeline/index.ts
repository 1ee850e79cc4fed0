/**
 * What a person sees when the app opens: the newest of everybody followed, and of everybody.
 *
 *     const outboxes = createOutboxes({ db, announcements, clock });   // before the videos, which publish into them
 *     const publishing = createPublishing({ db, store, announcements, outboxes, ids, clock, log });
 *     const tuning = createTuning({ db, store, announcements, counters, clock, log });
 *     const timeline = createTimeline({ db, clock, cursors, cache, announcements, fences, store, pages, tuning, ... });
 *     await timeline.followingJson(viewerId, request, signal)   // a page, as it is sent
 */
import type { FeedExplanation, FollowingPage, Page, VideoCard } from '@hvideo/protocol';
import { pageOfRows } from '../../kernel/cursor.ts';
import { type JsonList, joined } from '../../kernel/json-list.ts';
import type { MaybePromise } from '../../kernel/maybe-promise.ts';
import type { Metrics } from '../../kernel/metrics.ts';
import { afterAllIds, listedTo, type PageRequest, type VideoRow, videoColumns } from '../videos/index.ts';
import { Positions } from './position.ts';
import { Outboxes, type OutboxesDeps } from './publishing/outboxes.ts';
import type { FollowingRequest } from './range.ts';
import { notMuted } from './reading/exact.ts';
import { exportReading } from './reading/metrics.ts';
import { cursorBelow, rememberingCursors } from './reading/page-ends.ts';
import { createReading, type ReadingDeps } from './reading/reading.ts';
import type { Tuning } from './tuning/index.ts';

export { createPublishing, type Publishing } from './publishing/index.ts';
export type { Outboxes } from './publishing/outboxes.ts';
export type { FollowingRequest } from './range.ts';
export { createTuning, type Tuning } from './tuning/index.ts';
export { shareCosts } from './tuning/shared-costs.ts';

export const createOutboxes = (deps: OutboxesDeps) => new Outboxes(deps);

/**
 * Guarantees: a page is what a query over all entries would give at this moment (see `Following`); newest first; following
 * the cursors from the start gives every entry that was there all the time once.
 */
export interface Timeline {
  following(viewerId: string, request: FollowingRequest): Promise<FollowingPage>;
  /** The same, as JSON: at once when all of it is in this process. */
  followingJson(
    viewerId: string,
    request: FollowingRequest,
    signalOf?: () => AbortSignal,
  ): MaybePromise<JsonList>;
  latest(viewerId: string | undefined, page: PageRequest): Promise<Page<VideoCard>>;
  readonly positions: Positions;
  /** Why an author is pushed or pulled. Errors: `not-found` when the viewer does not follow them. */
  explain(viewerId: string, authorId: string): Promise<FeedExplanation>;
  readonly reading: Omit<ReturnType<typeof createReading>, 'following'>;
}

export type TimelineDeps = Omit<ReadingDeps, 'positions' | 'onRead' | 'onCold' | 'onPulled'> & {
  readonly tuning: Pick<Tuning, 'activity' | 'costs' | 'explain' | 'inboxes'>;
  readonly metrics?: Metrics;
};

export function createTimeline(deps: TimelineDeps): Timeline {
  const { db, clock, tuning, videos } = deps;
  const cursors = rememberingCursors(deps.cursors);
  const positions = new Positions({
    ...deps,
    cursorBelow: (viewerId, key) => cursorBelow(cursors, viewerId, key),
  });
  const { following, ...reading } = createReading({
    ...{ ...deps, cursors, positions },
    onRead: (readerId) => tuning.activity.noteRead(readerId),
    onCold: (readerId) => tuning.inboxes.request(readerId),
    onPulled: (outboxes, tookMs) => tuning.costs.notePulls(outboxes, tookMs),
  });
  if (deps.metrics) exportReading(deps.metrics, reading);
  const followingJson: Timeline['followingJson'] = (viewerId, request, signalOf) =>
    following.page(viewerId, request, signalOf);
  return {
    positions,
    reading,
    followingJson,
    explain: (viewerId, authorId) => tuning.explain(viewerId, authorId),
    following: async (viewerId, request) =>
      JSON.parse(new TextDecoder().decode(joined(await followingJson(viewerId, request)))) as FollowingPage,
    async latest(viewerId, request) {
      const { sql } = db;
      const now = new Date(clock.nowMs());
      const { cursor, limit } = request;
      const before = cursor === undefined ? afterAllIds : cursors.decode('latest', cursor)[0];
      const rows = await sql<VideoRow>`
        select ${videoColumns(sql)} from video v
        where v.feed_key < ${before} and v.visibility = 'public' and ${listedTo(sql, viewerId, now)}
          and ${viewerId === undefined ? sql`true` : notMuted(sql, viewerId, sql`v.author_id`)}
        order by v.feed_key desc limit ${limit + 1}`;
      const page = pageOfRows(rows, limit, (last) => cursors.encode('latest', [last.feedKey ?? afterAllIds]));
      return { items: await videos.cards(viewerId, page.rows, 'latest'), nextCursor: page.nextCursor };
    },
  };
}
