import { compareEntries } from '../../lib/entries.ts';

/** Tells where one has read to: now and then, and at the end; never an older place than the last one told. */
export class Reading {
  readonly #tell: (entryId: string) => Promise<void>;
  #seen: string | undefined;
  #told: string | undefined;

  constructor(tell: (entryId: string) => Promise<void>) {
    this.#tell = tell;
  }

  /** What the server has. */
  knows(entryId: string): void {
    if (this.#told === undefined || compareEntries(this.#told, entryId) < 0) this.#told = entryId;
  }

  /** This entry was looked at, for long enough to count. */
  at(entryId: string): void {
    this.#seen = entryId;
  }

  async flush(): Promise<void> {
    const entryId = this.#seen;
    if (entryId === undefined || (this.#told !== undefined && compareEntries(entryId, this.#told) <= 0))
      return;
    const before = this.#told;
    this.#told = entryId;
    try {
      await this.#tell(entryId);
    } catch {
      // The next place makes up for it; the page has nothing to say about it.
      if (this.#told === entryId) this.#told = before;
    }
  }
}
