import type { VideoCard } from '@hvideo/protocol';
import { idTimeMs } from '../../../kernel/ids.ts';
import type { Entry } from '../../../ports/timeline-store/port.ts';
import type { CountText } from '../../engagement/index.ts';
import type { CardSubject, Presenter, VideoPage } from '../../videos/index.ts';
import type { ReaderGraph } from './graphs.ts';
import type { Repost } from './reposts.ts';

/** An entry that the reader may see, with what its card is made of. */
export interface Shown {
  readonly entry: Entry;
  readonly page: VideoPage;
  readonly repost: Repost | undefined;
}

interface SharedText {
  /** A card up to its reason, which a comma would follow. */
  readonly card: string;
  /** The same with the reason of the video's own entry, up to the counts. */
  readonly original: string;
  readonly untilMs: number;
}

/** Links in ready texts hold for hours; a text is made anew long before. */
const textMs = 10 * 60_000;

/** What a reader is to a video of somebody else ends each card: one of sixteen texts. */
const viewerTexts = Array.from({ length: 16 }, (_, bits) => {
  const has = (bit: number) => (bits & bit) !== 0;
  const viewer = {
    ...{ own: false, following: has(1), liked: has(2), favorited: has(4), reposted: has(8) },
  } satisfies VideoCard['viewer'];
  return `,"viewer":${JSON.stringify(viewer)}}`;
});

/**
 * The cards of a page as JSON. What all readers share of a card is a ready text, beside the cached video that it is made of;
 * a page is these texts, one after another.
 */
export class CardTexts {
  readonly #presenter: Presenter;
  readonly #nowMs: () => number;
  readonly #shared = new WeakMap<VideoPage, SharedText>();

  constructor(presenter: Presenter, nowMs: () => number) {
    this.#presenter = presenter;
    this.#nowMs = nowMs;
  }

  /** Separated by commas. `counts`: of each entry shown. */
  join(
    readerId: string,
    graph: ReaderGraph,
    shown: readonly Shown[],
    counts: readonly (CountText | undefined)[],
    reactions: Reactions,
  ): string {
    const nowMs = this.#nowMs();
    let text = '';
    for (let at = 0; at < shown.length; at++) {
      if (at > 0) text += ',';
      const each = shown[at]!;
      const { row, author } = each.page;
      const counted = counts[at];
      if (row.visibility !== 'public' || author.id === readerId || !counted) {
        text += this.#ownText(readerId, graph, each, counted, reactions(row.id));
        continue;
      }
      const shared = this.#sharedText(each.page, nowMs);
      const bits = (graph.modes.has(author.id) ? 1 : 0) | reactions(row.id);
      text += each.repost ? withReason(shared.card, each) : shared.original;
      text += counted.text + viewerTexts[bits];
    }
    return text;
  }

  #sharedText(page: VideoPage, nowMs: number): SharedText {
    const known = this.#shared.get(page);
    if (known && known.untilMs > nowMs) return known;
    const subject = { author: page.author, counts: undefined, state: undefined };
    const whole = this.#presenter.card(page.row, subject, { viewerId: undefined, reason: 'following' });
    const { counts: _counts, viewer: _viewer, reason: _reason, ...shared } = whole;
    const card = JSON.stringify(shared).slice(0, -1);
    const entry = { key: page.row.feedKey ?? '', authorId: page.author.id, videoId: page.row.id };
    const original = withReason(card, { entry, page, repost: undefined });
    const made = { card, original, untilMs: nowMs + textMs };
    this.#shared.set(page, made);
    return made;
  }

  /** A card whose links are for this reader alone. */
  #ownText(
    readerId: string,
    graph: ReaderGraph,
    { page, entry, repost }: Shown,
    counts: CountText | undefined,
    bits: number,
  ): string {
    const following = graph.modes.has(page.author.id);
    const relation = { self: false, following, followedBy: false, muted: false, blocked: false };
    const state = { liked: (bits & 2) !== 0, favorited: (bits & 4) !== 0, reposted: (bits & 8) !== 0 };
    const subject: CardSubject = { author: page.author, relation, counts: counts?.counts, state };
    const card = this.#presenter.card(page.row, subject, { viewerId: readerId, reason: 'following' });
    return JSON.stringify({ ...card, reason: reasonOf(entry, repost) });
  }
}

/** Of a video: 2 liked, 4 kept, 8 reposted, added up. */
export type Reactions = (videoId: string) => number;

export const reactionBits = ({
  liked,
  favorited,
  reposted,
}: Pick<VideoCard['viewer'], 'liked' | 'favorited' | 'reposted'>): number =>
  (liked ? 2 : 0) | (favorited ? 4 : 0) | (reposted ? 8 : 0);

const withReason = (card: string, { entry, repost }: Shown): string =>
  `${card},"reason":${JSON.stringify(reasonOf(entry, repost))},"counts":`;

function reasonOf({ key }: Entry, repost: Repost | undefined): VideoCard['reason'] {
  if (!repost) return { kind: 'following', entryId: key };
  const { by, comment } = repost;
  return {
    kind: 'repost',
    entryId: key,
    repost: { by, comment, at: new Date(idTimeMs(key)).toISOString() },
  };
}
