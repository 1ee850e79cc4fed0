/**
 * Every committed change of the truth, in order, for whatever is derived from it.
 *
 * Purpose: caches, counters, search and recommendation follow the rows that features write, and features know nothing of
 * them. One process follows for all (the leader); the others wait to take its place.
 *
 * Guarantees (each is a test of `contract.ts`)
 * - Delivery: at least once. Every change that commits after a consumer's `rebuild` was called is handled. The position
 *   is confirmed only when each consumer is done with the batch, so a crash repeats the last batches and loses
 *   nothing. For effects in PostgreSQL itself `effectOnce` makes that exactly once.
 * - Ordering: transactions come in an order in which they may have committed: those that touch the same row, or wait for
 *   each other in any other way, in theirs. Changes of one transaction come in the order in which they were made.
 * - Atomicity: a batch holds whole transactions, except that a large one is cut into parts (`isLastPart`), which come one
 *   after another. What was rolled back is never seen.
 * - Visibility: when `handle` is called, the changes are visible to every other session of the primary.
 * - Failure: a `handle` that throws is called again with the same batch, after a growing pause, for ever. Nothing is
 *   skipped. Consumers work on a batch side by side; the slowest keeps back the next batch of all.
 * - Rebuild: `rebuild` is called before the first batch of a consumer, and whenever changes were or may have been missed:
 *   it is new, it follows other tables, or the feed was begun anew because it lagged too far behind, was lost, or belongs
 *   to another database. Everything that the consumer derived earlier counts as cold then. Throwing repeats it.
 * - Leadership: one process handles at a time. One that was cut off from the database may still be in the middle of a
 *   batch when another begins with that same batch; its `signal` aborts when it notices.
 *
 * Values are those of `Database`: `int8` and `numeric` are decimal strings, `int4` and `float8` numbers, `timestamptz`,
 * `timestamp` and `date` are `Date` (whole milliseconds; `infinity` a number), `jsonb` is parsed, `bytea` a Buffer, an array
 * an array, every other type its text; NULL is null.
 *
 * Units and limits: tables of the schema `public`, with a primary key. A batch holds about `MAX_BATCH_ROWS` changes or
 * `MAX_BATCH_BYTES`; a single change may be larger. Memory is bounded by some batches.
 * Errors: none are thrown at callers; `status` tells. An abort of `signal` means that the work is not needed any more.
 * Cost: a few milliseconds after the commit, some dozen while many come, and one statement for a batch.
 */
export interface ChangeFeed extends AsyncDisposable {
  /** To be called before `start`. */
  follow(consumer: ChangeConsumer): void;
  /** Begins to follow, or to wait for its turn, in the background, and never gives up. */
  start(): void;
  status(): ChangeFeedStatus;
  /** Lets the handlers under way finish, up to a deadline, confirms what they did and ends. */
  close(): Promise<void>;
}

export interface ChangeConsumer {
  /** Stays the same from release to release: its progress is kept under it. */
  readonly name: string;
  readonly tables: readonly FollowedTable[];
  handle(batch: ChangeBatch, signal: AbortSignal): Promise<void>;
  rebuild(signal: AbortSignal): Promise<void>;
}

export interface FollowedTable {
  readonly table: string;
  /**
   * Columns that `before` must tell of an updated or deleted row. If the primary key does not hold all of them the
   * database is asked to log whole old rows of this table (`replica identity full`).
   */
  readonly before?: readonly string[];
}

export type Row = Readonly<Record<string, unknown>>;

export interface RowChange {
  readonly table: string;
  /** `truncate` stands for all rows of the table and tells none of them. */
  readonly operation: 'insert' | 'update' | 'delete' | 'truncate';
  /** The old row of an update or a delete: at least its primary key and the columns asked for. */
  readonly before: Row | undefined;
  /**
   * The new row of an insert or an update. A large value that an update did not touch may be missing, unless `before` was
   * asked for columns outside of the primary key: a column that is not there has not changed.
   */
  readonly after: Row | undefined;
  /** Grows within its transaction, and is the same each time the transaction is delivered. */
  readonly ordinal: number;
}

export interface ChangedTransaction {
  /** Of its last row here. */
  readonly position: string;
  /** By the database's clock. */
  readonly committedAtMs: number;
  readonly isLastPart: boolean;
  /** The number that the database gave it, where the feed knows: for recognising one's own. */
  readonly transaction?: number | undefined;
  readonly rows: readonly RowChange[];
}

export interface ChangeBatch {
  /** Everything up to here is done when the batch is. Positions grow, compared as strings. */
  readonly position: string;
  /** Only those with a row that the consumer follows. */
  readonly transactions: readonly ChangedTransaction[];
  /** The rows of all transactions. */
  readonly rows: readonly RowChange[];
}

export interface ChangeFeedStatus {
  readonly state: ChangeFeedState;
  /** Of the log that is not confirmed yet, where known: also while another process leads. */
  readonly lagBytes: number | undefined;
  /** Age of the oldest change that was read and is not handled; 0 when there is none. */
  readonly lagMs: number;
  /** Confirmed by this process. */
  readonly position: string | undefined;
  /** What went wrong last: stays after it has been overcome, `lastErrorAtMs` tells when it was. */
  readonly lastError: string | undefined;
  readonly lastErrorAtMs: number | undefined;
  /** Changes handled by this process. */
  readonly handledRows: number;
  /** How often the feed was begun anew by this process. */
  readonly timesRebuilt: number;
}

/** `waiting`: another process leads. `retrying`: something fails, and will be tried again after a pause. */
export type ChangeFeedState =
  | 'stopped'
  | 'connecting'
  | 'waiting'
  | 'rebuilding'
  | 'leading'
  | 'retrying'
  | 'closed';

export const MAX_BATCH_ROWS = 5_000;
export const MAX_BATCH_BYTES = 2 << 20;

/** Where a row stands: generation of the feed, transaction, row. Padded, so that positions compare as strings. */
export function positionOf(generation: string, transaction: bigint, ordinal: number): string {
  const [g, t] = [BigInt(generation).toString(16), transaction.toString(16)];
  return `${g.padStart(8, '0')}/${t.padStart(16, '0')}/${ordinal.toString(16).padStart(14, '0')}`;
}

/** The position of a row whose transaction's part ends at `position`. */
export function rowPosition(position: string, { ordinal }: RowChange): string {
  return position.slice(0, -14) + ordinal.toString(16).padStart(14, '0');
}

/** The end of a transaction, after any row of it. */
export const LAST_ORDINAL = Number.MAX_SAFE_INTEGER;
