import type { Clock } from './clock.ts';
import { AppError } from './errors.ts';

export interface BatcherOptions<Item> {
  readonly clock: Clock;
  /** How long the first item of a batch waits for others. */
  readonly windowMs: number;
  readonly maxItems: number;
  /** Items that may wait; beyond that they are refused with `overloaded`. */
  readonly maxWaiting: number;
  readonly run: (items: readonly Item[]) => Promise<void>;
}

interface Waiting<Item> {
  readonly item: Item;
  readonly settled: PromiseWithResolvers<void>;
}

/** Gathers what comes within some milliseconds, so that one transaction carries it; one batch at a time. */
export class Batcher<Item> {
  readonly #options: BatcherOptions<Item>;
  readonly #waiting: Waiting<Item>[] = [];
  #running: Promise<void> | undefined;

  constructor(options: BatcherOptions<Item>) {
    this.#options = options;
  }

  /** Resolves when the batch with this item has run; rejects as it did. */
  add(item: Item): Promise<void> {
    if (this.#waiting.length >= this.#options.maxWaiting)
      return Promise.reject(new AppError('overloaded', { retryAfterSeconds: 1 }));
    const settled = Promise.withResolvers<void>();
    this.#waiting.push({ item, settled });
    this.#running ??= this.#runAll();
    return settled.promise;
  }

  /** Resolves when everything that was added has run. */
  async drain(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #runAll(): Promise<void> {
    const { clock, maxItems, run, windowMs } = this.#options;
    await clock.sleep(windowMs);
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, maxItems);
      try {
        await run(batch.map(({ item }) => item));
        for (const { settled } of batch) settled.resolve();
      } catch (error) {
        for (const { settled } of batch) settled.reject(error);
      }
    }
    this.#running = undefined;
  }
}
