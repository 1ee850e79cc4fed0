import type { VideoCounts } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import type { Counters } from '../counters/index.ts';
import type { CardState } from './card-state.ts';

/** What videos count, and the same as JSON. */
export interface CountText {
  readonly counts: VideoCounts;
  readonly text: string;
}

interface Kept extends CountText {
  readonly version: number;
  readonly untilMs: number;
}

const maxKept = 50_000;
/** How much older than a read of the counters. */
const keptMs = 1_000;

/**
 * Counts of many videos as ready JSON, for pages of cards: what others did, about two seconds old at most; what this
 * process did, at once.
 *
 * Cost: a look-up for each video; those that are not here share one read of the counters.
 */
export class CountTexts {
  readonly #cardState: Pick<CardState, 'counts'>;
  readonly #counters: Pick<Counters, 'version' | 'changedAt'>;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(
    cardState: Pick<CardState, 'counts'>,
    counters: Pick<Counters, 'version' | 'changedAt'>,
    clock: Clock,
  ) {
    this.#cardState = cardState;
    this.#counters = counters;
    this.#clock = clock;
  }

  getIfHere(videoId: string, nowMs = this.#clock.monotonicMs()): CountText | undefined {
    const kept = this.#kept.get(videoId);
    if (kept === undefined || kept.untilMs <= nowMs) return undefined;
    return this.#counters.changedAt(videoId) > kept.version ? undefined : kept;
  }

  /** Afterwards `getIfHere` has them, unless something was counted meanwhile: use what is answered. */
  async load(videoIds: readonly string[], signal?: AbortSignal): Promise<Map<string, CountText>> {
    const { version } = this.#counters;
    const untilMs = this.#clock.monotonicMs() + keptMs;
    const found = await this.#cardState.counts(videoIds, signal);
    const texts = new Map<string, CountText>();
    for (const [id, counts] of found) {
      const kept: Kept = { counts, text: JSON.stringify(counts), version, untilMs };
      texts.set(id, kept);
      this.#kept.delete(id);
      this.#kept.set(id, kept);
    }
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= maxKept) break;
      this.#kept.delete(oldest);
    }
    return texts;
  }
}
