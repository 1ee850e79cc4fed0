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

  async shownOf(
    entries: readonly Entry[],
    readerId: string,
    graph: ReaderGraph,
    signal: AbortSignal | undefined,
  ): Promise<Shown[]> {
    const candidates = entries.filter(
      ({ authorId, videoId }) =>
        graph.modes.has(authorId) &&
        !graph.muted.has(authorId) &&
        !this.#deps.fences.hasHeard(fenceOf(videoId)),
    );
    const pages = await this.#pagesOf(candidates, signal);
    const nowMs = this.#deps.clock.nowMs();
    const shown: Shown[] = [];
    const reposts: Shown[] = [];
    for (let at = 0; at < candidates.length; at++) {
      const [entry, page] = [candidates[at]!, pages[at]];
      if (!page || !maySee(page, readerId, graph, nowMs)) continue;
      const each: Shown = { entry, page, repost: undefined };
      if (page.row.feedKey !== entry.key) reposts.push(each);
      shown.push(each);
    }
    return reposts.length > 0 ? this.#withReposts(shown, reposts, readerId, graph, signal) : shown;
  }

  /** Undefined or null in place of what is not there. */
  async #pagesOf(
    entries: readonly Entry[],
    signal: AbortSignal | undefined,
  ): Promise<(VideoPage | null | undefined)[]> {
    const { clock, pages } = this.#deps;
    const nowMs = clock.monotonicMs();
    const found: (VideoPage | null | undefined)[] = [];
    const missing: number[] = [];
    for (let at = 0; at < entries.length; at++) {
      const page = pages.getIfHot(entries[at]!.videoId, nowMs)?.value;
      found.push(page);
      if (page === undefined) missing.push(at);
    }
    if (missing.length === 0) return found;
    const loaded = await pages.getMany(
      missing.map((at) => entries[at]!.videoId),
      { signal, stale: 'refuse' },
    );
    for (const [index, at] of missing.entries()) found[at] = loaded[index]!.value;
    return found;
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

function maySee(page: VideoPage, readerId: string, graph: ReaderGraph, nowMs: number): boolean {
  const { row, author } = page;
  if (row.visibility !== 'public' && row.visibility !== 'followers') return false;
  if (row.status !== 'playable' && row.status !== 'ready') return false;
  if (row.feedKey === null || graph.muted.has(author.id)) return false;
  const blocked = graph.blocked.has(author.id);
  const viewing = { following: graph.modes.has(author.id), blocked, blockedBy: blocked };
  return mayWatch(page, readerId, viewing, nowMs);
}

const isSuspended = (suspension: Suspension, nowMs: number): boolean =>
  suspension !== null && (suspension.untilMs === null || suspension.untilMs > nowMs);
