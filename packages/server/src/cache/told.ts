const maxTransactions = 10_000;
/** The feed names a transaction by the lower half of its number. */
const wrap = 2 ** 32;

/**
 * Which rows of which transactions this process has told its caches of after their commit, so that the change feed need not
 * void a second time what has been loaded since. Whatever was not told, or is forgotten here, the feed tells as always.
 */
export class ToldTransactions {
  /** Oldest first. */
  readonly #rows = new Map<number, ReadonlySet<string>>();

  /** To be called when the store and this process know of the change, not before. */
  note(transaction: number, rows: readonly string[]): void {
    this.#rows.set(transaction % wrap, new Set(rows));
    if (this.#rows.size <= maxTransactions) return;
    for (const oldest of this.#rows.keys()) {
      this.#rows.delete(oldest);
      break;
    }
  }

  /** Those of `rows` that are still to be told. */
  untold(transaction: number | undefined, rows: readonly string[]): readonly string[] {
    const told = transaction === undefined ? undefined : this.#rows.get(transaction % wrap);
    return told ? rows.filter((row) => !told.has(row)) : rows;
  }
}
