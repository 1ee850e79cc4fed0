import type { VideoCounts, ViewerState } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import type { MaybePromise } from '../../kernel/maybe-promise.ts';
import type { Database, Sql } from '../../ports/database/port.ts';
import type { Counters, Metric } from '../counters/index.ts';

export type ReactionState = Pick<ViewerState, 'liked' | 'favorited' | 'reposted'>;

const shown = [
  ...(['likes', 'favorites', 'comments', 'shares', 'reposts'] as const),
  ...(['views', 'viewers'] as const),
] as const satisfies Metric[];

interface Recent {
  readonly counts: VideoCounts;
  readonly text: string;
}

interface Reading {
  /** The promise until it is kept. */
  counts: MaybePromise<Recent>;
  readonly version: number;
  readonly untilMs: number;
}

/** Of the hottest videos; how long they are used without anything happening here. */
const maxRecent = 1_000;
const recentMs = 100;

/** What a card says of reactions. Created before the videos, whose cards show it. */
export class CardState {
  readonly #db: Database;
  readonly #counters: Counters;
  readonly #clock: Clock;
  readonly #recent = new Map<string, Reading>();

  constructor(db: Database, counters: Counters, clock: Clock) {
    this.#clock = clock;
    this.#db = db;
    this.#counters = counters;
  }

  /**
   * Of one video, and as JSON: one read of the counters for all who ask within some milliseconds. Never behind what this
   * process did.
   */
  countsOf(videoId: string, nowMs = this.#clock.monotonicMs()): MaybePromise<Recent> {
    const { version } = this.#counters;
    const known = this.#recent.get(videoId);
    if (known && known.version === version && nowMs < known.untilMs) return known.counts;
    const counts = this.#readOne(videoId);
    const reading: Reading = { counts, version, untilMs: nowMs + recentMs };
    if (this.#recent.size >= maxRecent) this.#recent.clear();
    this.#recent.set(videoId, reading);
    counts.then(
      (found) => {
        reading.counts = found;
      },
      () => {
        if (this.#recent.get(videoId) === reading) this.#recent.delete(videoId);
      },
    );
    return counts;
  }

  async #readOne(videoId: string): Promise<Recent> {
    const counts = (await this.counts([videoId])).get(videoId)!;
    return { counts, text: JSON.stringify(counts) };
  }

  /** One read of the counters, however many videos. */
  async counts(videoIds: readonly string[], signal?: AbortSignal): Promise<Map<string, VideoCounts>> {
    const names = videoIds.flatMap((id) => shown.map((metric) => ({ id, metric })));
    const totals = await this.#counters.read(names, { signal });
    const at = (video: number, metric: number) => Math.max(0, totals[video * shown.length + metric] ?? 0);
    return new Map(
      videoIds.map((id, video) => [
        id,
        {
          likes: at(video, 0),
          favorites: at(video, 1),
          comments: at(video, 2),
          shares: at(video, 3),
          reposts: at(video, 4),
          views: at(video, 5),
          viewers: at(video, 6),
        },
      ]),
    );
  }

  /** One statement, however many videos. */
  async viewer(
    viewerId: string,
    videoIds: readonly string[],
    signal?: AbortSignal,
  ): Promise<Map<string, ReactionState>> {
    const { sql } = this.#db;
    const rows = await sql<ReactionState & { id: string }>`
      select each.id,
        exists (select 1 from video_like r where r.video_id = each.id and r.account_id = ${viewerId}) as liked,
        exists (select 1 from favorite r where r.video_id = each.id and r.account_id = ${viewerId}) as favorited,
        exists (select 1 from repost r where r.video_id = each.id and r.account_id = ${viewerId}) as reposted
      from unnest(${sql.array(videoIds, 'int8')}) as each (id)`.withSignal(signal);
    return new Map(rows.map(({ id, ...state }) => [id, state]));
  }

  /** Before the rows of these videos are deleted, in the same transaction: nothing is counted about them any more. */
  async forget(tx: Sql, videoIds: readonly string[]): Promise<void> {
    if (videoIds.length === 0) return;
    const comments = await tx<{ id: string }>`
      select id from comment where video_id = any(${tx.array(videoIds, 'int8')})`;
    await this.#counters.forget(tx, [...videoIds, ...comments.map(({ id }) => id)]);
  }
}
