import type { VideoCard } from '@hvideo/protocol';
import { idTimeMs } from '../../../kernel/ids.ts';
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
  /** From the comma before it up to its reason. */
  readonly card: string;
  /** The same with the reason of the video's own entry, up to the counts. */
  readonly original: string;
  readonly untilMs: number;
}

/** The cards of a video's own entry with these counts: one for each thing that a reader can be to it. */
interface ReadyCards {
  readonly shared: SharedText;
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
 * counts that it shows, for as long as these are; a page is such cards, copied one after another.
 */
export class CardTexts {
  readonly #presenter: Presenter;
  readonly #nowMs: () => number;
  readonly #shared = new WeakMap<VideoPage, SharedText>();
  readonly #ready = new WeakMap<CountText, ReadyCards>();

  constructor(presenter: Presenter, nowMs: () => number) {
    this.#presenter = presenter;
    this.#nowMs = nowMs;
  }

  /** `counts`: of each entry shown; `rest` follows the list and closes the object. */
  page(
    readerId: string,
    shown: readonly Shown[],
    counts: readonly (CountText | undefined)[],
    reactions: Reactions,
    rest: string,
  ): Uint8Array<ArrayBuffer> {
    const nowMs = this.#nowMs();
    const parts: Uint8Array[] = [head];
    for (let at = 0; at < shown.length; at++) {
      const card = this.#card(readerId, shown[at]!, counts[at], reactions, nowMs);
      // Each begins with a comma.
      parts.push(at > 0 ? card : card.subarray(1));
    }
    parts.push(encoder.encode(`]${rest}`));
    return Buffer.concat(parts);
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
      return encoder.encode(`,${this.#ownText(readerId, shown, counts, reacted)}`);
    const shared = this.#sharedText(page, nowMs);
    const bits = (shown.following ? 1 : 0) | reacted;
    if (repost)
      return encoder.encode(withReason(shared.card, shown.entry, repost) + counts.text + viewerTexts[bits]);
    let ready = this.#ready.get(counts);
    if (ready?.shared !== shared) {
      ready = { shared, byViewer: [] };
      this.#ready.set(counts, ready);
    }
    const known = ready.byViewer[bits];
    if (known) return known;
    const made = encoder.encode(shared.original + counts.text + viewerTexts[bits]);
    ready.byViewer[bits] = made;
    return made;
  }

  #sharedText(page: VideoPage, nowMs: number): SharedText {
    const known = this.#shared.get(page);
    if (known && known.untilMs > nowMs) return known;
    const subject = { author: page.author, counts: undefined, state: undefined };
    const whole = this.#presenter.card(page.row, subject, { viewerId: undefined, reason: 'following' });
    const { counts: _counts, viewer: _viewer, reason: _reason, ...shared } = whole;
    const card = `,${JSON.stringify(shared).slice(0, -1)}`;
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
