import { describe, expect, test } from 'bun:test';
import type { ChatMark } from '@hvideo/protocol';
import pino from 'pino';
import type { Clock } from '../../../kernel/clock.ts';
import { AppError } from '../../../kernel/errors.ts';
import type { DeliveredMark } from '../../../ports/conversation-store/port.ts';
import type { Cursor } from '../../../ports/device-store/port.ts';
import { Checkpoints } from './checkpoints.ts';

/** Timers fire when the test says so. */
class HandClock implements Clock {
  readonly #timers = new Set<() => void>();
  nowMs = () => 1_000;
  monotonicMs = () => 0;
  sleep = () => Promise.reject(new Error('nobody sleeps here'));
  every = () => {
    throw new Error('nothing is done again and again here');
  };
  after = (_ms: number, run: () => void): Disposable => {
    this.#timers.add(run);
    return { [Symbol.dispose]: () => this.#timers.delete(run) };
  };
  get timers(): number {
    return this.#timers.size;
  }
  fire(): void {
    for (const run of [...this.#timers]) {
      this.#timers.delete(run);
      run();
    }
  }
}

function world(large: readonly string[] = []) {
  const clock = new HandClock();
  const written: Cursor[][] = [];
  const marked: DeliveredMark[][] = [];
  const told: ChatMark[] = [];
  const store = { failing: false };
  const checkpoints = new Checkpoints({
    clock,
    log: pino({ level: 'silent' }),
    devices: {
      async checkpoint(cursors) {
        if (store.failing) throw new AppError('database-unavailable');
        written.push([...cursors]);
      },
    },
    conversations: {
      async markDelivered(marks) {
        marked.push([...marks]);
        return marks.filter(({ seq }) => seq > 1);
      },
    },
    sizes: { small: async (ids) => new Set(ids.filter((id) => !large.includes(id))) },
    told: { mark: (mark) => told.push(mark) },
  });
  return { clock, written, marked, told, store, checkpoints };
}

const phone = { id: '11', accountId: '1' };
const tablet = { id: '12', accountId: '1' };
const cursorsOf = (cursors: readonly Cursor[] | undefined) =>
  cursors?.map(({ deviceId, conversationId, seq }) => [deviceId, conversationId, seq]);

describe('checkpoints', () => {
  test('of a device and a conversation are one row, whatever the number of acknowledgements', async () => {
    const { checkpoints, clock, written } = world();
    for (const seq of [1, 2, 5, 3]) checkpoints.note(phone, 'a', seq);
    checkpoints.note(phone, 'b', 7);
    checkpoints.note(tablet, 'a', 4);
    expect([clock.timers, checkpoints.waiting, written]).toEqual([1, 3, []]);
    clock.fire();
    await checkpoints.flush();
    expect(written.map(cursorsOf)).toEqual([
      [
        ['11', 'a', 5],
        ['11', 'b', 7],
        ['12', 'a', 4],
      ],
    ]);
    expect(checkpoints.waiting).toBe(0);
  });

  test('raise one mark for each account, tell those that rose, and none in large groups', async () => {
    const { checkpoints, marked, told } = world(['large']);
    checkpoints.note(phone, 'a', 5);
    checkpoints.note(tablet, 'a', 4);
    checkpoints.note(phone, 'b', 1);
    checkpoints.note(phone, 'large', 9);
    await checkpoints.flush();
    expect(marked).toEqual([
      [
        { accountId: '1', conversationId: 'a', seq: 5 },
        { accountId: '1', conversationId: 'b', seq: 1 },
      ],
    ]);
    expect(told).toEqual([
      { kind: 'mark', conversationId: 'a', accountId: '1', readSeq: 0, deliveredSeq: 5 },
    ]);
  });

  test('are kept while the store fails, and never go back', async () => {
    const { checkpoints, clock, store, written } = world();
    store.failing = true;
    checkpoints.note(phone, 'a', 5);
    await checkpoints.flush();
    checkpoints.note(phone, 'a', 3);
    expect([checkpoints.waiting, written, clock.timers]).toEqual([1, [], 1]);
    store.failing = false;
    clock.fire();
    await checkpoints.flush();
    expect(written.map(cursorsOf)).toEqual([[['11', 'a', 5]]]);
  });

  test('are bounded: what finds no room is counted', async () => {
    const { checkpoints, store } = world();
    store.failing = true;
    for (let n = 0; n < 100_010; n++) checkpoints.note(phone, String(n), 1);
    await checkpoints.flush();
    await checkpoints.flush();
    expect(checkpoints.waiting).toBeLessThanOrEqual(100_000);
    expect(checkpoints.lost).toBe(10);
  });

  test('go in portions, and all of them before the end', async () => {
    const { checkpoints, written } = world();
    for (let n = 0; n < 4_500; n++) checkpoints.note(phone, String(n), 1);
    await checkpoints[Symbol.asyncDispose]();
    expect(written.map(({ length }) => length)).toEqual([2_000, 2_000, 500]);
  });
});
