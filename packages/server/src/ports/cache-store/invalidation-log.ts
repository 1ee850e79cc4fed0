/**
 * Which rows were invalidated lately, in bounded memory, so that "has one of these changed since I began?" can be
 * answered without knowing beforehand which rows will matter. When it cannot remember, it says yes.
 */
export class InvalidationLog {
  readonly #maxRows: number;
  readonly #lastChange = new Map<string, number>();
  #position = 0;
  /** Changes up to here are forgotten: anything begun earlier counts as changed. */
  #floor = 0;

  constructor(maxRows = 100_000) {
    this.#maxRows = maxRows;
  }

  /** To be taken before the reading begins, and handed to `hasChanged` after it. */
  get position(): number {
    return this.#position;
  }

  get size(): number {
    return this.#lastChange.size;
  }

  record(rows: Iterable<string>): void {
    const position = ++this.#position;
    for (const row of rows) {
      // Deleting first moves the row to the end: the map is in the order of change.
      this.#lastChange.delete(row);
      this.#lastChange.set(row, position);
    }
    for (const [row, changedAt] of this.#lastChange) {
      if (this.#lastChange.size <= this.#maxRows) break;
      this.#lastChange.delete(row);
      this.#floor = changedAt;
    }
  }

  /** Everything begun before now counts as changed. */
  recordAll(): void {
    this.#floor = ++this.#position;
    this.#lastChange.clear();
  }

  hasChanged(row: string, since: number): boolean {
    return since < this.#floor || (this.#lastChange.get(row) ?? 0) > since;
  }

  hasAnyChanged(rows: Iterable<string>, since: number): boolean {
    if (since < this.#floor) return true;
    for (const row of rows) if ((this.#lastChange.get(row) ?? 0) > since) return true;
    return false;
  }
}
