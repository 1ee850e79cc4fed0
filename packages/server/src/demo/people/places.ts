import type { Canvas } from '../art/canvas.ts';
import { hex, ramp } from '../art/color.ts';
import { TAU } from '../art/math.ts';
import { between, pick, type Seeded } from '../art/seeded.ts';

interface Palette {
  readonly sky: readonly string[];
  readonly sun: string;
  readonly hills: readonly string[];
}

const palettes: readonly [Palette, ...Palette[]] = [
  {
    sky: ['#2b3a8f', '#8f5bb0', '#f58a7b', '#ffd7a0'],
    sun: '#fff3d0',
    hills: ['#b65a86', '#71407e', '#33265c'],
  },
  {
    sky: ['#0b4f6c', '#3c9ab0', '#a9dcc3', '#f4f1cf'],
    sun: '#fff8dc',
    hills: ['#5fb3a1', '#2c7d83', '#174a5c'],
  },
  {
    sky: ['#4b1d52', '#b23a6c', '#f2796b', '#ffc98a'],
    sun: '#ffe9c0',
    hills: ['#d5557a', '#8a2f67', '#4a1c4f'],
  },
  {
    sky: ['#f9c5d1', '#f7b2a6', '#fcd9b8', '#fff4e0'],
    sun: '#ff7f6a',
    hills: ['#f29a9a', '#c96f8c', '#8b4f7d'],
  },
  {
    sky: ['#10203f', '#1f4a73', '#4a8ba3', '#a8cfc4'],
    sun: '#f4f7ef',
    hills: ['#3f7f93', '#235672', '#11304d'],
  },
  {
    sky: ['#7fc7e8', '#bfe6ef', '#fbf3dc', '#ffe3b8'],
    sun: '#ff9f5a',
    hills: ['#8cc6a0', '#4f9a83', '#2a6b69'],
  },
];

/** A sun over hills, in the colours of an hour. */
export function paintPlace(canvas: Canvas, random: Seeded): void {
  const { width, height } = canvas;
  const look = pick(random, palettes);
  canvas.fillVertical(ramp(look.sky, 'screen'));
  const radius = width * between(random, 0.14, 0.24);
  canvas.disc(width * between(random, 0.3, 0.7), height * between(random, 0.3, 0.52), radius, hex(look.sun));
  look.hills.forEach((color, index) => {
    const phase = random() * TAU;
    const base = height * (0.56 + index * 0.14);
    const [r, g, b] = hex(color);
    for (let x = 0; x < width; x++) {
      const u = (x / width) * TAU;
      const top = base + height * (0.05 * Math.sin(u + phase) + 0.025 * Math.sin(2 * u + phase * 2.3));
      for (let y = Math.floor(top); y < height; y++) {
        const cover = Math.min(1, y + 1 - top);
        const i = (y * width + x) * 3;
        canvas.rgb[i]! += (r - canvas.rgb[i]!) * cover;
        canvas.rgb[i + 1]! += (g - canvas.rgb[i + 1]!) * cover;
        canvas.rgb[i + 2]! += (b - canvas.rgb[i + 2]!) * cover;
      }
    }
  });
}
