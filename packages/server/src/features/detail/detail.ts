import type { Comment, Page, RelatedVideo, VideoDetail } from '@hvideo/protocol';
import type { Cached, Existence } from '../../cache/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { idTimeMs } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/log.ts';
import { Occasionally } from '../../kernel/occasionally.ts';
import type { Fences } from '../../ports/fences/port.ts';
import type { Viewer } from '../accounts/index.ts';
import { type CardState, isModerator } from '../engagement/index.ts';
import { type CardSubject, fenceOf, mayWatch, type Presenter, type VideoPage } from '../videos/index.ts';
import type { CommentsPage, DetailCaches, Viewing } from './caches.ts';
import { viewingId } from './caches.ts';
import { Fragments, type SharedParts } from './fragments.ts';
import { Parts } from './parts.ts';

export interface DetailDeps {
  readonly caches: DetailCaches;
  readonly fences: Fences;
  /** Which videos surely do not exist. */
  readonly exists?: Existence | undefined;
  readonly cardState: Pick<CardState, 'countsOf'>;
  readonly presenter: Presenter;
  readonly clock: Clock;
  readonly log: Logger;
}

type PageViewer = Pick<Viewer, 'accountId' | 'role'> | undefined;

const criticalMs = 3_000;
const optionalMs = 500;
const noOne: readonly string[] = [];
const nobody: ReadonlySet<string> = new Set();

/**
 * The page of a video: everything that it shows, in one answer.
 *
 * Cost, when the caches are warm: no statement; one look at the fences, four or five at the caches, one at the counters.
 */
export class Detail {
  readonly #deps: DetailDeps;
  readonly #fragments: Fragments;
  readonly #failures: Occasionally;

  constructor(deps: DetailDeps) {
    this.#deps = deps;
    this.#fragments = new Fragments(deps.presenter);
    this.#failures = new Occasionally(deps.clock);
  }

  /** `page` as JSON. For a hot video it is put together from ready texts. */
  async text(viewer: PageViewer, videoId: string, signalOf?: () => AbortSignal): Promise<string> {
    const hot = await this.#hotText(viewer, videoId, signalOf);
    return hot ?? JSON.stringify(await this.page(viewer, videoId, signalOf?.()));
  }

  /**
   * Critical: the video, its author, what the viewer is to them. Optional: counts, comments, related.
   * Errors: `not-found` for what the viewer may not see, `timeout`.
   */
  async page(viewer: PageViewer, videoId: string, signal?: AbortSignal): Promise<VideoDetail> {
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
      parts.optional('counts', optionalMs, () => cardState.countsOf(videoId)),
      parts.optional('comments', optionalMs, (signal) => caches.firstComments.get(videoId, { signal })),
      parts.optional('related', optionalMs, (signal) => caches.related.get(videoId, { signal })),
    ]);
    if (!mayWatch(page.value, viewerId, viewing?.value, clock.nowMs())) throw new AppError('not-found');
    const hidden = new Set(others?.value ?? noOne);
    return {
      ...this.#video(page.value, viewerId, viewing?.value, counts?.counts),
      comments: commentsFor(viewer, page.value, comments?.value, viewing?.value, hidden),
      related: this.#related(related?.value, hidden),
      degraded: parts.degraded as VideoDetail['degraded'],
      stale: staleParts({
        video: [page],
        viewer: [viewing, others],
        comments: [comments],
        related: [related],
      }),
    };
  }

  /** Undefined when something shared is not in this process, or is different for this viewer. */
  async #hotText(
    viewer: PageViewer,
    videoId: string,
    signalOf: (() => AbortSignal) | undefined,
  ): Promise<string | undefined> {
    const { caches, cardState, clock, fences } = this.#deps;
    const page = caches.pages.getIfHot(videoId)?.value;
    const comments = caches.firstComments.getIfHot(videoId)?.value;
    const related = caches.related.getIfHot(videoId)?.value;
    if (!page || !comments || !related || page.row.visibility !== 'public') return undefined;
    let viewing: Viewing | undefined;
    if (viewer) {
      const id = viewingId(viewer.accountId, videoId);
      const found = caches.viewings.getIfHot(id) ?? (await caches.viewings.get(id, { signal: signalOf?.() }));
      const others =
        caches.blocks.getIfHot(viewer.accountId) ??
        (await caches.blocks.get(viewer.accountId, { signal: signalOf?.() }));
      if (found.isStale || others.isStale || others.value?.length !== 0) return undefined;
      viewing = found.value ?? undefined;
      if (!viewing || viewer.accountId === page.author.id) return undefined;
    }
    const [isGone, counts] = await Promise.all([
      fences.isRaised(fenceOf(videoId)),
      cardState.countsOf(videoId).catch(() => undefined),
    ]);
    if (isGone || !mayWatch(page, viewer?.accountId, viewing, clock.nowMs())) throw new AppError('not-found');
    if (counts === undefined) return undefined;
    const stateOf = commentStateFor(viewer, page, viewing);
    const signature =
      viewer && viewing ? this.#fragments.signature(viewing, viewer.role, comments, stateOf) : '';
    return this.#fragments.whole(page, { comments, related, counts: counts.text }, signature, () =>
      this.#wholeText({ page, comments, related, counts: counts.text }, viewing, stateOf),
    );
  }

  #wholeText(
    { page, comments, related, counts }: SharedParts & { page: VideoPage },
    viewing: Viewing | undefined,
    stateOf: (comment: Comment) => Comment['viewer'],
  ): string {
    const { video, author } = this.#fragments.page(page);
    const { following = false, followedBy = false, muted = false, blocked = false } = viewing ?? {};
    const { liked = false, favorited = false, reposted = false } = viewing ?? {};
    const state = JSON.stringify({ own: false, following, liked, favorited, reposted });
    const relation = viewing
      ? JSON.stringify({ self: false, following, followedBy, muted, blocked })
      : 'null';
    const relatedText = this.#fragments.related(related, () => this.#related(related, nobody));
    return `{"video":${video},"counts":${counts},"viewer":${state}},"own":null,"author":${author},"relation":${relation},"comments":${this.#fragments.comments(comments, stateOf)},"related":${relatedText},"degraded":[],"stale":[]}`;
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

  #related(
    found: readonly VideoPage[] | null | undefined,
    hidden: ReadonlySet<string>,
  ): RelatedVideo[] | null {
    if (!found) return null;
    const { presenter } = this.#deps;
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

function commentStateFor(
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

function staleParts(
  parts: Record<VideoDetail['stale'][number], readonly ({ isStale: boolean } | undefined)[]>,
): VideoDetail['stale'] {
  const stale: VideoDetail['stale'] = [];
  for (const part of ['video', 'viewer', 'comments', 'related'] as const)
    if (parts[part].some((each) => each?.isStale)) stale.push(part);
  return stale;
}
