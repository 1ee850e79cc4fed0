import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { assignPool, mountedRange, POOL_SIZE, wantsMore } from './pool.ts';

const position = fc
  .integer({ min: 1, max: 500 })
  .chain((count) => fc.record({ count: fc.constant(count), active: fc.nat({ max: count - 1 }) }));

test('the active entry is current, its neighbours wait, and no player holds two entries', () => {
  fc.assert(
    fc.property(position, ({ active, count }) => {
      const slots = assignPool(active, count);
      expect(slots.length).toBeLessThanOrEqual(POOL_SIZE);
      expect(new Set(slots.map((entry) => entry.slot)).size).toBe(slots.length);
      expect(slots.filter((entry) => entry.role === 'current').map((entry) => entry.index)).toEqual([active]);
      const indices = slots.map((entry) => entry.index).sort((left, right) => left - right);
      expect(indices).toEqual(
        [active - 1, active, active + 1].filter((index) => index >= 0 && index < count),
      );
    }),
  );
});

test('an entry keeps its player for as long as it is in reach', () => {
  fc.assert(
    fc.property(position, fc.constantFrom(-1, 1), ({ active, count }, by) => {
      const next = Math.min(count - 1, Math.max(0, active + by));
      const before = new Map(assignPool(active, count).map((entry) => [entry.index, entry.slot]));
      for (const entry of assignPool(next, count)) {
        expect(before.get(entry.index) ?? entry.slot).toBe(entry.slot);
      }
    }),
  );
});

test('entries keep their players when others come above them', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.integer({ min: -20, max: 20 }), (active, moved) => {
      const count = 200;
      const before = new Map(assignPool(active + 20, count).map((entry) => [entry.index, entry.slot]));
      for (const entry of assignPool(active + 20 + moved, count, moved)) {
        expect(before.get(entry.index - moved)).toBe(entry.slot);
      }
    }),
  );
});

test('past the last entry, the last one waits and none is current', () => {
  expect(assignPool(4, 4)).toEqual([{ slot: 0, index: 3, role: 'previous' }]);
  expect(assignPool(0, 0)).toEqual([]);
});

test('only slides near the active one are mounted', () => {
  expect(mountedRange(0, 100)).toEqual([0, 1, 2]);
  expect(mountedRange(50, 100)).toEqual([48, 49, 50, 51, 52]);
  expect(mountedRange(99, 100)).toEqual([97, 98, 99]);
});

test('the page after the next one is asked for ahead', () => {
  expect(wantsMore(0, 8, 8)).toBe(true);
  expect(wantsMore(0, 17, 8)).toBe(false);
  expect(wantsMore(1, 17, 8)).toBe(true);
});
