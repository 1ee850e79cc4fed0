/** A clock that moves only when it is told to, and a source of numbers that a seed decides. */
export class Timeline {
  nowMs = 1_800_000_000_000;
  #timers: { readonly at: number; readonly order: number; readonly callback: () => void }[] = [];
  #order = 0;
  #state: number;

  constructor(seed = 1) {
    this.#state = seed;
  }

  readonly setTimer = (ms: number, callback: () => void): (() => void) => {
    const timer = { at: this.nowMs + ms, order: this.#order++, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** Mulberry32. */
  readonly random = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };

  readonly randomName = (): string =>
    Array.from({ length: 4 }, () => Math.floor(this.random() * 0x1_0000_0000).toString(36)).join('');

  between(min: number, max: number): number {
    return min + Math.floor(this.random() * (max - min + 1));
  }

  /** Lets so much time pass: timers fire in their order, and what they begin is let go on before the next. */
  async pass(ms: number): Promise<void> {
    const until = this.nowMs + ms;
    await settled();
    for (;;) {
      const next = this.#timers
        .filter(({ at }) => at <= until)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.nowMs = Math.max(this.nowMs, next.at);
      next.callback();
      await settled();
    }
    this.nowMs = until;
  }

  /** Time passes until something holds, at most `ms`. */
  async until(holds: () => boolean, ms = 120_000): Promise<void> {
    for (let passed = 0; !holds(); passed += 20) {
      if (passed > ms) throw new Error(`not after ${ms} ms: ${holds}`);
      await this.pass(20);
    }
  }
}

/** Everything that waits for promises only has gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
