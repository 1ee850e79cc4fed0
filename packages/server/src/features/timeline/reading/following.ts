import type { FeedPosition, FollowingPage } from '@hvideo/protocol';
import type { CachedReader } from '../../../cache/index.ts';
import type { Clock } from '../../../kernel/clock.ts';
import type { CursorCodec } from '../../../kernel/cursor.ts';
import { AppError } from '../../../kernel/errors.ts';
import { compareIds } from '../../../kernel/ids.ts';
import type { JsonList } from '../../../kernel/json-list.ts';
import { type MaybePromise, whenKnown } from '../../../kernel/maybe-promise.ts';
import type { Announcements } from '../../../ports/announcements/port.ts';
import type { Database } from '../../../ports/database/port.ts';
import type { CardState, CountText, CountTexts } from '../../engagement/index.ts';
import { afterAllIds, type VideoReads } from '../../videos/index.ts';
import { SETTLE_GRACE_MS } from '../facts.ts';
import { type FollowingRequest, firstKeyFor, keyBefore } from '../range.ts';
import { type CardTexts, FOLLOWING, pageOf, type Reactions, reactionBits, type Shown } from './cards.ts';
import { exactCards, exactEntries, type KeyRange } from './exact.ts';
import type { ReaderGraph, ReaderGraphs } from './graphs.ts';
import type { InboxView } from './inbox-views.ts';
import type { OwnReactions } from './reactions.ts';
import type { ReadyCards } from './ready-cards.ts';
import type { Rules } from './rules.ts';
import { Merge } from './sources.ts';
import { type InboxTop, mergeOf, readInbox, type WalkDeps, walk, walkHere } from './walk.ts';

export interface FollowingDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly cursors: CursorCodec;
  readonly announcements: Announcements;
  readonly videos: VideoReads;
  readonly graphs: ReaderGraphs;
  readonly rules: Rules;
  readonly cards: CardTexts;
  readonly ready: ReadyCards;
  readonly countTexts: CountTexts;
  readonly cardState: Pick<CardState, 'viewer'>;
  readonly reactions: CachedReader<OwnReactions>;
  readonly position: (readerId: string) => MaybePromise<FeedPosition | null>;
  readonly walk: WalkDeps;
  /** Each page read, for whoever decides what is pushed to whom. */
  readonly onRead: (readerId: string) => void;
  readonly onFailure: (error: unknown) => void;
}

interface ReaderHere {
  readonly readerId: string;
  readonly graph: ReaderGraph;
  readonly nowMs: number;
}

interface Selection {
  readonly shown: readonly Shown[];
  /** The next page begins below this key; undefined: there is none. */
  readonly below: string | undefined;
}

/** Older than every entry. */
const beforeAllIds = '0';
/** A page that filters out so many entries is answered shorter, with a cursor to go on from. */
const maxExamined = 1_000;
/** So often more is taken from what is at hand, before it is done in turns of the event loop. */
const maxRoundsHere = 3;
const pageWithinMs = SETTLE_GRACE_MS / 2;

const followingKind = (readerId: string) => `following:${readerId}`;
const sinceKind = (readerId: string) => `following-since:${readerId}`;

/** The cursor of the page whose entries have keys below this one. */
export const cursorBelow = (cursors: Pick<CursorCodec, 'encode'>, readerId: string, key: string) =>
  cursors.encode(followingKind(readerId), [key]);

const maxRemembered = 20_000;

/** Remembers the cursors made last: a page that is read again has the same, and a signature costs more than a card. */
export function rememberingCursors(cursors: CursorCodec): CursorCodec {
  const made = new Map<string, string>();
  return {
    decode: (kind, cursor) => cursors.decode(kind, cursor),
    encode(kind, values) {
      const name = `${kind} ${values.join()}`;
      const known = made.get(name);
      if (known !== undefined) return known;
      if (made.size >= maxRemembered) made.clear();
      const cursor = cursors.encode(kind, values);
      made.set(name, cursor);
      return cursor;
    },
  };
}

/**
 * Pages of the following feed, as JSON.
 *
 * Guarantees: a page holds every entry in its key range whose addition was acknowledged before the request, and none whose
 * removal was. Changes under way may fall on either side.
 * Cost, when warm: no statement; one round trip (what is announced, and the inbox, side by side), none where both are in
 * this process.
 */
export class Following {
  readonly #deps: FollowingDeps;

  constructor(deps: FollowingDeps) {
    this.#deps = deps;
  }

  /** At once when all of it is in this process. Errors: `invalid-cursor`, `timeout`. */
  page(readerId: string, request: FollowingRequest, signalOf?: () => AbortSignal): MaybePromise<JsonList> {
    const { announcements, onRead } = this.#deps;
    const range = this.#rangeOf(readerId, request);
    const heard = announcements.catchUp();
    if (!(heard instanceof Promise)) {
      const page = this.#pageHere(readerId, request, range);
      if (page) {
        onRead(readerId);
        return page;
      }
    }
    return this.#page(readerId, request, range, heard, signalOf?.());
  }

