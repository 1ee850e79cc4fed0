import type { Comment, VideoDetail } from '@hvideo/protocol';
import type { Presenter } from '../videos/index.ts';
import type { CommentsPage, VideoPage } from './caches.ts';

/** Parts of the JSON text that all viewers share. */
interface PageFragments {
  /** An object without its closing brace: counts and the viewer's state follow. */
  readonly video: string;
  readonly author: string;
}

/**
 * JSON texts of what many answers share, kept beside the cached values that they are made of: they live exactly as long.
 * A value of the first level lives for seconds, so that links in the texts are never old.
 */
export class Fragments {
  readonly #presenter: Presenter;
  readonly #pages = new WeakMap<VideoPage, PageFragments>();
  readonly #comments = new WeakMap<CommentsPage, string[]>();
  readonly #related = new WeakMap<readonly VideoPage[], string>();

  constructor(presenter: Presenter) {
    this.#presenter = presenter;
  }

  page(page: VideoPage): PageFragments {
    const known = this.#pages.get(page);
    if (known) return known;
    const subject = { author: page.author, counts: undefined, state: undefined };
    const card = this.#presenter.card(page.row, subject, { viewerId: undefined, reason: 'author' });
    const { counts: _counts, viewer: _viewer, ...shared } = card;
    const made = { video: JSON.stringify(shared).slice(0, -1), author: JSON.stringify(page.author) };
    this.#pages.set(page, made);
    return made;
  }

  /** `stateOf`: what the viewer is to a comment, which is all that differs. */
  comments(page: CommentsPage, stateOf: (comment: Comment) => Comment['viewer']): string {
    const texts = this.#comments.get(page) ?? page.items.map(withoutViewer);
    this.#comments.set(page, texts);
    const items = page.items.map((comment, at) => `${texts[at]},"viewer":${stateText(stateOf(comment))}}`);
    return `{"items":[${items.join(',')}],"nextCursor":${JSON.stringify(page.nextCursor)}}`;
  }

  related(found: readonly VideoPage[], show: () => VideoDetail['related']): string {
    const known = this.#related.get(found);
    if (known !== undefined) return known;
    const made = JSON.stringify(show());
    this.#related.set(found, made);
    return made;
  }
}

/** An object without its closing brace. */
function withoutViewer({ viewer: _viewer, ...comment }: Comment): string {
  return JSON.stringify(comment).slice(0, -1);
}

function stateText({ own, liked, mayDelete, mayPin }: Comment['viewer']): string {
  return `{"own":${own},"liked":${liked},"mayDelete":${mayDelete},"mayPin":${mayPin}}`;
}
