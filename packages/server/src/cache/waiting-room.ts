/** Those who wait for something to be said about a key or a row; waking them costs them a look, not a wrong answer. */
export class WaitingRoom {
  readonly #waiting = new Map<string, Set<() => void>>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves when one of `topics` is called; `leave` when it is not waited for any more. */
  enter(topics: readonly string[]): { readonly called: Promise<void>; leave(): void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const topic of topics) {
      const present = this.#waiting.get(topic);
      if (present) present.add(resolve);
      else this.#waiting.set(topic, new Set([resolve]));
    }
    const leave = () => {
      for (const topic of topics) {
        const present = this.#waiting.get(topic);
        if (present?.delete(resolve) && present.size === 0) this.#waiting.delete(topic);
      }
    };
    return { called: promise, leave };
  }

  call(topics: Iterable<string>): void {
    for (const topic of topics) for (const wake of this.#waiting.get(topic) ?? []) wake();
  }

  callAll(): void {
    for (const present of this.#waiting.values()) for (const wake of present) wake();
  }
}