  #pageHere(readerId: string, request: FollowingRequest, range: KeyRange): JsonList | undefined {
    const { clock, graphs } = this.#deps;
    // Looked at once: on some machines a look at the clock costs as much as a card.
    const nowMs = clock.monotonicMs();
    const graph = graphs.getIfHere(readerId, nowMs);
    const walked = graph && walkHere(this.#deps.walk, readerId, graph, range.before, nowMs);
    if (!walked) return undefined;
    const reader = { readerId, graph, nowMs };
    if (walked instanceof Merge) return this.#mergedHere(reader, request, range, walked);
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
    const text = this.#restOf(readerId, request, view.entries[0]?.key, below, beforeAllIds, position);
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
    const shown: Shown[] = [];
    let isEnd = false;
    for (let round = 0; shown.length <= limit && !isEnd; round++) {
      const next = nextBatch(merge, limit + 1 - shown.length, range.after);
      const seen = rules.shownHere(next.batch, readerId, graph, nowMs);
      if (!seen || round === maxRoundsHere || (next.batch.length === 0 && !next.isEnd)) return undefined;
      shown.push(...seen);
      isEnd = next.isEnd;
    }
    const page = shown.length > limit ? shown.slice(0, limit) : shown;
    const counts = this.#countsHere(page, nowMs);
    const reactions = this.#reactionsHere(readerId, page, nowMs);
    if (!counts || !reactions) return undefined;
    const below = shown.length > limit ? page.at(-1)?.entry.key : undefined;
    const rest = this.#restOf(readerId, request, page[0]?.entry.key, below, range.after);
    return typeof rest === 'string' ? cards.page(readerId, page, counts, reactions, rest, nowMs) : undefined;
  }

