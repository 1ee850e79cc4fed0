import type { Clock } from '../../../kernel/clock.ts';
import { compareIds, idTimeMs, smallestIdAt } from '../../../kernel/ids.ts';
import type { Fences } from '../../../ports/fences/port.ts';
import type { Entry } from '../../../ports/timeline-store/port.ts';
import { repostFenceOf } from '../../engagement/index.ts';
import { fenceOf, mayWatch, type VideoPage, type VideoPages } from '../../videos/index.ts';
import type { Shown } from './cards.ts';
import type { ReaderGraph } from './graphs.ts';
import { type Appearances, appearanceId, type Repost, type RepostCaches } from './reposts.ts';

/** An entry of a video that came again within this time, by somebody else whom the reader follows, is not shown. */
export const REPEAT_WINDOW_MS = 30 * 86_400_000;

/** The smallest key within the window before this one. */
export const windowStart = (key: string): string => smallestIdAt(idTimeMs(key) - REPEAT_WINDOW_MS);

export interface RulesDeps {
  readonly pages: VideoPages;
  readonly reposts: RepostCaches;
  readonly fences: Pick<Fences, 'hasHeard'>;
  readonly clock: Clock;
}

type Suspension = { readonly untilMs: number | null } | null;

/**
 * Which entries a reader may see, from cached parts: the same rule as the exact query's, and a test compares them. To be
 * called after `catchUp`.
 *
 * Cost: look-ups; what is not in this process is brought by one read for each kind of part.
 */
export class Rules {
  readonly #deps: RulesDeps;

  constructor(deps: RulesDeps) {
    this.#deps = deps;
  }

  /** In the order of the entries. */
  async shownOf(
    entries: readonly Entry[],
    readerId: string,
    graph: ReaderGraph,
    signal: AbortSignal | undefined,
  ): Promise<Shown[]> {
    const nowMs = this.#deps.clock.monotonicMs();
    const { candidates, pages, isWhole } = this.#candidatesOf(entries, graph, nowMs);
    if (!isWhole) await this.#load(candidates, pages, signal);
    const { shown, reposts } = this.#seen(candidates, pages, readerId, graph);
    return reposts.length > 0 ? this.#withReposts(shown, reposts, readerId, graph, signal) : shown;
  }

  /** The same at once, when all of it is in this process; undefined when it is not. */
  shownHere(
    entries: readonly Entry[],
    readerId: string,
    graph: ReaderGraph,
    nowMs: number,
  ): Shown[] | undefined {
    const { candidates, pages, isWhole } = this.#candidatesOf(entries, graph, nowMs);
    if (!isWhole) return undefined;
    const { shown, reposts } = this.#seen(candidates, pages, readerId, graph);
    return reposts.length > 0 ? undefined : shown;
  }

