/** A row as it was and as it is, with the columns by which somebody may name it. */
export interface OwnChange {
  readonly table: string;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}

/**
 * Tells of rows that this process has just committed, ahead of the change feed, so that people see what they did
 * themselves. Whoever writes does not know who listens.
 *
 * Guarantees: when it resolves, nothing derived from the rows before the change is served unmarked here, and elsewhere only
 * for the moment that a message takes. It never fails a write that has committed: what could not be told, the feed tells.
 * Call it after the commit, and before the answer. `transaction` is its number, where it is known: the feed need not
 * repeat what was told.
 */
export type TellOwnChanges = (changes: readonly OwnChange[], transaction?: number) => Promise<void>;