  async #page(
    readerId: string,
    request: FollowingRequest,
    range: KeyRange,
    heard: MaybePromise<void>,
    signal: AbortSignal | undefined,
  ): Promise<JsonList> {
    const { clock, graphs, onRead } = this.#deps;
    const startedMs = clock.monotonicMs();
    const known = graphs.getIfHere(readerId);
    const inbox = known?.hasPushed ? readInbox(this.#deps.walk, readerId, range.before, signal) : undefined;
    // Whoever waits for it hears of it.
    inbox?.catch(() => undefined);
    try {
      await heard;
    } catch (error) {
      signal?.throwIfAborted();
      this.#deps.onFailure(error);
      return this.#exactPage(readerId, request, range, signal);
    }
    const graph = graphs.getIfHere(readerId) ?? (await graphs.get(readerId, signal));
    onRead(readerId);
    // Of the same graph: an edge that is pushed by now may have been copied into the inbox after it was read.
    const early = graph === known ? inbox : undefined;
    const merge = await walk(this.#deps.walk, readerId, graph, range.before, signal, early);
    const selection = await this.#select(merge, readerId, graph, range, request.limit, signal);
    const page = await this.#encode(readerId, selection, request, range, signal);
    // What it read first may have left flight before it read the rest.
    if (clock.monotonicMs() - startedMs > pageWithinMs) throw new AppError('timeout');
    return page;
  }

  #rangeOf(readerId: string, request: FollowingRequest): KeyRange {
    const { cursors, clock } = this.#deps;
    const { cursor, since } = request;
    if (since !== undefined)
      return { after: firstKeyFor(this.#keyOf(sinceKind(readerId), since)), before: afterAllIds };
    const before =
      cursor === undefined
        ? keyBefore(request, clock.nowMs())
        : (cursors.decode(followingKind(readerId), cursor)[0] ?? beforeAllIds);
    return { after: beforeAllIds, before };
  }

  #keyOf(kind: string, token: string): string {
    return this.#deps.cursors.decode(kind, token)[0] ?? beforeAllIds;
  }

  /** One more than fits tells whether there is a next page. */
  async #select(
    merge: Merge,
    readerId: string,
    graph: ReaderGraph,
    { after }: KeyRange,
    limit: number,
    signal: AbortSignal | undefined,
  ): Promise<Selection> {
    const shown: Shown[] = [];
    let examined = 0;
    for (;;) {
      const { batch, isEnd } = nextBatch(merge, limit + 1 - shown.length, after);
      shown.push(...(await this.#deps.rules.shownOf(batch, readerId, graph, signal)));
      if (shown.length > limit) return { shown: shown.slice(0, limit), below: shown[limit - 1]!.entry.key };
      examined += batch.length;
      if (examined > maxExamined) return { shown, below: batch.at(-1)?.key };
      if (isEnd) return { shown, below: undefined };
      if (batch.length === 0 && !(await merge.extend())) return { shown, below: undefined };
    }
  }

  async #encode(
    readerId: string,
    { shown, below }: Selection,
    request: FollowingRequest,
    { after }: KeyRange,
    signal: AbortSignal | undefined,
  ): Promise<JsonList> {
    const nowMs = this.#deps.clock.monotonicMs();
    const counts = this.#countsHere(shown, nowMs) ?? (await this.#countsOf(shown, signal));
    const reactions =
      this.#reactionsHere(readerId, shown, nowMs) ?? (await this.#reactionsOf(readerId, shown, signal));
    const rest = this.#restOf(readerId, request, shown[0]?.entry.key, below, after);
    const text = typeof rest === 'string' ? rest : await rest;
    return this.#deps.cards.page(readerId, shown, counts, reactions, text, nowMs);
  }

  /** Of each entry shown, in their order; undefined when some are not in this process. */
  #countsHere(shown: readonly Shown[], nowMs: number): CountText[] | undefined {
    const { countTexts } = this.#deps;
    const found: CountText[] = [];
    for (const { page } of shown) {
      const counts = countTexts.getIfHere(page.row.id, nowMs);
      if (!counts) return undefined;
      found.push(counts);
    }
    return found;
  }

  async #countsOf(
    shown: readonly Shown[],
    signal: AbortSignal | undefined,
  ): Promise<(CountText | undefined)[]> {
    const { countTexts } = this.#deps;
    const found = shown.map(({ page }) => countTexts.getIfHere(page.row.id));
    const missing = shown.flatMap(({ page }, at) => (found[at] ? [] : [page.row.id]));
    const loaded = await countTexts.load([...new Set(missing)], signal);
    return shown.map(({ page }, at) => found[at] ?? loaded.get(page.row.id));
  }

  #reactionsHere(readerId: string, shown: readonly Shown[], nowMs: number): Reactions | undefined {
    if (shown.length === 0) return noReactions;
    const own = this.#deps.reactions.getIfHot(readerId, nowMs)?.value;
    return own?.isComplete ? reactionsFrom(own) : undefined;
  }

  /** Whoever has reacted to very much pays a statement. */
  async #reactionsOf(
    readerId: string,
    shown: readonly Shown[],
    signal: AbortSignal | undefined,
  ): Promise<Reactions> {
    const { cardState, reactions } = this.#deps;
    const own = (await reactions.get(readerId, { signal })).value;
    if (own?.isComplete) return reactionsFrom(own);
    const ids = shown.map(({ page }) => page.row.id);
    const states = await cardState.viewer(readerId, ids, signal);
    return (id) => {
      const state = states.get(id);
      return state ? reactionBits(state) : 0;
    };
  }

  /** What follows the items. */
  #restOf(
    readerId: string,
    request: FollowingRequest,
    newest: string | undefined,
    below: string | undefined,
    after: string,
    known?: FeedPosition | null,
  ): MaybePromise<string> {
    const { cursors, position } = this.#deps;
    const isSince = request.since !== undefined;
    const nextCursor = below === undefined || isSince ? null : cursorBelow(cursors, readerId, below);
    const before = isSince ? this.#keyOf(sinceKind(readerId), request.since ?? '') : after;
    const next = newest !== undefined && compareIds(newest, before) > 0 ? newest : before;
    const since = isSince || isTop(request) ? cursors.encode(sinceKind(readerId), [next]) : null;
    const text = `,"nextCursor":${quoted(nextCursor)},"since":${quoted(since)},"position":`;
    if (!isTop(request)) return `${text}null}`;
    const place = known === undefined ? position(readerId) : known;
    return whenKnown(place, (read) => `${text}${read ? JSON.stringify(read) : 'null'}}`);
  }

  /** Straight from the truth, which knows of all that was acknowledged. */
  async #exactPage(
    readerId: string,
    request: FollowingRequest,
    range: KeyRange,
    signal: AbortSignal | undefined,
  ): Promise<JsonList> {
    const { db, clock, videos } = this.#deps;
    const { limit } = request;
    const rows = await exactEntries(db, readerId, range, limit + 1, new Date(clock.nowMs()), signal);
    const page = rows.slice(0, limit);
    const items = await exactCards(db, videos, readerId, page);
    const below = rows.length > limit ? page.at(-1)?.key : undefined;
    const rest = await this.#restOf(readerId, request, page[0]?.key, below, range.after);
    return pageOf(
      items.map((item) => encoder.encode(JSON.stringify(item satisfies FollowingPage['items'][number]))),
      encoder.encode(`]${rest}`),
    );
  }
}

const isTop = ({ cursor, since, at }: FollowingRequest): boolean =>
  cursor === undefined && since === undefined && at === undefined;

/** The next entries above `after`, as far as they are there; `isEnd`: what follows is not wanted. */
function nextBatch(merge: Merge, wanted: number, after: string) {
  const batch = [];
  while (batch.length < wanted) {
    const entry = merge.next();
    if (!entry) return { batch, isEnd: merge.isAtEnd };
    if (compareIds(entry.key, after) <= 0) return { batch, isEnd: true };
    batch.push(entry);
  }
  return { batch, isEnd: false };
}

const encoder = new TextEncoder();
const noReactions: Reactions = () => 0;

function reactionsFrom({ liked, favorited, reposted }: OwnReactions): Reactions {
  if (liked.size + favorited.size + reposted.size === 0) return noReactions;
  return (id) => (liked.has(id) ? 2 : 0) | (favorited.has(id) ? 4 : 0) | (reposted.has(id) ? 8 : 0);
}

/** A cursor has nothing that JSON escapes. */
const quoted = (cursor: string | null): string => (cursor === null ? 'null' : `"${cursor}"`);
