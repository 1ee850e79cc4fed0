import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { AttachedDevices } from './attached-devices.ts';

const readersAtOnce = 8;
const retryMs = 1_000;

export interface RereadingDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly devices: Pick<AttachedDevices, 'all'>;
}

/** Who came into which conversation, and who left, may not have been heard: memberships of all devices are read again. */
export class Rereading {
  readonly #deps: RereadingDeps;
  readonly #ending: AbortSignal;
  #running: Promise<void> | undefined;
  #isAsked = false;

  constructor(deps: RereadingDeps, ending: AbortSignal) {
    this.#deps = deps;
    this.#ending = ending;
  }

  /** Once more, when it is asked for while it goes on. */
  ask(): void {
    this.#isAsked = true;
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#deps;
    while (this.#isAsked && !this.#ending.aborted) {
      this.#isAsked = false;
      const outcomes = await this.#rereadAll();
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (!failed || this.#ending.aborted) continue;
      log.warn({ err: failed.reason }, 'memberships were not read, and are asked for again');
      this.#isAsked = true;
      await clock.sleep(retryMs, { signal: this.#ending }).catch(() => undefined);
    }
    this.#running = undefined;
  }

  #rereadAll(): Promise<PromiseSettledResult<void>[]> {
    const waiting = this.#deps.devices.all();
    const reread = async () => {
      for (let next = waiting.pop(); next; next = waiting.pop()) await next.reread();
    };
    return Promise.allSettled(Array.from({ length: readersAtOnce }, reread));
  }
}
