import { describe, expect, test } from 'bun:test';
import { compose, soundNames } from './compositions.ts';
import { wavOf } from './wav.ts';

const seconds = 6;

function largest(samples: Float32Array, of: (value: number, before: number) => number): number {
  return samples.reduce(
    (most, value, i) => (i === 0 ? most : Math.max(most, of(value, samples[i - 1] ?? 0))),
    0,
  );
}

describe.each(soundNames.map((name) => [name] as const))('the sound %s', (name) => {
  const { left, right } = compose(name, seconds, 11);

  test('is heard and is not clipped, on both sides', () => {
    for (const channel of [left, right]) {
      expect(channel.length).toBe(seconds * 44_100);
      expect(largest(channel, Math.abs)).toBeLessThan(0.9);
      const rms = Math.sqrt(channel.reduce((sum, value) => sum + value * value, 0) / channel.length);
      expect(rms).toBeGreaterThan(0.06);
      expect(rms).toBeLessThan(0.25);
    }
  });

  test('begins as it ends: the step over the seam is one of its own', () => {
    for (const channel of [left, right]) {
      const step = largest(channel, (value, before) => Math.abs(value - before));
      expect(Math.abs((channel[0] ?? 0) - (channel.at(-1) ?? 0))).toBeLessThanOrEqual(step);
    }
  });

  test('is decided by its seed', () => {
    expect(compose(name, 2, 5).left).toEqual(compose(name, 2, 5).left);
    expect(compose(name, 2, 5).left).not.toEqual(compose(name, 2, 6).left);
  });
});

test('a file of sound says how long it is', () => {
  const bytes = wavOf({ sampleRate: 8000, left: Float32Array.of(0, 1), right: Float32Array.of(-1, 0.5) });
  const view = new DataView(bytes.buffer);
  expect(bytes.length).toBe(52);
  expect([view.getUint32(4, true), view.getUint32(24, true), view.getUint32(40, true)]).toEqual([
    44, 8000, 8,
  ]);
  expect([44, 46, 48, 50].map((at) => view.getInt16(at, true))).toEqual([0, -32767, 32767, 16384]);
});
