import type { VideoCounts } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import type { Counters } from '../counters/index.ts';
import type { CardState } from './card-state.ts';

/** What videos count, and the same as JSON. */
export interface CountText {
  readonly videoId: string;
  readonly counts: VideoCounts;
  readonly text: string;
  readonly untilMs: number;
  /** Up to this version of the counters nothing has changed. */
  version: number;
}

/** Whoever keeps something beside them keeps it for as long: about a kilobyte for a card. */
const maxKept = 20_000;
/** How much older than a read of the counters, where other processes fold what changes. */
const sharedMs = 1_000;
/** Where this process folds all: it hears of every change. */
const ownMs = 60_000;

export interface CountTextsDeps {
  readonly cardState: Pick<CardState, 'counts'>;
  readonly counters: Pick<Counters, 'version' | 'changedAt'>;
  readonly clock: Clock;
  /** No other process folds. */
  readonly isAlone: boolean;
}

/**
 * Counts of many videos as ready JSON, for pages of cards: what others did, about two seconds old at most; what this
 * process did, at once.
 *
 * Cost: a look-up for each video; those that are not here share one read of the counters.
 */
export class CountTexts {
  readonly #deps: CountTextsDeps;
  readonly #keptMs: number;
  readonly #kept = new Map<string, CountText>();

  constructor(deps: CountTextsDeps) {
    this.#deps = deps;
    this.#keptMs = deps.isAlone ? ownMs : sharedMs;
  }

  getIfHere(videoId: string, nowMs = this.#deps.clock.monotonicMs()): CountText | undefined {
    const kept = this.#kept.get(videoId);
    return kept !== undefined && this.isCurrent(kept, nowMs) ? kept : undefined;
  }

  /** Whether they may still be shown: for whoever has kept them, cheaper than a look-up. */
  isCurrent(kept: CountText, nowMs: number): boolean {
    if (kept.untilMs <= nowMs) return false;
    const { counters } = this.#deps;
    const { version } = counters;
    if (kept.version === version) return true;
    if (counters.changedAt(kept.videoId) > kept.version) return false;
    kept.version = version;
    return true;
  }

  /** Afterwards `getIfHere` has them, unless something was counted meanwhile: use what is answered. */
  async load(videoIds: readonly string[], signal?: AbortSignal): Promise<Map<string, CountText>> {
    const { version } = this.#deps.counters;
    const untilMs = this.#deps.clock.monotonicMs() + this.#keptMs;
    const found = await this.#deps.cardState.counts(videoIds, signal);
    const texts = new Map<string, CountText>();
    for (const [id, counts] of found) {
      const kept: CountText = { videoId: id, counts, text: JSON.stringify(counts), version, untilMs };
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
