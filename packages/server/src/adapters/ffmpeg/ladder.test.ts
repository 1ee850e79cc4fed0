import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { framesPerSecond, ladderFor, outputFrameRate, spritePlan } from './ladder.ts';

const sizes = (width: number, height: number) =>
  ladderFor({ width, height }, 30).map((rung) => `${rung.name} ${rung.width}x${rung.height}`);

describe('ladderFor', () => {
  test('landscape, portrait, and between two rungs', () => {
    expect(sizes(1920, 1080)).toEqual([
      '240p 426x240',
      '360p 640x360',
      '540p 960x540',
      '720p 1280x720',
      '1080p 1920x1080',
    ]);
    expect(sizes(1080, 1920).at(-1)).toBe('1080p 1080x1920');
    expect(sizes(3840, 2160).at(-1)).toBe('1080p 1920x1080');
    expect(sizes(640, 480)).toEqual(['240p 320x240', '360p 480x360', '480p 640x480']);
    expect(sizes(700, 400).at(-1)).toBe('360p 630x360');
    expect(sizes(100, 51)).toEqual(['50p 98x50']);
    expect(sizes(8192, 1080).at(-1)).toBe('540p 4096x540');
  });

  test('any size: even, rising, never above the source, within what decoders take', () => {
    const edge = fc.integer({ min: 16, max: 8192 });
    fc.assert(
      fc.property(edge, edge, fc.integer({ min: 1, max: 60 }), (width, height, fps) => {
        const rungs = ladderFor({ width, height }, fps);
        expect(rungs.length).toBeGreaterThan(0);
        for (const [i, rung] of rungs.entries()) {
          expect([rung.width % 2, rung.height % 2]).toEqual([0, 0]);
          expect(rung.width).toBeLessThanOrEqual(Math.min(width, 4096));
          expect(rung.height).toBeLessThanOrEqual(Math.min(height, 4096));
          expect(Math.min(rung.width, rung.height)).toBeGreaterThanOrEqual(2);
          expect(Math.min(rung.width, rung.height)).toBeGreaterThan(
            i === 0 ? 0 : Math.min(rungs[i - 1]!.width, rungs[i - 1]!.height),
          );
        }
      }),
    );
  });
});

test('outputFrameRate keeps exact fractions, caps at 60 and follows changing rates', () => {
  const rate = (numerator: number, denominator: number, mean: number) => {
    const result = outputFrameRate({ numerator, denominator }, mean);
    return `${result.numerator}/${result.denominator}`;
  };
  expect(rate(30000, 1001, 29.97)).toBe('30000/1001');
  expect(rate(25, 2, 12.5)).toBe('25/2');
  expect(rate(120, 1, 120)).toBe('120/2');
  expect(rate(240000, 1001, 239.76)).toBe('240000/4004');
  expect(rate(30, 1, 20)).toBe('30/1');
  expect(rate(90000, 1, 29.4)).toBe('30/1');
  expect(rate(90000, 1, 100)).toBe('60/1');
  expect(outputFrameRate(undefined, 23.9)).toEqual({ numerator: 24, denominator: 1 });
});

test('any measured rate becomes one of 1 to 60', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 240, noNaN: true }),
      fc.integer({ min: 1, max: 90000 }),
      (mean, base) => {
        const fps = framesPerSecond(outputFrameRate({ numerator: base, denominator: 1 }, mean));
        expect(fps).toBeGreaterThanOrEqual(0.98);
        expect(fps).toBeLessThanOrEqual(60.5);
      },
    ),
  );
});

test('a sprite has at most 100 tiles that cover the clip', () => {
  fc.assert(
    fc.property(fc.integer({ min: 500, max: 600_000 }), (durationMs) => {
      const plan = spritePlan(durationMs, { width: 240, height: 426 });
      expect(plan.count).toBeLessThanOrEqual(100);
      expect(plan.columns * plan.rows).toBeGreaterThanOrEqual(plan.count);
      expect(plan.count * plan.intervalMs).toBeGreaterThanOrEqual(durationMs - 100);
      expect((plan.count - 1) * plan.intervalMs).toBeLessThan(durationMs);
      expect(Math.max(plan.tileWidth, plan.tileHeight)).toBe(160);
    }),
  );
});
