import type { FeedExplanation } from '@hvideo/protocol';
import { AppError } from '../../../kernel/errors.ts';
import { LEAVE_AT } from './bands.ts';
import { decideEdge, INACTIVE_MS, isCore, PROMOTE_AT, quotientOf, REASONS } from './edge-mode.ts';
import type { EdgeReads } from './edges.ts';

/** Why the author is pushed to the reader, or pulled. Errors: `not-found` when the reader does not follow the author. */
export async function explainEdge(
  edges: EdgeReads,
  readerId: string,
  authorId: string,
): Promise<FeedExplanation> {
  const edge = await edges.between(readerId, authorId);
  if (!edge) throw new AppError('not-found');
  const { mode, reasons } = decideEdge(edge);
  return {
    mode: edge.mode,
    wanted: mode,
    readsPerDay: edge.readsPerDay,
    postsPerDay: edge.postsPerDay,
    readsPerPost: quotientOf(edge),
    threshold: edge.costRatio,
    promoteAt: edge.costRatio * PROMOTE_AT,
    demoteBelow: edge.costRatio * LEAVE_AT,
    authorLevel: edge.level,
    active: edge.idleMs <= INACTIVE_MS,
    lastReadAt: edge.lastReadAt?.toISOString() ?? null,
    videosWatched: edge.videosWatched,
    core: isCore(edge),
    reasons: reasons.map((code) => ({ code, text: REASONS[code] })),
  };
}
