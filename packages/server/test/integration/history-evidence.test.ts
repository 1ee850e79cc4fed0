import { describe, expect, test } from 'bun:test';
import pino from 'pino';
import { MemoryBus } from '../../src/adapters/memory/bus.ts';
import { SegmentEvidence } from '../../src/features/history/evidence.ts';
import type { Bus } from '../../src/ports/bus/port.ts';

const log = pino({ level: 'silent' });
const hoursMs = 3_600_000;

/** Timers run when the test says so. */
function manualClock() {
  let nowMs = 0;
  const timers = new Set<() => void>();
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: () => Promise.reject(new Error('nobody sleeps here')),
    after: (_ms: number, run: () => void) => {
      timers.add(run);
      return { [Symbol.dispose]: () => void timers.delete(run) };
    },
    every: () => ({ [Symbol.dispose]: () => {} }),
    pass: (ms: number) => {
      nowMs += ms;
      for (const run of [...timers]) if (timers.delete(run)) run();
    },
  };
}

describe('who has fetched a segment', () => {
  test('is known for as long as a link lives, within its bound', async () => {
    const clock = manualClock();
    await using evidence = await SegmentEvidence.open({ clock, log, bus: new MemoryBus() }, 2);
    evidence.note('1', 'a');
    evidence.note('1', 'b');
    evidence.note('1', 'a');
    expect([evidence.has('1', 'a'), evidence.has('1', 'c'), evidence.has('2', 'a')]).toEqual([
      true,
      false,
      false,
    ]);
    evidence.note('2', 'a');
    expect([evidence.has('1', 'b'), evidence.has('1', 'a'), evidence.has('2', 'a')]).toEqual([
      false,
      true,
      true,
    ]);
    clock.pass(4 * hoursMs);
    expect(evidence.has('2', 'a')).toBe(false);
  });

  test('is known to other processes too, and told once', async () => {
    const clock = manualClock();
    const memory = new MemoryBus();
    let messages = 0;
    const bus: Bus = {
      subscribe: (topic, handler) => memory.subscribe(topic, handler),
      publish: (topic, message) => {
        messages += 1;
        return memory.publish(topic, message);
      },
    };
    await using one = await SegmentEvidence.open({ clock, log, bus });
    await using other = await SegmentEvidence.open({ clock, log, bus });
    for (let time = 0; time < 5; time += 1) {
      for (let viewer = 0; viewer < 1_500; viewer += 1) one.note('7', String(viewer));
      clock.pass(1_000);
      await Promise.resolve();
    }
    expect([other.has('7', '0'), other.has('7', '1499'), other.has('7', '1500')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(messages).toBe(2);
    clock.pass(3 * hoursMs);
    one.note('7', '0');
    clock.pass(1_000);
    await Promise.resolve();
    clock.pass(2 * hoursMs);
    expect([other.has('7', '0'), other.has('7', '1')]).toEqual([true, false]);
  });
});
