import type { Clock } from '../../kernel/clock.ts';

/** As long as a media link lives: a browser may keep a segment that long and play it without asking again. */
const rememberMs = 4 * 3_600_000;
const maxEntries = 200_000;

/**
 * Who has fetched a segment of which video, by address: a view is counted only for those who have. Kept in this process
 * and bounded; when it is full the oldest goes, and that view is not counted.
 */
export class SegmentEvidence {
  readonly #clock: Clock;
  readonly #maxEntries: number;
  /** Oldest first. */
  readonly #fetched = new Map<string, number>();

  constructor(clock: Clock, limit = maxEntries) {
    this.#clock = clock;
    this.#maxEntries = limit;
  }

  note(videoId: string, address: string): void {
    const key = `${videoId} ${address}`;
    this.#fetched.delete(key);
    this.#fetched.set(key, this.#clock.monotonicMs() + rememberMs);
    if (this.#fetched.size <= this.#maxEntries) return;
    const [oldest] = this.#fetched.keys();
    if (oldest !== undefined) this.#fetched.delete(oldest);
  }

  has(videoId: string, address: string): boolean {
    return (this.#fetched.get(`${videoId} ${address}`) ?? 0) > this.#clock.monotonicMs();
  }
}
