import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';

export interface LaneOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Finds what nobody was woken for: the work of a process that died, and what another one committed. */
  readonly pollMs: number;
  /** True: there may be more at once. */
  readonly turn: (signal: AbortSignal) => Promise<boolean>;
}

/** Takes turns as long as there is work, then waits to be woken. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #isWoken = false;
  #wakeUp: () => void = () => {};

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  wake(): void {
    this.#isWoken = true;
    this.#wakeUp();
  }

  /** Resolves when the turn under way has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { log, name, turn } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#isWoken = false;
      let hasMore = false;
      try {
        hasMore = await turn(signal);
      } catch (error) {
        // Whatever was leased is tried again when its lease ends.
        if (!signal.aborted) log.warn({ err: error, lane: name }, 'a turn of the timelines failed');
        this.#isWoken = false;
      }
      if (!hasMore && !this.#isWoken && !signal.aborted) await this.#rest();
    }
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(this.#options.pollMs, resolve);
      this.#wakeUp = () => {
        timer[Symbol.dispose]();
        resolve();
      };
    });
  }
}
