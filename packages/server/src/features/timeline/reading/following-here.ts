import type { FeedPosition } from '@hvideo/protocol';
import type { CachedReader } from '../../../cache/index.ts';
import type { Clock } from '../../../kernel/clock.ts';
import type { JsonList } from '../../../kernel/json-list.ts';
import type { MaybePromise } from '../../../kernel/maybe-promise.ts';
import type { CountText, CountTexts } from '../../engagement/index.ts';
import type { FollowingRequest } from '../range.ts';
import { type CardTexts, FOLLOWING, pageOf, type Reactions, type Shown } from './cards.ts';
import type { KeyRange } from './exact.ts';
import type { ReaderGraphs } from './graphs.ts';
import { type InboxView, mayShow } from './inbox-views.ts';
import { beforeAllIds, isTop, type PageEnds } from './page-ends.ts';
import type { OwnReactions } from './reactions.ts';
import type { ReadyCards } from './ready-cards.ts';
import type { Rules } from './rules.ts';
import { type Batch, Merge, nextBatch } from './sources.ts';
import { type InboxTop, mergeOf, type ReaderHere, type WalkDeps, walkHere } from './walk.ts';

export interface FollowingHereDeps {
  readonly clock: Clock;
  readonly graphs: ReaderGraphs;
  readonly rules: Rules;
  readonly cards: CardTexts;
  readonly ready: ReadyCards;
  readonly countTexts: CountTexts;
  readonly reactions: CachedReader<OwnReactions>;
  readonly position: (readerId: string) => MaybePromise<FeedPosition | null>;
  readonly ends: PageEnds;
  readonly walk: WalkDeps;
}

/** So often more is taken from what is at hand, before it is done in turns of the event loop. */
const maxRoundsHere = 3;
const encoder = new TextEncoder();
const noReactions: Reactions = () => 0;

/**
 * Pages of which all is in this process: at once, in the turn in which they are asked for. To be asked after `catchUp`, when
 * nothing has to be waited for.
 */
export class FollowingHere {
  readonly #deps: FollowingHereDeps;

  constructor(deps: FollowingHereDeps) {
    this.#deps = deps;
  }

  /** Undefined when some of it is not in this process, or is not known at once. */
  page(readerId: string, request: FollowingRequest, range: KeyRange): JsonList | undefined {
    const { clock, graphs } = this.#deps;
    // Looked at once: on some machines a look at the clock costs as much as a card.
    const nowMs = clock.monotonicMs();
    const graph = graphs.getIfHere(readerId, nowMs);
    return graph && this.pageOf({ readerId, graph, nowMs }, request, range);
  }

  pageOf(reader: ReaderHere, request: FollowingRequest, range: KeyRange): JsonList | undefined {
    const walked = walkHere(this.#deps.walk, reader, range.before);
    if (!walked || walked instanceof Merge) return walked && this.#mergedHere(reader, request, range, walked);
    return (
      this.#topHere(reader, request, walked) ??
      this.#mergedHere(reader, request, range, mergeOf(this.#deps.walk, reader, walked))
    );
  }

  /** The newest of the inbox, from cards that are ready: nearly every first page. */
  #topHere(
    { readerId, graph, nowMs }: ReaderHere,
    request: FollowingRequest,
    { view, isWhole }: InboxTop,
  ): JsonList | undefined {
    const { ready } = this.#deps;
    const { limit } = request;
    if (!isTop(request) || graph.blocked.size > 0) return undefined;
    const { entries, cards } = view;
    if (entries.length <= limit && !isWhole) return undefined;
    const bits = this.#bitsOf(readerId, view, nowMs);
    if (!bits) return undefined;
    const items: Uint8Array[] = [];
    // One more than fits tells whether there is a next page.
    const wanted = Math.min(entries.length, limit + 1);
    for (let at = 0; at < wanted; at++) {
      let card = cards[at];
      if (card === undefined || !ready.isShown(card, nowMs)) {
        card = ready.of(entries[at]!, nowMs);
        if (card === undefined) return undefined;
        cards[at] = card;
      }
      if (at === limit) break;
      const bytes = ready.bytesOf(card, bits[at]!, nowMs);
      if (bytes === undefined) return undefined;
      items.push(bytes);
    }
    const after = this.#afterView(readerId, request, view);
    return after && pageOf(items, after);
  }

