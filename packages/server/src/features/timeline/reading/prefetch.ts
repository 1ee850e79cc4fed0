import type { HotOutboxes } from './outboxes.ts';

export interface PrefetchDeps {
  readonly outboxes: HotOutboxes;
  readonly onFailure: (error: unknown) => void;
}

const maxRemembered = 10_000;
const maxFollowees = 2_000;
const maxAtOnce = 8;

/**
 * Brings the outboxes that the next pages of a reader need, when a page has come to the end of the inbox: with them in this
 * process, ten pages further down cost no query.
 */
export class Prefetch {
  readonly #deps: PrefetchDeps;
  /** Readers for whom it was done, and who have not gone on yet. */
  readonly #begun = new Set<string>();
  #running = 0;
  /** How often it was done, and how often a reader then went on. */
  begunTimes = 0;
  usedTimes = 0;

  constructor(deps: PrefetchDeps) {
    this.#deps = deps;
  }

  begin(readerId: string, followeeIds: readonly string[]): void {
    const { outboxes, onFailure } = this.#deps;
    if (this.#running >= maxAtOnce || this.#begun.has(readerId)) return;
    const wanted = followeeIds.slice(0, maxFollowees).filter((id) => !outboxes.getIfHere(id));
    this.#remember(readerId);
    if (wanted.length === 0) return;
    this.#running += 1;
    outboxes
      .get(wanted)
      .catch(onFailure)
      .finally(() => {
        this.#running -= 1;
      });
  }

  noteUse(readerId: string): void {
    if (this.#begun.delete(readerId)) this.usedTimes += 1;
  }

  #remember(readerId: string): void {
    this.begunTimes += 1;
    this.#begun.add(readerId);
    const [oldest] = this.#begun;
    if (this.#begun.size > maxRemembered && oldest !== undefined) this.#begun.delete(oldest);
  }
}
