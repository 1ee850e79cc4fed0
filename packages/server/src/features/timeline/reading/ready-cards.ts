import type { Hot } from '../../../cache/index.ts';
import { Recent } from '../../../kernel/recent.ts';
import type { Fences } from '../../../ports/fences/port.ts';
import type { Entry } from '../../../ports/timeline-store/port.ts';
import type { CountText, CountTexts } from '../../engagement/index.ts';
import { fenceOf, type VideoPage, type VideoPages } from '../../videos/index.ts';
import { type CardTexts, type OriginalCards, originalBytes } from './cards.ts';

/**
 * A video's own entry that everybody may see who is not kept from its author, with what its card is made of. Whoever keeps
 * one asks `ReadyCards` each time whether it still holds.
 */
export interface ReadyCard {
  readonly entry: Entry;
  readonly page: VideoPage;
  readonly hot: Hot<VideoPage>;
  /** Of the fences, when this one was looked for last. */
  heardTimes: number;
  counts: CountText | undefined;
  cards: OriginalCards | undefined;
}

export interface ReadyCardsDeps {
  readonly pages: VideoPages;
  readonly countTexts: CountTexts;
  readonly cards: CardTexts;
  readonly fences: Pick<Fences, 'hasHeard' | 'heardTimes'>;
}

/** Entries, some four kilobytes each with their texts; twice as many at the most. */
const maxKept = 10_000;

/**
 * Cards that most readers get as they are, found by their entry at once, and asked whether they still hold by looking at
 * what they are made of instead of looking it up. To be asked after `catchUp`.
 *
 * Cost: a look-up for an entry, none for a card that is kept.
 */
export class ReadyCards {
  readonly #deps: ReadyCardsDeps;
  readonly #kept = new Recent<ReadyCard>(maxKept);

  constructor(deps: ReadyCardsDeps) {
    this.#deps = deps;
  }

  /** Undefined when the video is not in this process, or when not everybody may see it. */
  of(entry: Entry, nowMs: number): ReadyCard | undefined {
    const known = this.#kept.get(entry.key);
    if (known && this.isShown(known, nowMs)) return known;
    const { pages, fences } = this.#deps;
    const hot = pages.getIfHot(entry.videoId, nowMs);
    const page = hot?.value;
    if (!hot || !page || !isForAll(page, entry) || fences.hasHeard(fenceOf(entry.videoId))) return undefined;
    const { heardTimes } = fences;
    const made: ReadyCard = { entry, page, hot, heardTimes, counts: undefined, cards: undefined };
    this.#kept.set(entry.key, made);
    return made;
  }

  /** Whether the rules still let everybody see it who is not kept from its author. */
  isShown(card: ReadyCard, nowMs: number): boolean {
    const { pages, fences } = this.#deps;
    if (!pages.isStillHot(card.entry.videoId, card.hot, nowMs)) return false;
    const { heardTimes } = fences;
    if (card.heardTimes === heardTimes) return true;
    if (fences.hasHeard(fenceOf(card.entry.videoId))) return false;
    card.heardTimes = heardTimes;
    return true;
  }

  /** Its text for somebody who is this to the video; undefined when its counts are not in this process. */
  bytesOf(card: ReadyCard, bits: number, nowMs: number): Uint8Array | undefined {
    const { countTexts, cards } = this.#deps;
    let { counts } = card;
    if (counts === undefined || !countTexts.isCurrent(counts, nowMs)) {
      counts = countTexts.getIfHere(card.entry.videoId, nowMs);
      if (!counts) return undefined;
      card.counts = counts;
      card.cards = undefined;
    }
    if (card.cards === undefined || card.cards.shared.untilMs <= nowMs)
      card.cards = cards.originals(card.page, counts, nowMs);
    return originalBytes(card.cards, bits);
  }
}

/** The rule, as far as it is the same for everybody; whoever published it is asked of the graph. */
const isForAll = ({ row, author, suspension }: VideoPage, { key, authorId }: Entry): boolean =>
  row.feedKey === key &&
  author.id === authorId &&
  row.visibility === 'public' &&
  (row.status === 'ready' || row.status === 'playable') &&
  row.takedownReason === null &&
  suspension === null;
