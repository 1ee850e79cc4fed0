import { drainMicrotasks } from 'bun:jsc';
import type { Clock } from '../../../src/kernel/clock.ts';
import type { Random } from '../../../src/kernel/random.ts';

const startMs = Date.UTC(2026, 0, 1);

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly machine: Machine;
  readonly run: () => void;
  isCancelled: boolean;
}

/** A thing that can die: what it was going to do then never happens. */
export class Machine {
  readonly name: string;
  isAlive = true;
  /** Its clock is set wrong by so much. */
  clockOffsetMs = 0;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * Simulated time. Between two events everything that follows from the first has happened, so that one seed always makes the
 * same run; nothing here may wait for the real clock, a thread or a file.
 */
export class Scheduler {
  readonly random: Chance;
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #orders = 0;
  steps = 0;

  constructor(seed: number) {
    this.random = new Chance(seed);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  at(delayMs: number, machine: Machine, run: () => void): Disposable {
    const event = { atMs: this.#nowMs + delayMs, order: this.#orders++, machine, run, isCancelled: false };
    push(this.#heap, event);
    return {
      [Symbol.dispose]: () => {
        event.isCancelled = true;
      },
    };
  }

  /** Runs what is due within `ms`, at most `maxSteps` events. */
  pass(ms: number, maxSteps = 1_000_000): void {
    const untilMs = this.#nowMs + ms;
    const lastStep = this.steps + maxSteps;
    drainMicrotasks();
    for (;;) {
      const next = this.#heap[0];
      if (!next || next.atMs > untilMs) break;
      pop(this.#heap);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      if (next.isCancelled || !next.machine.isAlive) continue;
      if (++this.steps > lastStep) throw new Error(`more than ${maxSteps} events within ${ms} ms`);
      next.run();
      drainMicrotasks();
    }
    this.#nowMs = untilMs;
  }

  clockOf(machine: Machine): Clock {
    const after = (ms: number, run: () => void) => this.at(Math.max(0, ms), machine, run);
    return {
      nowMs: () => startMs + Math.floor(this.#nowMs) + machine.clockOffsetMs,
      monotonicMs: () => this.#nowMs,
      sleep: (ms, { signal } = {}) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason);
          const timer = after(ms, resolve);
          signal?.addEventListener('abort', () => {
            timer[Symbol.dispose]();
            reject(signal.reason);
          });
        }),
      after,
      every: (ms, run) => every(after, ms, run),
    };
  }
}

function every(
  after: (ms: number, run: () => void) => Disposable,
  ms: number,
  run: () => void | Promise<void>,
): Disposable {
  let isEnded = false;
  let isRunning = false;
  let timer: Disposable;
  const turn = () => {
    timer = after(ms, turn);
    if (isRunning) return;
    isRunning = true;
    void Promise.resolve(run()).finally(() => {
      isRunning = false;
    });
  };
  timer = after(ms, turn);
  return {
    [Symbol.dispose]: () => {
      if (!isEnded) timer[Symbol.dispose]();
      isEnded = true;
    },
  };
}

/** Seeded randomness: mulberry32. */
export class Chance implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 <= x < 1 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  integer(below: number): number {
    return Math.floor(this.next() * below);
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.integer(256));
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.integer(times) === 0;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.integer(from.length)]!;
  }

  /** Mostly short, now and then long: as networks and disks are. */
  delayMs(typicalMs: number): number {
    const slow = this.once(50) ? 20 : 1;
    return typicalMs * slow * (0.5 + this.next());
  }

  fork(): Chance {
    return new Chance(this.integer(2 ** 32));
  }
}

const isBefore = (a: Event, b: Event) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(event, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
    if (!isBefore(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
}
