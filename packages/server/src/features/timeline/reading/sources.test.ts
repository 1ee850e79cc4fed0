import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { compareIds } from '../../../kernel/ids.ts';
import type { Entry } from '../../../ports/timeline-store/port.ts';
import { firstBelow, Merge, numbersOf, type Source } from './sources.ts';

/** As large as keys are: some sixty of them have the same number. */
const keyOf = (key: number) => String(400_000_000_000_000_000n + BigInt(key));
const entryOf = (key: number): Entry => ({ key: keyOf(key), authorId: '1', videoId: String(key) });
const newestFirst = (keys: Iterable<number>) => [...keys].sort((a, b) => b - a).map(entryOf);

/** A source that gives its entries some at a time, and maybe their numbers. */
function inParts(keys: readonly number[], size: number, hasNumbers: boolean): Source {
  const entries = newestFirst(keys);
  const part = (from: number): Source => {
    const own = entries.slice(from, from + size);
    const last = own.at(-1);
    const numbers = hasNumbers ? numbersOf(own) : undefined;
    if (from + size >= entries.length || !last) return { entries: own, numbers, floor: '0' };
    return { entries: own, numbers, floor: last.key, extend: async () => [part(from + size)] };
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
    hasNumbers: fc.boolean(),
  }),
  { maxLength: 8 },
);

test('gives every entry of every source once, newest first, whatever comes in parts', async () => {
  await fc.assert(
    fc.asyncProperty(keySets, fc.integer({ min: 1, max: 201 }), async (sets, before) => {
      const merge = new Merge(
        sets.map(({ keys, size, hasNumbers }) => inParts(keys, size, hasNumbers)),
        keyOf(before),
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
    floor: keyOf(80),
    extend: async () => [{ entries: [entryOf(75)], floor: '0' }],
  };
  const merge = new Merge([early, { entries: [entryOf(85), entryOf(70)], floor: '0' }], keyOf(100));
  expect([merge.next(), merge.next(), merge.next(), merge.next()].map((entry) => entry?.key)).toEqual([
    keyOf(90),
    keyOf(85),
    keyOf(80),
    undefined,
  ]);
  expect(merge.isAtEnd).toBe(false);
  expect(await all(merge)).toEqual([keyOf(75), keyOf(70)]);
});

test('finds where the entries below a key begin', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { maxLength: 40 }),
      fc.integer({ min: 0, max: 101 }),
      (keys, before) => {
        const entries = newestFirst(keys);
        const at = firstBelow(entries, keyOf(before));
        expect(entries.slice(0, at).every(({ key }) => compareIds(key, keyOf(before)) >= 0)).toBe(true);
        expect(entries.slice(at).every(({ key }) => compareIds(key, keyOf(before)) < 0)).toBe(true);
        expect(firstBelow(entries, keyOf(before), numbersOf(entries))).toBe(at);
      },
    ),
  );
});
