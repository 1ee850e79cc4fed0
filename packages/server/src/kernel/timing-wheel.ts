import type { Clock } from './clock.ts';

export interface TimingWheelOptions {
  readonly clock: Pick<Clock, 'monotonicMs' | 'every'>;
  /** How exact it is: nothing expires early, and, while this process has time, nothing later than two ticks. */
  readonly tickMs: number;
  /** A power of two; entries further ahead than a turn of the wheel wait for several. */
  readonly slots?: number;
  readonly maxEntries: number;
}

/**
 * What waits in a wheel: a part of the object that it belongs to, so that neither a start nor a refresh allocates anything. In at
 * most one wheel at a time.
 */
export abstract class WheelEntry {
  /** Of the list of its slot; itself while it waits for nothing. */
  previous: WheelEntry = this;
  following: WheelEntry = this;
  dueTick = 0;

  get isWaiting(): boolean {
    return this.following !== this;
  }

  /** Called once; the entry waits for nothing by then, and may be scheduled again. Must not throw. */
  abstract expire(): void;
}

/** The head of a slot: the list of its entries begins and ends with it. */
class Slot extends WheelEntry {
  expire(): void {}
}

/**
 * Many deadlines on one timer: a hashed timing wheel (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987,
 * scheme 6). Scheduling, refreshing and cancelling take a constant time, whatever the number of entries.
 *
 * A refresh to a later time leaves the entry where it is and writes down the time only; the hand moves it on when it comes
 * by. So a socket that is never silent is moved once in its period and not once in each of its frames.
 */
export class TimingWheel implements Disposable {
  readonly #clock: TimingWheelOptions['clock'];
  readonly #tickMs: number;
  readonly #maxEntries: number;
  readonly #slots: readonly Slot[];
  readonly #mask: number;
  readonly #startedMs: number;
  readonly #timer: Disposable;
  /** The last tick whose entries have expired. */
  #hand = 0;
  #size = 0;

  constructor({ clock, tickMs, slots = 512, maxEntries }: TimingWheelOptions) {
    if (slots < 1 || (slots & (slots - 1)) !== 0) throw new Error('the number of slots is a power of two');
    this.#clock = clock;
    this.#tickMs = tickMs;
    this.#maxEntries = maxEntries;
    this.#slots = Array.from({ length: slots }, () => new Slot());
    this.#mask = slots - 1;
    this.#startedMs = clock.monotonicMs();
    this.#timer = clock.every(tickMs, () => this.advance());
  }

  get size(): number {
    return this.#size;
  }

  /** Expires in `afterMs`, and no longer at an earlier time. Answers false, and changes nothing, when the wheel is full. */
  schedule(entry: WheelEntry, afterMs: number): boolean {
    const dueTick = this.#tickAfter(afterMs);
    if (entry.isWaiting) {
      if (dueTick < entry.dueTick) {
        unlink(entry);
        link(entry, this.#slotOf(dueTick));
      }
      entry.dueTick = dueTick;
      return true;
    }
    if (this.#size >= this.#maxEntries) return false;
    entry.dueTick = dueTick;
    link(entry, this.#slotOf(dueTick));
    this.#size += 1;
    return true;
  }

  /** As `schedule`, but never later than it was to expire before. */
  hasten(entry: WheelEntry, afterMs: number): boolean {
    const isSooner = entry.isWaiting && entry.dueTick <= this.#tickAfter(afterMs);
    return isSooner || this.schedule(entry, afterMs);
  }

  cancel(entry: WheelEntry): void {
    if (!entry.isWaiting) return;
    unlink(entry);
    this.#size -= 1;
  }

  /** Called by the wheel's own timer. After a pause of this process each slot is looked through once. */
  advance(): void {
    const now = Math.floor((this.#clock.monotonicMs() - this.#startedMs) / this.#tickMs);
    const last = Math.min(now, this.#hand + this.#slots.length);
    for (let tick = this.#hand + 1; tick <= last; tick += 1) this.#expire(this.#slotOf(tick), now);
    this.#hand = Math.max(this.#hand, now);
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  /** The first tick that begins when the time has passed, and one that the hand has yet to come to. */
  #tickAfter(afterMs: number): number {
    const sinceStartMs = this.#clock.monotonicMs() - this.#startedMs;
    return Math.max(Math.ceil((sinceStartMs + Math.max(0, afterMs)) / this.#tickMs), this.#hand + 1);
  }

  #slotOf(tick: number): Slot {
    return this.#slots[tick & this.#mask]!;
  }

  /** Taken out one by one: whoever expires may cancel and schedule any other. */
  #expire(slot: Slot, now: number): void {
    if (!slot.isWaiting) return;
    const due = new Slot();
    due.following = slot.following;
    due.previous = slot.previous;
    due.following.previous = due;
    due.previous.following = due;
    slot.following = slot;
    slot.previous = slot;
    while (due.isWaiting) {
      const entry = due.following;
      unlink(entry);
      if (entry.dueTick > now) {
        link(entry, this.#slotOf(entry.dueTick));
        continue;
      }
      this.#size -= 1;
      entry.expire();
    }
  }
}

function link(entry: WheelEntry, slot: Slot): void {
  entry.previous = slot.previous;
  entry.following = slot;
  slot.previous.following = entry;
  slot.previous = entry;
}

function unlink(entry: WheelEntry): void {
  entry.previous.following = entry.following;
  entry.following.previous = entry.previous;
  entry.previous = entry;
  entry.following = entry;
}
