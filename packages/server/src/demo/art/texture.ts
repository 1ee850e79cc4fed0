import type { Seeded } from './seeded.ts';

const SIZE = 512;
const MASK = SIZE - 1;

/** Smooth noise of several scales, 0 to 1, that repeats every 1 in both directions: moving it by 1 makes a loop. */
export interface Texture {
  at(u: number, v: number): number;
}

/** `cells`: how many bumps of the largest scale lie along one period, a power of two. */
export function noiseTexture(random: Seeded, cells: number, octaves: number, gain = 0.5): Texture {
  const values = new Float32Array(SIZE * SIZE);
  let amplitude = 1;
  for (let octave = 0, n = cells; octave < octaves && n <= SIZE / 2; octave++, n *= 2) {
    addOctave(values, random, n, amplitude);
    amplitude *= gain;
  }
  stretch(values);
  return {
    at(u, v) {
      const x = (u - Math.floor(u)) * SIZE;
      const y = (v - Math.floor(v)) * SIZE;
      const x0 = x | 0;
      const y0 = y | 0;
      const fx = x - x0;
      const fy = y - y0;
      const left = x0 & MASK;
      const right = (x0 + 1) & MASK;
      const top = (y0 & MASK) * SIZE;
      const bottom = ((y0 + 1) & MASK) * SIZE;
      const a = values[top + left]!;
      const b = values[bottom + left]!;
      const upper = a + (values[top + right]! - a) * fx;
      return upper + (b + (values[bottom + right]! - b) * fx - upper) * fy;
    },
  };
}

/** Gradient noise: unlike plain values it has no blocks and no bright grid points. */
function addOctave(values: Float32Array, random: Seeded, cells: number, amplitude: number): void {
  const gradients = new Float32Array(cells * cells * 2);
  for (let i = 0; i < cells * cells; i++) {
    const angle = random() * Math.PI * 2;
    gradients[2 * i] = Math.cos(angle);
    gradients[2 * i + 1] = Math.sin(angle);
  }
  const step = SIZE / cells;
  const corner = (cx: number, cy: number, dx: number, dy: number) => {
    const i = 2 * ((cy % cells) * cells + (cx % cells));
    return gradients[i]! * dx + gradients[i + 1]! * dy;
  };
  for (let y = 0; y < SIZE; y++) {
    const cy = Math.floor(y / step);
    const fy = y / step - cy;
    const sy = fy * fy * fy * (fy * (fy * 6 - 15) + 10);
    for (let x = 0; x < SIZE; x++) {
      const cx = Math.floor(x / step);
      const fx = x / step - cx;
      const sx = fx * fx * fx * (fx * (fx * 6 - 15) + 10);
      const a = corner(cx, cy, fx, fy);
      const c = corner(cx, cy + 1, fx, fy - 1);
      const upper = a + (corner(cx + 1, cy, fx - 1, fy) - a) * sx;
      const lower = c + (corner(cx + 1, cy + 1, fx - 1, fy - 1) - c) * sx;
      values[y * SIZE + x]! += amplitude * (upper + (lower - upper) * sy);
    }
  }
}

/** To the whole range from 0 to 1, whatever the octaves made of it. */
function stretch(values: Float32Array): void {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const factor = 1 / (high - low || 1);
  for (let i = 0; i < values.length; i++) values[i] = (values[i]! - low) * factor;
}