  /** What the graph lets through, with the videos; undefined in place of one that is not in this process. */
  #candidatesOf(entries: readonly Entry[], graph: ReaderGraph, nowMs: number) {
    const { fences, pages: cached } = this.#deps;
    const candidates: Entry[] = [];
    const pages: (VideoPage | null | undefined)[] = [];
    let isWhole = true;
    for (let at = 0; at < entries.length; at++) {
      const entry = entries[at]!;
      if (!graph.modes.has(entry.authorId)) continue;
      if (graph.muted.size > 0 && graph.muted.has(entry.authorId)) continue;
      if (fences.hasHeard(fenceOf(entry.videoId))) continue;
      const page = cached.getIfHot(entry.videoId, nowMs)?.value;
      candidates.push(entry);
      pages.push(page);
      if (page === undefined) isWhole = false;
    }
    return { candidates, pages, isWhole };
  }

  /** Fills in what is undefined; null in place of what is not there. */
  async #load(
    entries: readonly Entry[],
    found: (VideoPage | null | undefined)[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const missing = found.flatMap((page, at) => (page === undefined ? [at] : []));
    const ids = missing.map((at) => entries[at]!.videoId);
    const loaded = await this.#deps.pages.getMany(ids, { signal, stale: 'refuse' });
    for (const [index, at] of missing.entries()) found[at] = loaded[index]!.value;
  }

  /** What the reader may see; whether a repost is a repeat is still to be found out. */
  #seen(
    entries: readonly Entry[],
    pages: readonly (VideoPage | null | undefined)[],
    readerId: string,
    graph: ReaderGraph,
  ): { shown: Shown[]; reposts: Shown[] } {
    const nowMs = this.#deps.clock.nowMs();
    const shown: Shown[] = [];
    const reposts: Shown[] = [];
    for (let at = 0; at < entries.length; at++) {
      const [entry, page] = [entries[at]!, pages[at]];
      if (!page) continue;
      const { id: authorId } = page.author;
      const following = authorId === entry.authorId || graph.modes.has(authorId);
      if (!maySee(page, readerId, graph, following, nowMs)) continue;
      const each: Shown = { entry, page, following, repost: undefined };
      if (page.row.feedKey !== entry.key) reposts.push(each);
      shown.push(each);
    }
    return { shown, reposts };
  }

  async #withReposts(
    shown: readonly Shown[],
    reposts: readonly Shown[],
    readerId: string,
    graph: ReaderGraph,
    signal: AbortSignal | undefined,
  ): Promise<Shown[]> {
    const { appearances, reposts: parts } = this.#deps.reposts;
    const options = { signal, stale: 'refuse' } as const;
    const [found, others] = await Promise.all([
      parts.getMany(
        reposts.map(({ entry }) => entry.key),
        options,
      ),
      appearances.getMany(
        reposts.map(({ entry }) => appearanceId(readerId, entry.videoId)),
        options,
      ),
    ]);
    const kept = new Map<Entry, Repost>();
    for (const [at, { entry, page }] of reposts.entries()) {
      const [repost, seen] = [found[at]!.value, others[at]!.value];
      if (!repost || !this.#isAlive(repost, entry)) continue;
      if (!this.#isRepeat(entry, page, seen, graph)) kept.set(entry, repost);
    }
    const isRepost = new Set(reposts.map(({ entry }) => entry));
    return shown.flatMap((each) => {
      if (!isRepost.has(each.entry)) return [each];
      const repost = kept.get(each.entry);
      return repost ? [{ ...each, repost }] : [];
    });
  }

  #isAlive(repost: Repost, { key, authorId, videoId }: Entry): boolean {
    return (
      repost.videoId === videoId &&
      repost.by.id === authorId &&
      !isSuspended(repost.suspension, this.#deps.clock.nowMs()) &&
      !this.#deps.fences.hasHeard(repostFenceOf(key))
    );
  }

  /** Whether the reader's feed holds the same video further down: the original, or an older repost. */
  #isRepeat({ key }: Entry, page: VideoPage, seen: Appearances | null, graph: ReaderGraph): boolean {
    const from = windowStart(key);
    const isWithin = (other: string) => compareIds(other, key) < 0 && compareIds(other, from) >= 0;
    const isFollowed = (id: string) => graph.modes.has(id) && !graph.muted.has(id);
    const { feedKey } = page.row;
    if (feedKey !== null && isFollowed(page.author.id) && isWithin(feedKey)) return true;
    return (seen?.reposts ?? []).some(
      ({ id, accountId }) =>
        isWithin(id) && isFollowed(accountId) && !this.#deps.fences.hasHeard(repostFenceOf(id)),
    );
  }
}

function maySee(
  page: VideoPage,
  readerId: string,
  { muted, blocked }: ReaderGraph,
  following: boolean,
  nowMs: number,
): boolean {
  const { row, author } = page;
  if (row.visibility !== 'public' && row.visibility !== 'followers') return false;
  if (row.status !== 'playable' && row.status !== 'ready') return false;
  if (row.feedKey === null) return false;
  if (muted.size > 0 && muted.has(author.id)) return false;
  const isBlocked = blocked.size > 0 && blocked.has(author.id);
  return mayWatch(page, readerId, { following, blocked: isBlocked, blockedBy: isBlocked }, nowMs);
}

const isSuspended = (suspension: Suspension, nowMs: number): boolean =>
  suspension !== null && (suspension.untilMs === null || suspension.untilMs > nowMs);
