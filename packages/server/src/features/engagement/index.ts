/**
 * What people do on videos: like, keep, repost, share and comment.
 *
 *     const cardState = createCardState(db, counters, clock);             // before the videos, whose cards show it
 *     const engagement = createEngagement({ db, ids, clock, cursors, counters, people, outbox, fences, tell, videos });
 *     engagement.reactions.add('likes', viewerId, videoId)
 *     engagement.comments.page(viewer, videoId, { sort: 'heat', limit: 20 })
 *     engagement.lists.likes(viewerId, '@lin', page)
 */
import type { Comment } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import type { Database, Idempotency } from '../../ports/database/port.ts';
import type { Viewer } from '../accounts/index.ts';
import type { Counters } from '../counters/index.ts';
import { engagementOfAccount } from './account-part.ts';
import { auditCounters } from './audit.ts';
import { CardState } from './card-state.ts';
import { CommentReads } from './comment-reads.ts';
import { CommentWrites, type NewComment } from './comment-writes.ts';
import { Folders } from './folders.ts';
import { refreshHeat } from './heat.ts';
import { OwnLists, type OwnListsDeps } from './own-lists.ts';
import { Reactions } from './reactions.ts';
import { type RepostDeps, Reposts } from './reposts.ts';

export type { Drift } from './audit.ts';
export type { CardState, ReactionState } from './card-state.ts';
export { type CommentReads, type CommentViewer, isModerator } from './comment-reads.ts';
export { type CountText, CountTexts } from './count-texts.ts';
export type { OwnLists } from './own-lists.ts';
export { type RepostEntry, type RepostOutbox, repostFenceOf } from './reposts.ts';

export const createCardState = (db: Database, counters: Counters, clock: Clock) =>
  new CardState(db, counters, clock);

export type Engagement = ReturnType<typeof createEngagement>;

export function createEngagement(deps: RepostDeps & OwnListsDeps) {
  const { db, counters, outbox } = deps;
  const comments = new CommentReads(deps);
  const commentWrites = new CommentWrites(deps);
  counters.onFold(['commentLikes', 'replies'], refreshHeat);
  return {
    reactions: new Reactions(deps),
    reposts: new Reposts(deps),
    folders: new Folders(deps),
    lists: new OwnLists(deps),
    comments,
    commentWrites,
    /** Writes a comment and answers it as its writer sees it. */
    async comment(
      viewer: Pick<Viewer, 'accountId' | 'role'>,
      videoId: string,
      comment: NewComment,
      idempotency?: Idempotency,
    ): Promise<Comment> {
      return comments.get(
        viewer,
        await commentWrites.create(viewer.accountId, videoId, comment, idempotency),
      );
    },
    accountPart: engagementOfAccount(db, counters, outbox),
    audit: () => auditCounters(db),
  };
}
