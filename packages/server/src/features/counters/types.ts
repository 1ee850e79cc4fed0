import type { Sql, SqlQuery } from '../../ports/database/port.ts';

/**
 * What is counted, and the number that stands for it in rows and stores. Numbers are never used again. `viewers` is the
 * estimate of a sketch; all others are sums.
 */
export const METRICS = {
  likes: 1,
  favorites: 2,
  comments: 3,
  replies: 4,
  commentLikes: 5,
  shares: 6,
  views: 7,
  viewers: 8,
  followers: 9,
  reposts: 10,
} as const;

export type Metric = keyof typeof METRICS;
export type SummedMetric = Exclude<Metric, 'viewers'>;

export interface Increment {
  /** Of the video, comment or account that is counted about. */
  readonly id: string;
  readonly metric: SummedMetric;
  /** A whole number, not 0. */
  readonly delta: number;
}

/** Somebody who saw a video, however often: `observationOf(hash)` of the viewer. */
export interface Sighting {
  readonly id: string;
  readonly observation: number;
}

/** By how much a fold has changed a total. */
export interface FoldedSum {
  readonly id: string;
  /** The number of the metric. */
  readonly metric: number;
  readonly delta: number;
}

export interface CounterName {
  readonly id: string;
  readonly metric: Metric;
}

/** What was recorded in a transaction, until it is known to have committed. */
export interface Recorded {
  readonly xid: number;
  readonly increments: readonly Increment[];
}

/**
 * Totals that are written often and read oftener.
 *
 * - `record` counts facts: increments in the transaction that writes their rows, so that both commit or neither does.
 *   Hand what it answers to `committed` when that transaction has resolved: this process then reads its own increments.
 * - `add` counts what has no row: calls of some milliseconds are combined into one packed row, and resolve when it has
 *   committed. Errors: `overloaded` when more waits than may wait; nothing was counted then.
 * - `forget` ends everything that is counted about these ids, in the transaction that deletes what they name.
 * - `read` answers in the order asked, 0 for what was never counted. It includes everything that this process has
 *   recorded or added and been told of, and what others have within about a second.
 */
export interface Counters {
  record(tx: Sql, increments: readonly Increment[], sightings?: readonly Sighting[]): Promise<Recorded>;
  /**
   * `record` within the caller's own statement, which then needs no transaction around it: the body of a `with` clause that
   * counts if `when`, the name of another clause, has a row, and answers one row of `xid` if it did.
   */
  recording(sql: Sql, increments: readonly Increment[], when: SqlQuery<unknown[]>): SqlQuery<unknown[]>;
  committed(recorded: Recorded): void;
  forget(tx: Sql, ids: readonly string[]): Promise<void>;
  add(increments: readonly Increment[], sightings?: readonly Sighting[]): Promise<void>;
  /** `run` is called in the transaction that changes totals of these metrics, with their ids. Before `start`. */
  onFold(metrics: readonly Metric[], run: (tx: Sql, ids: readonly string[]) => Promise<void>): void;
  /**
   * `note` is told by how much each fold of this process has changed sums of these metrics, after its commit: at most
   * once, and not at all when the process dies in between. Before `start`.
   */
  onChanges(metrics: readonly SummedMetric[], note: (changes: readonly FoldedSum[]) => void): void;
  /** Changes whenever a total that this process reads may have changed by what it did itself. */
  readonly version: number;
  /**
   * The `version` of the last change of anything counted about this subject, or a later one: by this process, and by whatever
   * it has folded. Where it is the only one that folds, that is everything.
   */
  changedAt(id: string): number;
  read(names: readonly CounterName[], options?: { signal?: AbortSignal | undefined }): Promise<number[]>;
}
