import type { Comment, VideoDetail } from '@hvideo/protocol';
import type { Presenter, VideoPage } from '../videos/index.ts';
import type { CommentsPage, Viewing } from './caches.ts';

/** Parts of the JSON text that all viewers share. */
interface PageFragments {
  /** An object without its closing brace: counts and the viewer's state follow. */
  readonly video: string;
  readonly author: string;
}

interface CommentTexts {
  /** Of each comment, an object without its closing brace. */
  readonly texts: readonly string[];
  /** The whole, by what the viewer is to each: most viewers are nobody to all of them. */
  readonly bySignature: Map<string, string>;
}

/** What a whole text is made of, apart from counts and viewer. */
export interface SharedPage {
  readonly page: VideoPage;
  readonly comments: CommentsPage;
  readonly related: readonly VideoPage[];
}

interface WholeTexts {
  readonly shared: SharedPage;
  readonly counts: string;
  readonly bySignature: Map<string, string>;
}

const maxSignatures = 64;

/**
 * JSON texts of what many answers share, kept beside the cached values that they are made of: they live exactly as long.
 * A value of the first level lives for seconds, so that links in the texts are never old.
 */
export class Fragments {
  readonly #presenter: Presenter;
  readonly #pages = new WeakMap<VideoPage, PageFragments>();
  readonly #comments = new WeakMap<CommentsPage, CommentTexts>();
  readonly #related = new WeakMap<readonly VideoPage[], string>();
  readonly #signatures = new WeakMap<Viewing, { comments: CommentsPage; role: string; signature: string }>();
  readonly #wholes = new WeakMap<VideoPage, WholeTexts>();

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

  /** Tells viewers apart who see different texts. `viewing` belongs to one viewer. */
  signature(
    viewing: Viewing,
    role: string,
    comments: CommentsPage,
    stateOf: (comment: Comment) => Comment['viewer'],
  ): string {
    const known = this.#signatures.get(viewing);
    if (known?.comments === comments && known.role === role) return known.signature;
    const { following, followedBy, muted, blocked, liked, favorited, reposted } = viewing;
    const states = comments.items.map((comment) => bitsOf(stateOf(comment)));
    const signature = [following, followedBy, muted, blocked, liked, favorited, reposted, ...states].join();
    this.#signatures.set(viewing, { comments, role, signature });
    return signature;
  }

  /** The text that all viewers of this signature see, as long as nothing that they share has changed. */
  whole(shared: SharedPage, counts: string, signature: string, make: () => string): string {
    let known = this.#wholes.get(shared.page);
    if (
      known?.counts !== counts ||
      known.shared.comments !== shared.comments ||
      known.shared.related !== shared.related
    ) {
      known = { shared, counts, bySignature: new Map() };
      this.#wholes.set(shared.page, known);
    }
    const ready = known.bySignature.get(signature);
    if (ready !== undefined) return ready;
    const made = make();
    if (known.bySignature.size < maxSignatures) known.bySignature.set(signature, made);
    return made;
  }

  /** `stateOf`: what the viewer is to a comment, which is all that differs. */
  comments(page: CommentsPage, stateOf: (comment: Comment) => Comment['viewer']): string {
    const known = this.#comments.get(page) ?? {
      texts: page.items.map(withoutViewer),
      bySignature: new Map(),
    };
    this.#comments.set(page, known);
    const states = page.items.map((comment) => bitsOf(stateOf(comment)));
    const signature = String.fromCharCode(...states);
    const ready = known.bySignature.get(signature);
    if (ready !== undefined) return ready;
    const items = known.texts.map((text, at) => `${text},"viewer":${stateText(states[at] ?? 0)}}`);
    const made = `{"items":[${items.join(',')}],"nextCursor":${JSON.stringify(page.nextCursor)}}`;
    if (known.bySignature.size < maxSignatures) known.bySignature.set(signature, made);
    return made;
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

const bitsOf = ({ own, liked, mayDelete, mayPin }: Comment['viewer']): number =>
  Number(own) | (Number(liked) << 1) | (Number(mayDelete) << 2) | (Number(mayPin) << 3);

function stateText(bits: number): string {
  const [own, liked, mayDelete, mayPin] = [1, 2, 4, 8].map((bit) => (bits & bit) !== 0);
  return `{"own":${own},"liked":${liked},"mayDelete":${mayDelete},"mayPin":${mayPin}}`;
}
