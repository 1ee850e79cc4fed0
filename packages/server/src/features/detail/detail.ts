import type { Comment, Page, VideoDetail } from '@hvideo/protocol';
import type { Cache, Cached, Existence } from '../../cache/index.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { MaybePromise } from '../../kernel/maybe-promise.ts';
import { Occasionally } from '../../kernel/occasionally.ts';
import { graphOf } from '../graph/index.ts';
import { type CardSubject, fenceOf, mayWatch, VISIBILITY_CHANGES, type VideoPage } from '../videos/index.ts';
import { type CommentsPage, type Viewing, viewingId } from './caches.ts';
import { HotPage, type HotPageDeps } from './hot-page.ts';
import { Parts } from './parts.ts';
import { commentStateFor, type PageViewer, relatedVideos } from './views.ts';

export interface DetailDeps extends HotPageDeps {
  /** Which videos surely do not exist. */
  readonly exists?: Existence | undefined;
  readonly cache: Pick<Cache, 'position' | 'hasChanged'>;
  readonly log: Logger;
}

const criticalMs = 3_000;
const optionalMs = 500;
const noOne: readonly string[] = [];

/**
 * The page of a video: everything that it shows, in one answer.
 *
 * Guarantees: whoever a block, a follow or the visibility of a video keeps out does not see it any more from the request on
 * that begins after the change was answered, on every node.
 * Cost, when the caches are warm: no statement; one look at the fences, four or five at the caches, one at the counters.
 */
export class Detail {
  readonly #deps: DetailDeps;
  readonly #hot: HotPage;
  readonly #failures: Occasionally;

  constructor(deps: DetailDeps) {
    this.#deps = deps;
    this.#hot = new HotPage(deps);
    this.#failures = new Occasionally(deps.clock);
  }

  /** `page` as JSON. For a hot video it is put together from ready texts, at once if nothing has to be waited for. */
  text(viewer: PageViewer, videoId: string, signalOf?: () => AbortSignal): MaybePromise<string> {
    const since = this.#deps.cache.position;
    const hot = this.#hot.text(viewer, videoId, signalOf);
    if (typeof hot === 'string') return hot;
    const cold = async () => JSON.stringify(await this.#page(viewer, videoId, signalOf?.()));
    return this.#asHeard(viewer, since, hot ? hot.then((text) => text ?? cold()) : cold(), cold);
  }

  /**
   * Critical: the video, its author, what the viewer is to them. Optional: counts, comments, related.
   * Errors: `not-found` for what the viewer may not see, `timeout`.
   */
  page(viewer: PageViewer, videoId: string, signal?: AbortSignal): Promise<VideoDetail> {
    const since = this.#deps.cache.position;
    const read = () => this.#page(viewer, videoId, signal);
    return this.#asHeard(viewer, since, read(), read);
  }

  /**
   * What this process knows is read while the fences are asked for, which is when it hears of what has changed. If that
   * concerns this viewer or any visibility, once more: now that it has heard, it finds nothing older.
   */
  #asHeard<T>(viewer: PageViewer, since: number, first: Promise<T>, again: () => Promise<T>): Promise<T> {
    const rows = viewer ? [VISIBILITY_CHANGES, graphOf(viewer.accountId)] : [VISIBILITY_CHANGES];
    const isOutdated = () => this.#deps.cache.hasChanged(rows, since);
    return first.then(
      (made) => (isOutdated() ? again() : made),
      (error: unknown) => {
        if (error instanceof AppError && error.code === 'not-found' && isOutdated()) return again();
        throw error;
      },
    );
  }

