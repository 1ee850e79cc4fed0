import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { compareIds } from '../../../kernel/ids.ts';
import type { Entry } from '../../../ports/timeline-store/port.ts';
import { firstBelow, Merge, type Source } from './sources.ts';

const entryOf = (key: number): Entry => ({ key: String(key), authorId: '1', videoId: String(key) });
const newestFirst = (keys: Iterable<number>) => [...keys].sort((a, b) => b - a).map(entryOf);

/** A source that gives its entries some at a time. */
function inParts(keys: readonly number[], size: number): Source {
  const entries = newestFirst(keys);
  const part = (from: number): Source => {
    const own = entries.slice(from, from + size);
    const last = own.at(-1);
    if (from + size >= entries.length || !last) return { entries: own, floor: '0' };
    return { entries: own, floor: last.key, extend: async () => [part(from + size)] };
  };
  return part(0);
}

async function all(merge: Merge): Promise<string[]> {
  const keys: string[] = [];
  for (;;) {
    const entry = merge.next();
    if (entry) keys.push(entry.key);
    else if (!(await merge.extend())) return keys;
  }
}

const keySets = fc.array(
  fc.record({
    keys: fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { maxLength: 60 }),
    size: fc.integer({ min: 1, max: 20 }),
  }),
  { maxLength: 8 },
);

test('gives every entry of every source once, newest first, whatever comes in parts', async () => {
  await fc.assert(
    fc.asyncProperty(keySets, fc.integer({ min: 1, max: 201 }), async (sets, before) => {
      const merge = new Merge(
        sets.map(({ keys, size }) => inParts(keys, size)),
        String(before),
      );
      const wanted = new Set(sets.flatMap(({ keys }) => keys).filter((key) => key < before));
      expect(await all(merge)).toEqual(newestFirst(wanted).map(({ key }) => key));
      expect(merge.isAtEnd).toBe(true);
    }),
  );
});

test('holds back what a source that ends early may still come before', async () => {
  const early: Source = {
    entries: [entryOf(90), entryOf(80)],
    floor: '80',
    extend: async () => [{ entries: [entryOf(75)], floor: '0' }],
  };
  const merge = new Merge([early, { entries: [entryOf(85), entryOf(70)], floor: '0' }], '100');
  expect([merge.next(), merge.next(), merge.next(), merge.next()].map((entry) => entry?.key)).toEqual([
    '90',
    '85',
    '80',
    undefined,
  ]);
  expect(merge.isAtEnd).toBe(false);
  expect(await all(merge)).toEqual(['75', '70']);
});

test('finds where the entries below a key begin', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { maxLength: 40 }),
      fc.integer({ min: 0, max: 101 }),
      (keys, before) => {
        const entries = newestFirst(keys);
        const at = firstBelow(entries, String(before));
        expect(entries.slice(0, at).every(({ key }) => compareIds(key, String(before)) >= 0)).toBe(true);
        expect(entries.slice(at).every(({ key }) => compareIds(key, String(before)) < 0)).toBe(true);
      },
    ),
  );
});
