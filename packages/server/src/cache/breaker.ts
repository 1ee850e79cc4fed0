import type { Clock } from '../kernel/clock.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

const failuresToOpen = 5;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

/**
 * Keeps callers from waiting for what is known to be away. After some failures in a row nothing passes for a pause,
 * then one call does: its success lets everything pass again, its failure makes the next pause longer.
 */
export class Breaker {
  readonly #clock: Clock;
  #failures = 0;
  #pauseMs = firstPauseMs;
  #openUntilMs: number | undefined;
  #isProbing = false;
  opened = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get state(): BreakerState {
    if (this.#openUntilMs === undefined) return 'closed';
    return this.#isProbing || this.#clock.monotonicMs() >= this.#openUntilMs ? 'half-open' : 'open';
  }

  /** Whether this call may be made. Whoever gets true must report `succeed` or `fail`. */
  allows(): boolean {
    if (this.#openUntilMs === undefined) return true;
    if (this.#isProbing || this.#clock.monotonicMs() < this.#openUntilMs) return false;
    this.#isProbing = true;
    return true;
  }

  succeed(): void {
    this.#failures = 0;
    this.#pauseMs = firstPauseMs;
    this.#openUntilMs = undefined;
    this.#isProbing = false;
  }

  fail(): void {
    this.#failures += 1;
    if (this.#failures < failuresToOpen && this.#openUntilMs === undefined) return;
    // Calls that were under way when it opened report late; only the probe's failure lengthens the pause.
    if (this.#openUntilMs !== undefined && !this.#isProbing) return;
    if (this.#isProbing) this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2);
    this.#isProbing = false;
    this.#openUntilMs = this.#clock.monotonicMs() + this.#pauseMs;
    this.opened += 1;
  }
}