  async #page(viewer: PageViewer, videoId: string, signal: AbortSignal | undefined): Promise<VideoDetail> {
    const { caches, cardState, clock, exists, fences, log } = this.#deps;
    // Before anything else is asked for: an invented id costs nothing.
    if (exists?.isSurelyAbsent(videoId)) throw new AppError('not-found');
    using parts = new Parts(clock, signal, (part, error) =>
      this.#failures.say(part, (times) =>
        log.warn({ err: error, part, videoId, times }, 'a part of a page is missing'),
      ),
    );
    const viewerId = viewer?.accountId;
    const [, page, viewing, others, counts, comments, related] = await Promise.all([
      parts.critical(criticalMs, async (signal) => {
        if (await fences.isRaised(fenceOf(videoId), { signal })) throw new AppError('not-found');
      }),
      parts.critical(criticalMs, async (signal) => present(await caches.pages.get(videoId, { signal }))),
      viewerId === undefined
        ? undefined
        : parts.critical(criticalMs, async (signal) =>
            present(await caches.viewings.get(viewingId(viewerId, videoId), { signal })),
          ),
      viewerId === undefined
        ? undefined
        : parts.critical(criticalMs, (signal) => caches.blocks.get(viewerId, { signal })),
      parts.optional('counts', optionalMs, async () => cardState.countsOf(videoId)),
      parts.optional('comments', optionalMs, (signal) => caches.firstComments.get(videoId, { signal })),
      parts.optional('related', optionalMs, (signal) => caches.related.get(videoId, { signal })),
    ]);
    if (!mayWatch(page.value, viewerId, viewing?.value, clock.nowMs())) throw new AppError('not-found');
    const hidden = new Set(others?.value ?? noOne);
    return {
      ...this.#video(page.value, viewerId, viewing?.value, counts?.counts),
      comments: commentsFor(viewer, page.value, comments?.value, viewing?.value, hidden),
      related: related?.value ? relatedVideos(this.#deps.presenter, related.value, hidden) : null,
      degraded: parts.degraded as VideoDetail['degraded'],
      stale: staleParts({
        video: [page],
        viewer: [viewing, others],
        comments: [comments],
        related: [related],
      }),
    };
  }

  #video(
    { row, author }: VideoPage,
    viewerId: string | undefined,
    viewing: Viewing | undefined,
    counts: CardSubject['counts'],
  ): Pick<VideoDetail, 'video' | 'own' | 'author' | 'relation'> {
    const { presenter } = this.#deps;
    const isOwn = viewerId === author.id;
    const relation = viewing
      ? {
          self: isOwn,
          following: viewing.following,
          followedBy: viewing.followedBy,
          muted: viewing.muted,
          blocked: viewing.blocked,
        }
      : undefined;
    const state = viewing && {
      liked: viewing.liked,
      favorited: viewing.favorited,
      reposted: viewing.reposted,
    };
    const subject: CardSubject = { author, relation, counts, state };
    return {
      video: presenter.card(row, subject, { viewerId, reason: 'author' }),
      own: isOwn ? presenter.own(row, subject) : null,
      author,
      relation: relation ?? null,
    };
  }
}

/** Errors: `not-found`. */
function present<V>({ value, isStale }: Cached<V>): { value: V; isStale: boolean } {
  if (value === null) throw new AppError('not-found');
  return { value, isStale };
}

/** The shared comments as this viewer sees them. */
function commentsFor(
  viewer: PageViewer,
  video: VideoPage,
  page: CommentsPage | null | undefined,
  viewing: Viewing | undefined,
  hidden: ReadonlySet<string>,
): Page<Comment> | null {
  if (!page) return null;
  const stateOf = commentStateFor(viewer, video, viewing);
  const items = page.items
    .filter(({ author }) => !hidden.has(author.id))
    .map((comment) => ({ ...comment, viewer: stateOf(comment) }));
  return { items, nextCursor: page.nextCursor };
}

function staleParts(
  parts: Record<VideoDetail['stale'][number], readonly ({ isStale: boolean } | undefined)[]>,
): VideoDetail['stale'] {
  const stale: VideoDetail['stale'] = [];
  for (const part of ['video', 'viewer', 'comments', 'related'] as const)
    if (parts[part].some((each) => each?.isStale)) stale.push(part);
  return stale;
}
