import type { FollowingPage } from '@hvideo/protocol';
import type { CursorCodec } from '../../../kernel/cursor.ts';
import { AppError } from '../../../kernel/errors.ts';
import type { JsonList } from '../../../kernel/json-list.ts';
import type { MaybePromise } from '../../../kernel/maybe-promise.ts';
import type { Announcements } from '../../../ports/announcements/port.ts';
import type { Database } from '../../../ports/database/port.ts';
import type { ShelfPage } from '../../../ports/timeline-store/port.ts';
import type { CardState, CountText } from '../../engagement/index.ts';
import type { VideoReads } from '../../videos/index.ts';
import { SETTLE_GRACE_MS } from '../facts.ts';
import type { FollowingRequest } from '../range.ts';
import { pageOf, type Reactions, reactionBits, type Shown } from './cards.ts';
import { exactCards, exactEntries, type KeyRange } from './exact.ts';
import { FollowingHere, type FollowingHereDeps, reactionsFrom } from './following-here.ts';
import type { ReaderGraph } from './graphs.ts';
import { PageEnds } from './page-ends.ts';
import { type Merge, nextBatch } from './sources.ts';
import { readInbox, walk } from './walk.ts';

export interface FollowingDeps extends Omit<FollowingHereDeps, 'ends'> {
  readonly db: Database;
  readonly cursors: CursorCodec;
  readonly announcements: Announcements;
  readonly videos: VideoReads;
  readonly cardState: Pick<CardState, 'viewer'>;
  /** Each page read, for whoever decides what is pushed to whom. */
  readonly onRead: (readerId: string) => void;
  readonly onFailure: (error: unknown) => void;
}

interface Selection {
  readonly shown: readonly Shown[];
  /** The next page begins below this key; undefined: there is none. */
  readonly below: string | undefined;
}

/** A page that filters out so many entries is answered shorter, with a cursor to go on from. */
const maxExamined = 1_000;
const pageWithinMs = SETTLE_GRACE_MS / 2;

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
  readonly #ends: PageEnds;
  readonly #here: FollowingHere;

  constructor(deps: FollowingDeps) {
    this.#deps = deps;
    this.#ends = new PageEnds(deps);
    this.#here = new FollowingHere({ ...deps, ends: this.#ends });
  }

  /** At once when all of it is in this process. Errors: `invalid-cursor`, `timeout`. */
  page(readerId: string, request: FollowingRequest, signalOf?: () => AbortSignal): MaybePromise<JsonList> {
    const { announcements, onRead } = this.#deps;
    const range = this.#ends.rangeOf(readerId, request);
    const heard = announcements.catchUp();
    if (!(heard instanceof Promise)) {
      const page = this.#here.page(readerId, request, range);
      if (page) {
        onRead(readerId);
        return page;
      }
    }
    return this.#page(readerId, request, range, heard, signalOf?.());
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
    // What was at hand was tried before.
    const mayBeSoon = heard instanceof Promise && (early !== undefined || !graph.hasPushed);
    const page =
      (mayBeSoon && (await this.#soonPage(readerId, graph, request, range, early))) ||
      (await this.#walkedPage(readerId, graph, request, range, early, signal));
    // What it read first may have left flight before it read the rest.
    if (clock.monotonicMs() - startedMs > pageWithinMs) throw new AppError('timeout');
    return page;
  }

  /** When only the news and the inbox had to be waited for. */
  async #soonPage(
    readerId: string,
    graph: ReaderGraph,
    request: FollowingRequest,
    range: KeyRange,
    early: Promise<ShelfPage> | undefined,
  ): Promise<JsonList | undefined> {
    const inbox = await early;
    const nowMs = this.#deps.clock.monotonicMs();
    return this.#here.pageOf({ readerId, graph, nowMs, inbox }, request, range);
  }

  async #walkedPage(
    readerId: string,
    graph: ReaderGraph,
    request: FollowingRequest,
    range: KeyRange,
    early: Promise<ShelfPage> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<JsonList> {
    const merge = await walk(this.#deps.walk, readerId, graph, range.before, signal, early);
    const selection = await this.#select(merge, readerId, graph, range, request.limit, signal);
    return this.#encode(readerId, selection, request, range, signal);
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
    const counts = this.#here.countsOf(shown, nowMs) ?? (await this.#countsOf(shown, signal));
    const reactions =
      this.#here.reactionsOf(readerId, shown, nowMs) ?? (await this.#reactionsOf(readerId, shown, signal));
    const rest = this.#ends.restOf(readerId, request, shown[0]?.entry.key, below, after);
    const text = typeof rest === 'string' ? rest : await rest;
    return this.#deps.cards.page(readerId, shown, counts, reactions, text, nowMs);
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
    const rest = await this.#ends.restOf(readerId, request, page[0]?.key, below, range.after);
    return pageOf(
      items.map((item) => encoder.encode(JSON.stringify(item satisfies FollowingPage['items'][number]))),
      encoder.encode(`]${rest}`),
    );
  }
}

const encoder = new TextEncoder();
