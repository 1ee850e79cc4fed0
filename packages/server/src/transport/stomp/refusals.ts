import type { AppError } from '../../kernel/errors.ts';
import type { Refusal } from './frames.ts';
import { gatewayLimits as limits, refusalLimit } from './limits.ts';

/** What one connection was refused. Most never are: it is made when something is. */
export class Refusals {
  #excess = 0;
  #kept: Refusal[] = [];

  /** False: it goes on sending although it was told for long that it sends too much. */
  count({ code }: AppError): boolean {
    if (code === 'rate-limited') this.#excess += 1;
    return this.#excess <= refusalLimit.most;
  }

  /** It has kept to the limits once. */
  makeUp(): void {
    this.#excess = Math.max(0, this.#excess - refusalLimit.madeUpForEach);
  }

  /** Until somebody listens; of too many the oldest are forgotten. */
  keep(refusal: Refusal): void {
    if (this.#kept.length >= limits.maxErrorsKept) this.#kept.shift();
    this.#kept.push(refusal);
  }

  take(): readonly Refusal[] {
    const kept = this.#kept;
    this.#kept = [];
    return kept;
  }
}
