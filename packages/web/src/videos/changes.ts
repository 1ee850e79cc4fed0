import type { api, InputOf, OwnVideo, VideoVisibility } from '@hvideo/protocol';

/** What a form about a video says. `publishAt`: undefined leaves it, null publishes at once. */
export interface VideoValues {
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly visibility: VideoVisibility;
  readonly coverTimeMs: number | undefined;
  readonly publishAt: string | null | undefined;
}

export type VideoChanges = NonNullable<InputOf<typeof api.videos.update>['body']>;

type Known = Pick<OwnVideo, 'title' | 'description' | 'tags' | 'visibility' | 'publishAt'>;

const isSameMoment = (left: string | null, right: string | null) =>
  left === right || (left !== null && right !== null && Date.parse(left) === Date.parse(right));

/** Only what is new: a field that somebody else changed meanwhile, on another device, is left as they made it. */
export function changesOf(video: Known, values: VideoValues): VideoChanges {
  const title = values.title.trim();
  const description = values.description.replace(/\r\n?/g, '\n').trim();
  const { tags, visibility, coverTimeMs, publishAt } = values;
  return {
    ...(title !== video.title && { title }),
    ...(description !== video.description && { description }),
    ...(tags.join(' ') !== video.tags.join(' ') && { tags: [...tags] }),
    ...(visibility !== video.visibility && { visibility }),
    ...(coverTimeMs !== undefined && { coverTimeMs }),
    ...(publishAt !== undefined && !isSameMoment(publishAt, video.publishAt) && { publishAt }),
  };
}
