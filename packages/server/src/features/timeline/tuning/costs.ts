import type { Metrics } from '../../../kernel/metrics.ts';

interface Bounds {
  readonly startMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** Of one entry into one inbox, among many of a call. */
const PUSH: Bounds = { startMs: 0.02, minMs: 0.001, maxMs: 5 };
/** Of one outbox for one page, among many of a call. */
const PULL: Bounds = { startMs: 0.02, minMs: 0.001, maxMs: 20 };
/** The average is over about this many pushes or pulls: minutes of a quiet community, seconds of a busy one. */
const MEMORY = 5_000;
/** One stall (a garbage collection, a slept laptop) is not what a push costs. */
const MAX_JUMP = 20;

class Average {
  readonly #bounds: Bounds;
  #ms: number;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    this.#ms = bounds.startMs;
  }

  get ms(): number {
    return this.#ms;
  }

  note(count: number, tookMs: number): void {
    if (!(count > 0) || !(tookMs >= 0)) return;
    const { minMs, maxMs } = this.#bounds;
    const each = Math.min(Math.max(tookMs / count, minMs), maxMs, this.#ms * MAX_JUMP);
    this.#ms += (each - this.#ms) * -Math.expm1(-count / MEMORY);
  }
}

/** Pushes or pulls, and how long they took together. */
export interface Measured {
  readonly count: number;
  readonly tookMs: number;
}

const none: Measured = { count: 0, tookMs: 0 };
const plus = (all: Measured, count: number, tookMs: number): Measured => ({
  count: all.count + count,
  tookMs: all.tookMs + tookMs,
});

/**
 * What a push and a pull cost, measured where they are made. An edge is pushed when its reads, each of which would be
 * a pull, cost more than its posts, each of which is a push: `reads / posts >= H / L` (Silberstein et al., "Feeding
 * Frenzy", SIGMOD 2010, section 3). Both are time of the caller for one of many; only their quotient counts.
 */
export class Costs {
  readonly #push = new Average(PUSH);
  readonly #pull = new Average(PULL);
  /** Measured here since it was taken. */
  #pushes = none;
  #pulls = none;

  /** The worker of the fan-out: so many entries went into inboxes in one call. */
  notePushes(count: number, tookMs: number): void {
    this.#push.note(count, tookMs);
    this.#pushes = plus(this.#pushes, count, tookMs);
  }

  /** The reader: so many outboxes were read for one page. */
  notePulls(count: number, tookMs: number): void {
    this.#pull.note(count, tookMs);
    this.#pulls = plus(this.#pulls, count, tookMs);
  }

  /** For other processes, once each. */
  takeMeasured(): { readonly pushes: Measured; readonly pulls: Measured } {
    const [pushes, pulls] = [this.#pushes, this.#pulls];
    this.#pushes = none;
    this.#pulls = none;
    return { pushes, pulls };
  }

  /** What another process has measured. */
  hear({ pushes, pulls }: { readonly pushes: Measured; readonly pulls: Measured }): void {
    this.#push.note(pushes.count, pushes.tookMs);
    this.#pull.note(pulls.count, pulls.tookMs);
  }

  /** H, in milliseconds. */
  get pushMs(): number {
    return this.#push.ms;
  }

  /** L, in milliseconds. */
  get pullMs(): number {
    return this.#pull.ms;
  }

  /** H / L, kept between a twentieth and twenty: beyond that one of the two was not measured but disturbed. */
  get ratio(): number {
    return Math.min(Math.max(this.pushMs / this.pullMs, 1 / 20), 20);
  }

  exportTo(metrics: Metrics): void {
    metrics.gauge('timeline_push_cost_seconds', 'Time for one entry into one inbox (H), averaged', () => {
      return this.pushMs / 1_000;
    });
    metrics.gauge('timeline_pull_cost_seconds', 'Time for one outbox of one page (L), averaged', () => {
      return this.pullMs / 1_000;
    });
    metrics.gauge('timeline_cost_ratio', 'H / L: reads for each post from which on an edge is pushed', () => {
      return this.ratio;
    });
  }
}
