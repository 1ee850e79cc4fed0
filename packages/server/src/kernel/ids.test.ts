import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Clock } from './clock.ts';
import {
  compareIds,
  ID_EPOCH_MS,
  type IdLease,
  idTimeMs,
  isId,
  SnowflakeGenerator,
  smallestIdAt,
} from './ids.ts';

const START_MS = ID_EPOCH_MS + 40_000_000_000;

class FakeClock implements Clock {
  wallMs: number;
  elapsedMs = 0;
  constructor(wallMs = START_MS) {
    this.wallMs = wallMs;
  }
  nowMs = () => this.wallMs;
  monotonicMs = () => this.elapsedMs;
  sleep = async () => {};
  after = () => ({ [Symbol.dispose]: () => {} });
  every = () => ({ [Symbol.dispose]: () => {} });
}

const forEver = (node: number): IdLease => ({
  node,
  issuedUntilMs: Number.MAX_SAFE_INTEGER,
  deadlineMs: Number.POSITIVE_INFINITY,
});

/** One step of a process: make some ids, or have its clock set. */
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('make' as const), count: fc.integer({ min: 1, max: 5_000 }) }),
    fc.record({ kind: fc.constant('step' as const), ms: fc.integer({ min: -100_000, max: 1_000 }) }),
  ),
  { maxLength: 12 },
);

describe('SnowflakeGenerator', () => {
  test('grows strictly and fits 63 bits, however the clock is set', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 1_023 }), (plan, node) => {
        const clock = new FakeClock();
        const ids = new SnowflakeGenerator(clock, () => forEver(node));
        let last = -1n;
        for (const step of plan) {
          if (step.kind === 'step') clock.wallMs += step.ms;
          else
            for (let i = 0; i < step.count; i++) {
              const id = BigInt(ids.next());
              if (id <= last || id >= 2n ** 63n) throw new Error(`${id} after ${last}`);
              if (Number((id >> 12n) & 1_023n) !== node) throw new Error(`node of ${id}`);
              last = id;
            }
        }
      }),
      { numRuns: 60 },
    );
  });

  test('processes that lease, lose, die and step their clocks never make one id twice', () => {
    const event = fc.record({
      process: fc.integer({ min: 0, max: 3 }),
      kind: fc.constantFrom('make', 'make', 'make', 'renew', 'die', 'pause', 'step'),
      amount: fc.integer({ min: -30_000, max: 30_000 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 300 }), (events) => {
        const world = new LeaseWorld(4);
        for (const { process, kind, amount } of events) world.apply(process, kind, amount);
        expect(world.made.size).toBe(world.count);
      }),
      { numRuns: 300 },
    );
  });

  test('borrows the next millisecond when one is full', () => {
    const ids = new SnowflakeGenerator(new FakeClock(), () => forEver(5));
    const made = Array.from({ length: 4_097 }, () => ids.next());
    expect(idTimeMs(made[4_095] ?? '')).toBe(START_MS);
    expect(idTimeMs(made[4_096] ?? '')).toBe(START_MS + 1);
  });

  test('refuses before a lease, past its deadline and past its time', () => {
    const clock = new FakeClock();
    let lease: IdLease | undefined;
    const ids = new SnowflakeGenerator(clock, () => lease);
    const code = 'The database cannot be reached';
    expect(() => ids.next()).toThrow(code);
    lease = { node: 1, issuedUntilMs: START_MS + 10, deadlineMs: 1_000 };
    expect(idTimeMs(ids.next())).toBe(START_MS);
    clock.wallMs = START_MS + 10;
    expect(() => ids.next()).toThrow(code);
    clock.wallMs = START_MS + 9;
    expect(idTimeMs(ids.next())).toBe(START_MS + 9);
    clock.elapsedMs = 1_000;
    expect(() => ids.next()).toThrow(code);
  });
});

describe('ids as text', () => {
  test('order and form agree with the numbers', () => {
    const id = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(id, id, (a, b) => {
        expect(Math.sign(compareIds(String(a), String(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
        expect(isId(String(a))).toBe(true);
      }),
    );
  });

  test('refuses what is no id', () => {
    for (const text of ['', '-1', '01', '1.5', ' 1', '9223372036854775808', '1e3', 'abc', '٣', '1\n']) {
      expect(isId(text)).toBe(false);
    }
  });

  test('smallestIdAt stands before every id of its millisecond', () => {
    const ids = new SnowflakeGenerator(new FakeClock(), () => forEver(0));
    expect(compareIds(smallestIdAt(START_MS), ids.next())).toBeLessThanOrEqual(0);
    expect(idTimeMs(smallestIdAt(START_MS))).toBe(START_MS);
  });
});

interface FakeProcess {
  clock: FakeClock;
  lease: IdLease | undefined;
  ids: SnowflakeGenerator;
  holder: object;
}

/** The lease table as the database keeps it, and processes whose own clocks are wrong. */
class LeaseWorld {
  readonly made = new Set<string>();
  count = 0;
  #timeMs = START_MS;
  readonly #table = new Map<number, { holder: object; expiresAtMs: number; issuedUntilMs: number }>();
  readonly #processes: FakeProcess[];

  constructor(count: number) {
    this.#processes = Array.from({ length: count }, () => this.#spawn(0));
  }

  #spawn(skewMs: number): FakeProcess {
    const clock = new FakeClock(this.#timeMs + skewMs);
    clock.elapsedMs = this.#timeMs;
    const process: FakeProcess = {
      clock,
      lease: undefined,
      holder: {},
      ids: new SnowflakeGenerator(clock, () => process.lease),
    };
    return process;
  }

  apply(index: number, kind: string, amount: number): void {
    const process = this.#processes[index];
    if (!process) return;
    if (kind === 'pause') this.#pass(Math.abs(amount));
    if (kind === 'step') process.clock.wallMs += amount;
    if (kind === 'die') this.#processes[index] = this.#spawn(amount);
    if (kind === 'renew') this.#renew(process);
    if (kind !== 'make') return;
    for (let i = 0; i < 20; i++) {
      try {
        this.made.add(process.ids.next());
        this.count += 1;
      } catch {
        // Refused: the lease does not allow it, which is what keeps ids apart.
      }
    }
  }

  #pass(ms: number): void {
    this.#timeMs += ms;
    for (const { clock } of this.#processes) {
      clock.wallMs += ms;
      clock.elapsedMs += ms;
    }
  }

  /** Two numbers for four processes, so that they fight for them. */
  #renew(process: FakeProcess): void {
    const nowMs = this.#timeMs;
    for (const node of [0, 1]) {
      const row = this.#table.get(node);
      const mine = row?.holder === process.holder;
      const free = !row || (row.expiresAtMs < nowMs && row.issuedUntilMs < nowMs);
      if (!mine && !free) continue;
      const issuedUntilMs = Math.max(row?.issuedUntilMs ?? 0, nowMs + 20_000);
      this.#table.set(node, { holder: process.holder, expiresAtMs: nowMs + 10_000, issuedUntilMs });
      process.lease = { node, issuedUntilMs, deadlineMs: process.clock.elapsedMs + 10_000 };
      return;
    }
    process.lease = undefined;
  }
}
