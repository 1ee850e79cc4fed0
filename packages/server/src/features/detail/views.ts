import type { Comment, RelatedVideo } from '@hvideo/protocol';
import { idTimeMs } from '../../kernel/ids.ts';
import type { Viewer } from '../accounts/index.ts';
import { isModerator } from '../engagement/index.ts';
import type { Presenter, VideoPage } from '../videos/index.ts';
import type { Viewing } from './caches.ts';

export type PageViewer = Pick<Viewer, 'accountId' | 'role'> | undefined;

/** What a viewer is to each of the comments. */
export function commentStateFor(
  viewer: PageViewer,
  { row }: VideoPage,
  viewing: Viewing | undefined,
): (comment: Comment) => Comment['viewer'] {
  const isCreator = viewer?.accountId === row.authorId;
  const mayDeleteAll = isCreator || isModerator(viewer);
  return ({ id, author }) => {
    const own = author.id === viewer?.accountId;
    const liked = viewing?.likedComments.includes(id) ?? false;
    return { own, liked, mayDelete: own || mayDeleteAll, mayPin: isCreator };
  };
}

export function relatedVideos(
  presenter: Presenter,
  found: readonly VideoPage[],
  hidden: ReadonlySet<string>,
): RelatedVideo[] {
  return found
    .filter(({ author }) => !hidden.has(author.id))
    .map(({ row, author }) => ({
      id: row.id,
      title: row.title,
      author,
      coverUrl: presenter.coverUrl(row),
      durationMs: row.durationMs,
      publishedAt: row.feedKey === null ? null : new Date(idTimeMs(row.feedKey)).toISOString(),
    }));
}
