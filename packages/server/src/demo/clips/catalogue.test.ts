import { describe, expect, test } from 'bun:test';
import { videos } from '@hvideo/protocol';
import { Canvas } from '../art/canvas.ts';
import { seeded, seedOf } from '../art/seeded.ts';
import { roster } from '../people/roster.ts';
import { type Clip, catalogue } from './catalogue.ts';
import { sceneMakers } from './scenes/index.ts';

const scale = 5;

/** The clip's picture at a fifth of its size, after so many seconds. */
function frameOf(clip: Clip, seconds: number): Uint8ClampedArray {
  const width = Math.round(clip.width / scale);
  const height = Math.round(clip.height / scale);
  const canvas = new Canvas(width, height);
  const { framesPerSecond, loopSeconds, variant } = clip;
  const random = seeded(seedOf(clip.key));
  const scene = sceneMakers[clip.scene]({
    ...{ width, height, framesPerSecond, random, variant },
    seconds: loopSeconds,
  });
  scene.draw(canvas, seconds);
  const pixels = new Uint8ClampedArray(width * height * 3);
  canvas.develop(pixels, scene.tone);
  return pixels;
}

function meanDifference(a: Uint8ClampedArray, b: Uint8ClampedArray): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}

function deviation(pixels: Uint8ClampedArray): number {
  const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
  return Math.sqrt(pixels.reduce((sum, value) => sum + (value - mean) ** 2, 0) / pixels.length);
}

describe.each(catalogue.map((clip) => [clip.key, clip] as const))('the clip %s', (_, clip) => {
  test('could have been published by somebody', () => {
    const { title, description } = clip;
    const tags = [...clip.tags];
    const request = { uploadId: '1', title, description, tags };
    expect(videos.create.body?.parse(request)).toMatchObject(request);
    expect(roster.map(({ username }) => username)).toContain(clip.author);
  });

  test('lasts 6 to 20 seconds, in whole frames and even edges', () => {
    const seconds = clip.loopSeconds * clip.repeats;
    expect(seconds).toBeGreaterThanOrEqual(6);
    expect(seconds).toBeLessThanOrEqual(20);
    expect(Number.isInteger(clip.loopSeconds * clip.framesPerSecond)).toBe(true);
    for (const edge of [clip.width * clip.enlarge, clip.height * clip.enlarge]) expect(edge % 2).toBe(0);
  });

  test('shows something that moves and ends where it began', () => {
    const start = frameOf(clip, 0);
    expect(deviation(start)).toBeGreaterThan(6);
    expect(frameOf(clip, 0)).toEqual(start);
    expect(meanDifference(start, frameOf(clip, clip.loopSeconds * 0.37))).toBeGreaterThan(0.25);
    // The last bits of a sine, and nothing more.
    expect(meanDifference(start, frameOf(clip, clip.loopSeconds))).toBeLessThan(0.05);
  });
});

test('the clips are all different, of every shape, in both languages', () => {
  expect(new Set(catalogue.map(({ key }) => key)).size).toBe(catalogue.length);
  expect(new Set(catalogue.map(({ author, title }) => `${author} ${title}`)).size).toBe(catalogue.length);
  const shapes = catalogue.map(({ width, height }) => Math.sign(width - height));
  expect(new Set(shapes)).toEqual(new Set([-1, 0, 1]));
  const chinese = catalogue.filter(({ title }) => /\p{Script=Han}/u.test(title));
  expect(chinese.length).toBeGreaterThanOrEqual(10);
  expect(catalogue.length - chinese.length).toBeGreaterThanOrEqual(10);
});
