import type { Clock } from '../../kernel/clock.ts';
import type { TranscodeJob, TranscodeStage } from '../../ports/transcoder/port.ts';

export interface StageWork {
  readonly stage: TranscodeStage;
  /** In any unit, the same for all stages: pixels to decode and encode. */
  readonly work: number;
}

const minReportIntervalMs = 500;

/** Turns "this part is so far" into percent and time left of the whole. Never steps back. */
export class ProgressMeter {
  readonly #clock: Clock;
  readonly #report: TranscodeJob['onProgress'];
  readonly #stages: readonly StageWork[];
  readonly #startedMs: number;
  #lastReportMs = Number.NEGATIVE_INFINITY;
  #percent = 0;

  constructor(clock: Clock, stages: readonly StageWork[], report: TranscodeJob['onProgress']) {
    this.#clock = clock;
    this.#stages = stages;
    this.#report = report;
    this.#startedMs = clock.monotonicMs();
  }

  /** `fraction` (0 to 1) of the stage with this index is done. */
  update(stageIndex: number, fraction: number): void {
    const current = this.#stages[stageIndex];
    if (!current) throw new RangeError(`There is no stage ${stageIndex}`);
    const total = this.#stages.reduce((sum, { work }) => sum + work, 0);
    const before = this.#stages.slice(0, stageIndex).reduce((sum, { work }) => sum + work, 0);
    const done = (before + current.work * Math.min(1, Math.max(0, fraction))) / total;
    this.#percent = Math.max(this.#percent, Math.min(100, done * 100));
    const nowMs = this.#clock.monotonicMs();
    const isLast = this.#percent >= 100;
    if (!isLast && nowMs - this.#lastReportMs < minReportIntervalMs) return;
    this.#lastReportMs = nowMs;
    this.#report({
      percent: Math.round(this.#percent * 10) / 10,
      etaMs: this.#eta(nowMs - this.#startedMs),
      stage: current.stage,
    });
  }

  /** Too early, a guess would only jump about. */
  #eta(elapsedMs: number): number | undefined {
    if (this.#percent >= 100) return 0;
    if (this.#percent < 2 || elapsedMs < 500) return undefined;
    return Math.round((elapsedMs * (100 - this.#percent)) / this.#percent);
  }
}

/** Reads `-progress pipe:1`: answers the output's position in milliseconds, if this line tells it. */
export function positionOf(line: string): number | undefined {
  // `out_time_ms` is in microseconds too, in every version.
  const value = /^out_time_(?:us|ms)=(\d+)/.exec(line)?.[1];
  return value === undefined ? undefined : Number(value) / 1000;
}
