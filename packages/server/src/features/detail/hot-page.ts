import type { Comment } from '@hvideo/protocol';
import type { Cached } from '../../cache/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { MaybePromise } from '../../kernel/maybe-promise.ts';
import type { Fences } from '../../ports/fences/port.ts';
import type { CardState } from '../engagement/index.ts';
import { fenceOf, mayWatch, type Presenter } from '../videos/index.ts';
import { type DetailCaches, type Viewing, viewingId } from './caches.ts';
import { Fragments, type SharedPage } from './fragments.ts';
import { commentStateFor, type PageViewer, relatedVideos } from './views.ts';

export interface HotPageDeps {
  readonly caches: DetailCaches;
  readonly fences: Fences;
  readonly cardState: Pick<CardState, 'countsOf'>;
  readonly presenter: Presenter;
  readonly clock: Clock;
}

type Counts = Awaited<ReturnType<CardState['countsOf']>>;
/** What the viewer is to the video, and whom the viewer does not see. */
type Seen = readonly [viewing: Cached<Viewing>, others: Cached<readonly string[]>];

const nobody: ReadonlySet<string> = new Set();

/** The page of a video that many look at: its JSON from ready texts, as long as all parts are in this process. */
export class HotPage {
  readonly #deps: HotPageDeps;
  readonly #fragments: Fragments;

  constructor(deps: HotPageDeps) {
    this.#deps = deps;
    this.#fragments = new Fragments(deps.presenter);
  }

  /**
   * At once when nothing has to be waited for. Undefined when something shared is not in this process, or is different for
   * this viewer. Errors: `not-found`, and those of the viewer's own parts.
   */
  text(
    viewer: PageViewer,
    videoId: string,
    signalOf: (() => AbortSignal) | undefined,
  ): MaybePromise<string | undefined> {
    const { caches, cardState, clock, fences } = this.#deps;
    const nowMs = clock.monotonicMs();
    const comments = caches.firstComments.getIfHot(videoId, nowMs)?.value;
    const related = comments && caches.related.getIfHot(videoId, nowMs)?.value;
    const page = related && caches.pages.getIfHot(videoId, nowMs)?.value;
    if (!page || page.row.visibility !== 'public') return undefined;
    const shared = { page, comments, related };
    const seen = viewer && this.#seenBy(viewer.accountId, videoId, nowMs, signalOf);
    const isGone = fences.isRaised(fenceOf(videoId));
    const counts = cardState.countsOf(videoId, nowMs);
    if (!(seen instanceof Promise || isGone instanceof Promise || counts instanceof Promise))
      return this.#put(viewer, shared, seen, isGone, counts);
    const known = counts instanceof Promise ? counts.catch(() => undefined) : counts;
    return Promise.all([seen, isGone, known]).then(([seen, isGone, counts]) =>
      this.#put(viewer, shared, seen, isGone, counts),
    );
  }

  #seenBy(
    viewerId: string,
    videoId: string,
    nowMs: number,
    signalOf: (() => AbortSignal) | undefined,
  ): MaybePromise<Seen> {
    const { blocks, viewings } = this.#deps.caches;
    const id = viewingId(viewerId, videoId);
    const viewing = viewings.getIfHot(id, nowMs);
    const others = blocks.getIfHot(viewerId, nowMs);
    if (viewing && others) return [viewing, others];
    const signal = signalOf?.();
    return Promise.all([viewing ?? viewings.get(id, { signal }), others ?? blocks.get(viewerId, { signal })]);
  }

  #put(
    viewer: PageViewer,
    shared: SharedPage,
    seen: Seen | undefined,
    isGone: boolean,
    counts: Counts | undefined,
  ): string | undefined {
    const { page, comments } = shared;
    const [found, others] = seen ?? [];
    if (found?.isStale || others?.isStale || (others && others.value?.length !== 0)) return undefined;
    const viewing = found?.value ?? undefined;
    if (viewer && (!viewing || viewer.accountId === page.author.id)) return undefined;
    if (isGone || !mayWatch(page, viewer?.accountId, viewing, this.#deps.clock.nowMs()))
      throw new AppError('not-found');
    if (counts === undefined) return undefined;
    const stateOf = commentStateFor(viewer, page, viewing);
    const signature =
      viewer && viewing ? this.#fragments.signature(viewing, viewer.role, comments, stateOf) : '';
    return this.#fragments.whole(shared, counts.text, signature, () =>
      this.#whole(shared, counts.text, viewing, stateOf),
    );
  }

  #whole(
    { page, comments, related }: SharedPage,
    counts: string,
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
    const relatedText = this.#fragments.related(related, () =>
      relatedVideos(this.#deps.presenter, related, nobody),
    );
    return `{"video":${video},"counts":${counts},"viewer":${state}},"own":null,"author":${author},"relation":${relation},"comments":${this.#fragments.comments(comments, stateOf)},"related":${relatedText},"degraded":[],"stale":[]}`;
  }
}
