import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { TimingWheel, WheelEntry } from './timing-wheel.ts';

class HandClock {
  ms = 0;
  ticks: (() => void)[] = [];
  monotonicMs = () => this.ms;
  every = (_ms: number, run: () => void | Promise<void>) => {
    this.ticks.push(run);
    return {
      [Symbol.dispose]: () => {
        this.ticks = [];
      },
    };
  };
  pass(ms: number): void {
    this.ms += ms;
    for (const tick of this.ticks) tick();
  }
}

class Bell extends WheelEntry {
  readonly ring: () => void;
  constructor(ring: () => void) {
    super();
    this.ring = ring;
  }
  expire(): void {
    this.ring();
  }
}

type Step =
  | { readonly kind: 'schedule' | 'hasten'; readonly entry: number; readonly ms: number }
  | { readonly kind: 'cancel'; readonly entry: number }
  | { readonly kind: 'pass'; readonly ms: number };

const entries = 12;
const tickMs = 10;
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('schedule' as const, 'hasten' as const),
    entry: fc.nat(entries - 1),
    ms: fc.oneof(fc.nat(40), fc.nat(3_000)),
  }),
  fc.record({ kind: fc.constant('cancel' as const), entry: fc.nat(entries - 1) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.oneof(fc.nat(25), fc.nat(2_000)) }),
);

describe('TimingWheel', () => {
  test('expires what a sorted list would, never early, never later than two ticks', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.constantFrom(1, 4, 16), (steps, slots) => {
        const clock = new HandClock();
        const wheel = new TimingWheel({ clock, tickMs, slots, maxEntries: entries });
        /** Entry and the time when it is due. */
        const model = new Map<number, number>();
        const rung: number[] = [];
        const bells = Array.from({ length: entries }, (_, index) => new Bell(() => rung.push(index)));
        for (const each of steps) {
          if (each.kind === 'schedule') {
            expect(wheel.schedule(bells[each.entry]!, each.ms)).toBe(true);
            model.set(each.entry, clock.ms + each.ms);
          } else if (each.kind === 'hasten') {
            expect(wheel.hasten(bells[each.entry]!, each.ms)).toBe(true);
            const dueMs = model.get(each.entry) ?? Number.POSITIVE_INFINITY;
            model.set(each.entry, Math.min(dueMs, clock.ms + each.ms));
          } else if (each.kind === 'cancel') {
            wheel.cancel(bells[each.entry]!);
            model.delete(each.entry);
          } else {
            rung.length = 0;
            clock.pass(each.ms);
            for (const index of rung) {
              expect(model.get(index)).toBeLessThanOrEqual(clock.ms);
              model.delete(index);
            }
            expect(new Set(rung).size).toBe(rung.length);
            for (const dueMs of model.values()) expect(dueMs).toBeGreaterThan(clock.ms - 2 * tickMs);
          }
          expect(wheel.size).toBe(model.size);
          expect(bells.filter(({ isWaiting }) => isWaiting)).toHaveLength(model.size);
        }
        clock.pass(10_000);
        expect(wheel.size).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test('what expires may cancel, refresh and schedule its neighbours and itself', () => {
    const clock = new HandClock();
    const wheel = new TimingWheel({ clock, tickMs, slots: 8, maxEntries: 10 });
    const rung: string[] = [];
    const bell = (name: string, then = () => {}) =>
      new Bell(() => {
        rung.push(name);
        then();
      });
    const cancelled = bell('cancelled');
    const postponed = bell('postponed');
    const again = bell('again', () => rung.length < 5 && wheel.schedule(again, 20));
    const first = bell('first', () => {
      wheel.cancel(cancelled);
      wheel.schedule(postponed, 50);
    });
    for (const entry of [first, cancelled, postponed, again]) wheel.schedule(entry, 15);
    clock.pass(20);
    expect(rung).toEqual(['first', 'again']);
    for (let n = 0; n < 10; n += 1) clock.pass(10);
    expect(rung).toEqual(['first', 'again', 'again', 'again', 'postponed', 'again']);
    expect(wheel.size).toBe(0);
  });

  test('refuses more entries than it may hold, and takes one again when there is room', () => {
    const clock = new HandClock();
    const wheel = new TimingWheel({ clock, tickMs, maxEntries: 1 });
    const [one, other] = [new Bell(() => {}), new Bell(() => {})];
    expect(wheel.schedule(one, 10)).toBe(true);
    expect(wheel.schedule(other, 10)).toBe(false);
    expect(wheel.schedule(one, 30)).toBe(true);
    wheel.cancel(one);
    expect(wheel.schedule(other, 10)).toBe(true);
  });

  test('is advanced by one timer, until it is disposed', () => {
    const clock = new HandClock();
    const wheel = new TimingWheel({ clock, tickMs, maxEntries: 1 });
    expect(clock.ticks).toHaveLength(1);
    wheel[Symbol.dispose]();
    expect(clock.ticks).toHaveLength(0);
  });
});
