import type { VideoCard } from '@hvideo/protocol';
import { idTimeMs } from '../../../kernel/ids.ts';
import type { JsonList } from '../../../kernel/json-list.ts';
import type { Entry } from '../../../ports/timeline-store/port.ts';
import type { CountText } from '../../engagement/index.ts';
import type { CardSubject, Presenter, VideoPage } from '../../videos/index.ts';
import type { Repost } from './reposts.ts';

/** An entry that the reader may see, with what its card is made of. */
export interface Shown {
  readonly entry: Entry;
  readonly page: VideoPage;
  /** The reader follows who made the video. */
  readonly following: boolean;
  readonly repost: Repost | undefined;
}

/** What all readers share of a card. */
interface SharedText {
  /** Up to its reason. */
  readonly card: string;
  /** The same with the reason of the video's own entry, up to the counts. */
  readonly original: string;
  /** Monotonic. */
  readonly untilMs: number;
}

/** The cards of a video's own entry with these counts: one for each thing that a reader can be to it. */
export interface OriginalCards {
  readonly shared: SharedText;
  readonly counts: CountText;
  readonly byViewer: (Uint8Array | undefined)[];
}

/** Links in ready texts hold for hours; a text is made anew long before. */
const textMs = 10 * 60_000;
const encoder = new TextEncoder();
const head = encoder.encode('{"items":[');

/** What a reader is to a video of somebody else ends each card: one of sixteen texts. */
const viewerTexts = Array.from({ length: 16 }, (_, bits) => {
  const has = (bit: number) => (bits & bit) !== 0;
  const viewer = {
    ...{ own: false, following: has(1), liked: has(2), favorited: has(4), reposted: has(8) },
  } satisfies VideoCard['viewer'];
  return `,"viewer":${JSON.stringify(viewer)}}`;
});

/**
 * Pages of cards as encoded JSON. A card is encoded once for all readers to whom the video is the same, and kept beside the
 * counts that it shows, for as long as these are; a page is such cards, one after another.
 */
export class CardTexts {
  readonly #presenter: Presenter;
  readonly #shared = new WeakMap<VideoPage, SharedText>();
  readonly #originals = new WeakMap<CountText, OriginalCards>();

  constructor(presenter: Presenter) {
    this.#presenter = presenter;
  }

  /** `counts`: of each entry shown; `rest` follows the list and closes the object. */
  page(
    readerId: string,
    shown: readonly Shown[],
    counts: readonly (CountText | undefined)[],
    reactions: Reactions,
    rest: string,
    nowMs: number,
  ): JsonList {
    const items = shown.map((each, at) => this.#card(readerId, each, counts[at], reactions, nowMs));
    return pageOf(items, encoder.encode(`]${rest}`));
  }

  /** Of a video that everybody may see, as its author published it. */
  originals(page: VideoPage, counts: CountText, nowMs: number): OriginalCards {
    const shared = this.#sharedText(page, nowMs);
    const known = this.#originals.get(counts);
    if (known?.shared === shared) return known;
    const made = { shared, counts, byViewer: [] };
    this.#originals.set(counts, made);
    return made;
  }

  #card(
    readerId: string,
    shown: Shown,
    counts: CountText | undefined,
    reactions: Reactions,
    nowMs: number,
  ): Uint8Array {
    const { page, repost } = shown;
    const { row, author } = page;
    const reacted = reactions(row.id);
    if (row.visibility !== 'public' || author.id === readerId || !counts)
      return encoder.encode(this.#ownText(readerId, shown, counts, reacted));
    const bits = (shown.following ? FOLLOWING : 0) | reacted;
    if (!repost) return originalBytes(this.originals(page, counts, nowMs), bits);
    const { card } = this.#sharedText(page, nowMs);
    return encoder.encode(withReason(card, shown.entry, repost) + counts.text + viewerTexts[bits]);
  }

  #sharedText(page: VideoPage, nowMs: number): SharedText {
    const known = this.#shared.get(page);
    if (known && known.untilMs > nowMs) return known;
    const subject = { author: page.author, counts: undefined, state: undefined };
    const whole = this.#presenter.card(page.row, subject, { viewerId: undefined, reason: 'following' });
    const { counts: _counts, viewer: _viewer, reason: _reason, ...shared } = whole;
    const card = JSON.stringify(shared).slice(0, -1);
    const entry = { key: page.row.feedKey ?? '', authorId: page.author.id, videoId: page.row.id };
    const original = withReason(card, entry, undefined);
    const made = { card, original, untilMs: nowMs + textMs };
    this.#shared.set(page, made);
    return made;
  }

  /** A card whose links are for this reader alone. */
  #ownText(
    readerId: string,
    { page, entry, following, repost }: Shown,
    counts: CountText | undefined,
    bits: number,
  ): string {
    const relation = { self: false, following, followedBy: false, muted: false, blocked: false };
    const state = { liked: (bits & 2) !== 0, favorited: (bits & 4) !== 0, reposted: (bits & 8) !== 0 };
    const subject: CardSubject = { author: page.author, relation, counts: counts?.counts, state };
    const card = this.#presenter.card(page.row, subject, { viewerId: readerId, reason: 'following' });
    return JSON.stringify({ ...card, reason: reasonOf(entry, repost) });
  }
}

/** `after` follows the list and closes the object. */
export const pageOf = (items: readonly Uint8Array[], after: Uint8Array): JsonList => ({
  before: head,
  items,
  after,
});

/** `bits`: what the reader is to the video. */
export function originalBytes({ shared, counts, byViewer }: OriginalCards, bits: number): Uint8Array {
  const known = byViewer[bits];
  if (known) return known;
  const made = encoder.encode(shared.original + counts.text + viewerTexts[bits]);
  byViewer[bits] = made;
  return made;
}

/** Added to reactions where the reader follows who made the video. */
export const FOLLOWING = 1;

/** Of a video: 2 liked, 4 kept, 8 reposted, added up. */
export type Reactions = (videoId: string) => number;

export const reactionBits = ({
  liked,
  favorited,
  reposted,
}: Pick<VideoCard['viewer'], 'liked' | 'favorited' | 'reposted'>): number =>
  (liked ? 2 : 0) | (favorited ? 4 : 0) | (reposted ? 8 : 0);

const withReason = (card: string, entry: Entry, repost: Repost | undefined): string =>
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
