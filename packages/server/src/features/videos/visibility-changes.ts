import { type Cache, dependency } from '../../cache/index.ts';
import type { Announcement, Announcements } from '../../ports/announcements/port.ts';

/** Of the announcements that a video may be for other people now. */
const VIDEO_KIND = 'video';

const video = dependency('video', 'id');

/** In the cache of a node: some video's. For whoever shows several, and has begun before it heard. */
export const VISIBILITY_CHANGES = 'visibility-changes';

export const visibilityFact = (videoId: string): Announcement => ({ kind: VIDEO_KIND, text: videoId });

/** Before the first `catchUp`: what this process keeps of a video is outdated as soon as it hears of another visibility. */
export function followVisibility(announcements: Pick<Announcements, 'follow'>, cache: Cache): void {
  announcements.follow(VIDEO_KIND, {
    hear(videoIds) {
      void cache.invalidate([VISIBILITY_CHANGES, ...videoIds.map((id) => video(id))], { isLocalOnly: true });
    },
    // Which videos have changed meanwhile is not known.
    reset: async () => cache.forgetHere(),
  });
}
