import type { Clock } from './clock.ts';

const maxKeys = 200;

/**
 * For what is said once when it happens and would be said ten thousand times when everything fails at once: at most one line
 * a second for each key, with how often it happened since the last one.
 */
export class Occasionally {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #keys = new Map<string, { quietUntilMs: number; times: number }>();

  constructor(clock: Clock, everyMs = 1_000) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  say(key: string, line: (times: number) => void): void {
    const nowMs = this.#clock.monotonicMs();
    let state = this.#keys.get(key);
    if (!state) {
      if (this.#keys.size >= maxKeys) this.#keys.clear();
      state = { quietUntilMs: Number.NEGATIVE_INFINITY, times: 0 };
      this.#keys.set(key, state);
    }
    state.times += 1;
    if (nowMs < state.quietUntilMs) return;
    state.quietUntilMs = nowMs + this.#everyMs;
    const { times } = state;
    state.times = 0;
    line(times);
  }
}
