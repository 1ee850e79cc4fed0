/**
 * The page of a video: everything that it shows in one answer, from caches that follow the truth.
 *
 *     const detail = createDetail({ db, cache, comments, fences, cardState, presenter, clock, log });
 *     detail.page(viewer, videoId, request.signal)
 */
import { type DetailCachesDeps, defineDetailCaches } from './caches.ts';
import { Detail, type DetailDeps } from './detail.ts';

export type { Detail } from './detail.ts';
export { createVideoExistence } from './existence.ts';

export function createDetail(deps: DetailCachesDeps & Omit<DetailDeps, 'caches'>): Detail {
  return new Detail({ ...deps, caches: defineDetailCaches(deps) });
}