  /** What the reader is to the videos of the view; undefined when it is not in this process. */
  #bitsOf(readerId: string, view: InboxView, nowMs: number): Uint8Array | undefined {
    const own = this.#deps.reactions.getIfHot(readerId, nowMs)?.value;
    if (!own?.isComplete) return undefined;
    if (view.bits === undefined || view.reactions !== own) {
      const reactions = reactionsFrom(own);
      view.bits = Uint8Array.from(view.entries, ({ videoId }) => FOLLOWING | reactions(videoId));
      view.reactions = own;
    }
    return view.bits;
  }

  #afterView(readerId: string, request: FollowingRequest, view: InboxView): Uint8Array | undefined {
    const position = this.#deps.position(readerId);
    if (position instanceof Promise) return undefined;
    const { limit } = request;
    const known = view.after;
    if (known?.limit === limit && known.position === position) return known.bytes;
    const below = view.entries.length > limit ? view.entries[limit - 1]?.key : undefined;
    const text = this.#deps.ends.restOf(
      readerId,
      request,
      view.entries[0]?.key,
      below,
      beforeAllIds,
      position,
    );
    if (typeof text !== 'string') return undefined;
    view.after = { limit, position, bytes: encoder.encode(`]${text}`) };
    return view.after.bytes;
  }

  #mergedHere(
    { readerId, graph, nowMs }: ReaderHere,
    request: FollowingRequest,
    range: KeyRange,
    merge: Merge,
  ): JsonList | undefined {
    const { rules, cards } = this.#deps;
    const { limit } = request;
    const first = nextBatch(merge, limit + 1, range.after);
    const ready = this.#readyHere({ readerId, graph, nowMs }, request, range, first);
    if (ready) return ready;
    const shown: Shown[] = [];
    let isEnd = false;
    for (let round = 0; shown.length <= limit && !isEnd; round++) {
      const next = round === 0 ? first : nextBatch(merge, limit + 1 - shown.length, range.after);
      const seen = rules.shownHere(next.batch, readerId, graph, nowMs);
      if (!seen || round === maxRoundsHere || (next.batch.length === 0 && !next.isEnd)) return undefined;
      shown.push(...seen);
      isEnd = next.isEnd;
    }
    const page = shown.length > limit ? shown.slice(0, limit) : shown;
    const counts = this.countsOf(page, nowMs);
    const reactions = this.reactionsOf(readerId, page, nowMs);
    if (!counts || !reactions) return undefined;
    const below = shown.length > limit ? page.at(-1)?.entry.key : undefined;
    const rest = this.#deps.ends.restOf(readerId, request, page[0]?.entry.key, below, range.after);
    return typeof rest === 'string' ? cards.page(readerId, page, counts, reactions, rest, nowMs) : undefined;
  }

  /** As `#topHere`, for what was merged: all of it, or nothing. */
  #readyHere(
    { readerId, graph, nowMs }: ReaderHere,
    request: FollowingRequest,
    range: KeyRange,
    { batch, isEnd }: Batch,
  ): JsonList | undefined {
    const { ready } = this.#deps;
    const { limit } = request;
    if (graph.blocked.size > 0 || (batch.length <= limit && !isEnd)) return undefined;
    const own = this.#deps.reactions.getIfHot(readerId, nowMs)?.value;
    if (!own?.isComplete) return undefined;
    const reactions = reactionsFrom(own);
    const items: Uint8Array[] = [];
    for (let at = 0; at < batch.length; at++) {
      const entry = batch[at]!;
      const card = mayShow(graph, entry.authorId) ? ready.of(entry, nowMs) : undefined;
      if (card === undefined) return undefined;
      if (at === limit) break;
      const bytes = ready.bytesOf(card, FOLLOWING | reactions(entry.videoId), nowMs);
      if (bytes === undefined) return undefined;
      items.push(bytes);
    }
    const below = batch.length > limit ? batch[limit - 1]?.key : undefined;
    const rest = this.#deps.ends.restOf(readerId, request, batch[0]?.key, below, range.after);
    return typeof rest === 'string' ? pageOf(items, encoder.encode(`]${rest}`)) : undefined;
  }

  /** Of each entry shown, in their order; undefined when some are not in this process. */
  countsOf(shown: readonly Shown[], nowMs: number): CountText[] | undefined {
    const { countTexts } = this.#deps;
    const found: CountText[] = [];
    for (const { page } of shown) {
      const counts = countTexts.getIfHere(page.row.id, nowMs);
      if (!counts) return undefined;
      found.push(counts);
    }
    return found;
  }

  reactionsOf(readerId: string, shown: readonly Shown[], nowMs: number): Reactions | undefined {
    if (shown.length === 0) return noReactions;
    const own = this.#deps.reactions.getIfHot(readerId, nowMs)?.value;
    return own?.isComplete ? reactionsFrom(own) : undefined;
  }
}

export function reactionsFrom({ liked, favorited, reposted }: OwnReactions): Reactions {
  if (liked.size + favorited.size + reposted.size === 0) return noReactions;
  return (id) => (liked.has(id) ? 2 : 0) | (favorited.has(id) ? 4 : 0) | (reposted.has(id) ? 8 : 0);
}
