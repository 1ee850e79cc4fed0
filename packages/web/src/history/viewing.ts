import type { ViewReport } from '@hvideo/protocol';

/** A step of the picture beyond this is no playing: the tab slept, or somebody moved the position. */
const longestStepMs = 2_000;
/** Less than this is scrolling past. */
const shortestMs = 3_000;
const reportEveryMs = 12_000;
const endShare = 0.95;

/**
 * How much of one video one person really sees, from where the picture is. Each report holds all of the viewing so far:
 * a lost one is made up for by the next.
 */
export class Viewing {
  readonly #durationMs: number;
  #watchedMs = 0;
  #positionMs: number | undefined;
  #isCompleted = false;
  #reported: { watchedMs: number; positionMs: number } | undefined;

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  /** The picture is here now, by playing; a clip that starts over by itself was seen to its end. */
  playedTo(positionMs: number): void {
    const fromMs = this.#positionMs;
    this.#positionMs = positionMs;
    if (positionMs >= this.#durationMs * endShare) this.#isCompleted = true;
    if (fromMs === undefined) return;
    const stepMs = positionMs - fromMs;
    if (stepMs >= 0 && stepMs <= longestStepMs) this.#watchedMs += stepMs;
    const roundMs = stepMs + this.#durationMs;
    if (stepMs < 0 && roundMs >= 0 && roundMs <= longestStepMs) {
      this.#watchedMs += roundMs;
      this.#isCompleted = true;
    }
  }

  /** The viewer went there: nothing in between was seen. */
  wentTo(positionMs: number): void {
    this.#positionMs = positionMs;
  }

  /** What to tell while it plays, from time to time; undefined when there is nothing to tell yet. */
  due(): ViewReport | undefined {
    const sinceMs = this.#watchedMs - (this.#reported?.watchedMs ?? 0);
    return this.#reported && sinceMs < reportEveryMs ? undefined : this.last();
  }

  /** What to tell when it pauses or is left. */
  last(): ViewReport | undefined {
    const positionMs = Math.round(this.#positionMs ?? 0);
    const watchedMs = Math.round(this.#watchedMs);
    if (watchedMs < Math.min(shortestMs, this.#durationMs / 2)) return undefined;
    if (this.#reported?.watchedMs === watchedMs && this.#reported.positionMs === positionMs) return undefined;
    this.#reported = { watchedMs, positionMs };
    return { watchedMs, positionMs, completed: this.#isCompleted };
  }
}

/** Where to go on, or undefined to begin at the beginning: after the end, or so near to an edge that it is no help. */
export function resumeAt(
  place: { readonly positionMs: number; readonly completed: boolean },
  durationMs: number,
): number | undefined {
  const isNearEnd = durationMs - place.positionMs < Math.max(3_000, durationMs * 0.08);
  return place.completed || place.positionMs < 3_000 || isNearEnd ? undefined : place.positionMs;
}
