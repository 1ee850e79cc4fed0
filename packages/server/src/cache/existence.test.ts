import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import pino from 'pino';
import { dependency } from './dependency.ts';
import { Existence, type ExistenceOptions } from './existence.ts';

const row = dependency('video', 'id');
const log = pino({ level: 'silent' });

/** Ids are the time at which they were made, times ten, plus a number. */
function world(options: Partial<ExistenceOptions> = {}) {
  let nowMs = 1_000_000;
  const committed = new Set<string>();
  let scans: number[] = [];
  const clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: () => Promise.reject(new Error('nobody sleeps here')),
    after: () => ({ [Symbol.dispose]: () => {} }),
    every: () => ({ [Symbol.dispose]: () => {} }),
  };
  const existence = new Existence({
    ...{ clock, log, row, youngMs: 1_000, overlapMs: 5_000, rebuildMs: 1_000_000 },
    createdMs: (id) => (/^\d+$/.test(id) ? Math.floor(Number(id) / 10) : undefined),
    async *scan(sinceMs) {
      scans.push(sinceMs);
      const found = [...committed].filter((id) => Number(id) >= sinceMs * 10);
      yield found.slice(0, found.length / 2);
      yield found.slice(found.length / 2);
    },
    ...options,
  });
  return {
    ...{ existence, committed },
    pass: (ms: number) => {
      nowMs += ms;
    },
    idAt: (ms: number, number = 0) => String(ms * 10 + number),
    nowMs: () => nowMs,
    scansMade: () => {
      const made = scans;
      scans = [];
      return made;
    },
  };
}

describe('existing ids', () => {
  test('nothing is certain before the first scan; afterwards all that is old and unknown is absent', async () => {
    const { existence, committed, idAt, nowMs } = world();
    committed.add('5000');
    expect(existence.isSurelyAbsent('6000')).toBe(false);
    await existence.refresh();
    expect(existence.isSurelyAbsent('5000')).toBe(false);
    expect(existence.isSurelyAbsent('6000')).toBe(true);
    expect(existence.isSurelyAbsent('no id')).toBe(true);
    // Perhaps on its way to its commit.
    expect(existence.isSurelyAbsent(idAt(nowMs() - 500))).toBe(false);
    expect(existence.isSurelyAbsent(idAt(nowMs() + 500))).toBe(false);
    // Nobody can have made it.
    expect(existence.isSurelyAbsent(idAt(nowMs() + 10_000_000))).toBe(true);
  });

  test('a row that is told of exists at once; one that is not, with the next scan, also after a long transaction', async () => {
    const { existence, committed, idAt, nowMs, pass, scansMade } = world();
    await existence.refresh();
    const [told, untold] = [idAt(nowMs(), 1), idAt(nowMs(), 2)];
    pass(4_000);
    existence.noteRows([`account:id=${untold}`, row(told)]);
    await existence.refresh();
    expect(existence.isSurelyAbsent(told)).toBe(false);
    expect(existence.isSurelyAbsent(untold)).toBe(true);
    committed.add(untold);
    await existence.refresh();
    expect(existence.isSurelyAbsent(untold)).toBe(false);
    // One scan of everything, then only of what is new.
    expect(scansMade().map((sinceMs) => sinceMs > 0)).toEqual([false, true, true]);
  });

  test('a failed scan changes nothing, and the next one makes up for it', async () => {
    let isFailing = false;
    const committed = ['5000'];
    const { existence, pass } = world({
      async *scan() {
        yield committed;
        if (isFailing) throw new Error('the database is away');
      },
    });
    await existence.refresh();
    pass(2_000_000);
    isFailing = true;
    await expect(existence.refresh()).rejects.toThrow('away');
    expect(existence.isSurelyAbsent('5000')).toBe(false);
    expect(existence.isSurelyAbsent('11000000')).toBe(false);
    isFailing = false;
    await existence.refresh();
    expect(existence.isSurelyAbsent('11000000')).toBe(true);
  });

  test('a rebuild forgets what was deleted, and keeps what it was told meanwhile', async () => {
    const committed = new Set(['5000', '6000']);
    const { existence, pass } = world({
      async *scan() {
        yield [...committed];
        existence.noteRows([row('7000')]);
      },
    });
    await existence.refresh();
    committed.delete('6000');
    await existence.refresh();
    expect(existence.isSurelyAbsent('6000')).toBe(false);
    pass(1_000_001);
    await existence.refresh();
    expect(['5000', '6000', '7000'].map((id) => existence.isSurelyAbsent(id))).toEqual([false, true, false]);
  });

  test('no row is ever denied, whatever is told or lost, while transactions are shorter than the overlap', async () => {
    const step = fc.record({
      waitMs: fc.nat({ max: 900 }),
      makes: fc.nat({ max: 3 }),
      commitAfter: fc.nat({ max: 2 }),
      isTold: fc.boolean(),
      refreshes: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { existence, committed, idAt, nowMs, pass } = world({ youngMs: 3_000 });
        const underWay: { id: string; left: number; isTold: boolean }[] = [];
        for (const [at, { waitMs, makes, commitAfter, isTold, refreshes }] of steps.entries()) {
          for (let each = 0; each < makes; each += 1) {
            underWay.push({ id: idAt(nowMs(), (at * 3 + each) % 10), left: commitAfter, isTold });
          }
          for (const made of underWay.filter(({ left }) => left === 0)) {
            committed.add(made.id);
            if (made.isTold) existence.noteRows([row(made.id)]);
          }
          for (const made of underWay) made.left -= 1;
          if (refreshes) await existence.refresh();
          for (const id of committed) expect(existence.isSurelyAbsent(id)).toBe(false);
          pass(waitMs);
        }
      }),
    );
  });

  test('grows with what it finds: 200,000 ids, none denied, hardly any stranger taken for one', async () => {
    const { existence, committed } = world();
    for (let at = 0; at < 200_000; at += 1) committed.add(String(at * 10));
    await existence.refresh();
    let strangers = 0;
    for (let at = 0; at < 200_000; at += 1) {
      if (existence.isSurelyAbsent(String(at * 10))) throw new Error(`${at * 10} is denied`);
      if (!existence.isSurelyAbsent(String(at * 10 + 1))) strangers += 1;
    }
    expect(strangers).toBeLessThan(200);
  });
});
