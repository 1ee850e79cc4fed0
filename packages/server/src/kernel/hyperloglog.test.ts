import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { estimate, observationOf, REGISTERS, withObservations } from './hyperloglog.ts';

const hashOf = (text: string) => createHash('sha256').update(text).digest().readBigUInt64BE();
const sketchOf = (count: number, salt = '') =>
  withObservations(
    undefined,
    Array.from({ length: count }, (_, i) => observationOf(hashOf(`${salt}${i}`))),
  );

describe('HyperLogLog', () => {
  test('an empty sketch holds nothing', () => {
    expect(estimate(new Uint8Array(REGISTERS))).toBe(0);
  });

  test.each([1, 2, 10, 100, 1_000, 10_000, 100_000])('counts %i within five standard errors', (count) => {
    const error = Math.abs(estimate(sketchOf(count)) - count);
    expect(error).toBeLessThanOrEqual(Math.max(1, count * 5 * 0.01625));
  });

  test('counts the same thing once, in any order and split over any sketches', () => {
    const hashes = fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 200 });
    fc.assert(
      fc.property(hashes, hashes, (some, others) => {
        const observations = [...some, ...others].map(observationOf);
        const whole = withObservations(undefined, observations);
        const parts = withObservations(
          withObservations(undefined, others.map(observationOf)),
          some.map(observationOf),
        );
        expect(parts).toEqual(whole);
        expect(withObservations(whole, observations)).toEqual(whole);
      }),
    );
  });

  test('takes the extremes of a hash', () => {
    const sketch = withObservations(undefined, [observationOf(0n), observationOf(2n ** 64n - 1n)]);
    expect(sketch[0]).toBe(53);
    expect(sketch[REGISTERS - 1]).toBe(1);
  });
});
