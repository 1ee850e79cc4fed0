import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Random } from '../../kernel/random.ts';
import { keyOf } from './overlay.ts';
import type { Increment, Sighting } from './types.ts';

/** What one packed row holds. */
export interface Packed {
  readonly increments: readonly Increment[];
  readonly sightings: readonly Sighting[];
}

/** Writes a packed row; writing the same `seq` again does nothing. Resolves when the row is on disk. */
export type WritePacked = (seq: number, packed: Packed) => Promise<void>;

export interface CombinerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly write: WritePacked;
}

/** Long enough for a busy server to put a thousand increments into a row, short beside the commit that follows. */
const windowMs = 15;
/** Counters and sightings in one row: about 200 KB. */
const maxRowEntries = 16_384;
/** Rows that may wait; beyond that increments are refused. */
const maxWaitingGroups = 32;
const maxAttempts = 6;
const firstRetryMs = 20;
const maxDelta = 2 ** 31 - 1;

class Group {
  readonly deltas = new Map<string, { id: string; metric: Increment['metric']; delta: number }>();
  readonly sightings = new Map<string, Sighting>();
  readonly settled = Promise.withResolvers<void>();

  get entries(): number {
    return this.deltas.size + this.sightings.size;
  }
}

/** Combines increments for some milliseconds and writes them as one row, one row at a time. */
export class Combiner {
  readonly #deps: CombinerDeps;
  readonly #groups: Group[] = [];
  #writing: Promise<void> | undefined;
  #seq = 0;

  constructor(deps: CombinerDeps) {
    this.#deps = deps;
  }

  /** Resolves when a row that holds all of it has committed. Errors: `overloaded`, nothing was counted then. */
  add(increments: readonly Increment[], sightings: readonly Sighting[] = []): Promise<void> {
    const group = this.#openGroup();
    for (const { id, metric, delta } of increments) {
      const key = keyOf(id, metric);
      const sum = group.deltas.get(key);
      if (sum) sum.delta += delta;
      else group.deltas.set(key, { id, metric, delta });
    }
    for (const sighting of sightings) {
      group.sightings.set(`${sighting.id}:${sighting.observation}`, sighting);
    }
    this.#writing ??= this.#writeAll();
    return group.settled.promise;
  }

  /** Resolves when everything that was added has been written, or has failed. */
  async drain(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  #openGroup(): Group {
    const last = this.#groups.at(-1);
    if (last && last.entries < maxRowEntries) return last;
    if (this.#groups.length >= maxWaitingGroups) throw new AppError('overloaded', { retryAfterSeconds: 1 });
    const group = new Group();
    // Whoever waits hears of a failure by this promise; when nobody does any more, it is not an unhandled one.
    group.settled.promise.catch(() => undefined);
    this.#groups.push(group);
    return group;
  }

  async #writeAll(): Promise<void> {
    const { clock } = this.#deps;
    await clock.sleep(windowMs);
    for (;;) {
      const group = this.#groups.shift();
      if (!group) break;
      this.#seq += 1;
      try {
        await this.#write(this.#seq, group);
        group.settled.resolve();
      } catch (error) {
        group.settled.reject(error);
      }
    }
    this.#writing = undefined;
  }

  /** Tried again with the same number: a row whose acknowledgement was lost is not written twice. */
  async #write(seq: number, group: Group): Promise<void> {
    const { clock, random, write } = this.#deps;
    const increments = [...group.deltas.values()].filter(({ delta }) => delta !== 0);
    if (increments.some(({ delta }) => Math.abs(delta) > maxDelta))
      throw new RangeError('an increment is too large');
    const packed = { increments, sightings: [...group.sightings.values()] };
    if (increments.length + packed.sightings.length === 0) return;
    for (let attempt = 1; ; attempt++) {
      try {
        return await write(seq, packed);
      } catch (error) {
        const isWorthIt = error instanceof AppError && error.retry !== 'never';
        if (!isWorthIt || attempt === maxAttempts) throw error;
        await clock.sleep(firstRetryMs * 2 ** attempt * (0.5 + random.integer(1_000) / 1_000));
      }
    }
  }
}
