import { Canvas } from '../../art/canvas.ts';
import { light, ramp } from '../../art/color.ts';
import { fract, TAU } from '../../art/math.ts';
import { between, type Seeded } from '../../art/seeded.ts';
import { type SceneMaker, variantOf } from '../scene.ts';
import { ridge } from './ridge.ts';

const variants = {
  evening: {
    sky: ['#16264a', '#3a4f80', '#8a86b0', '#e3b3a8'],
    hills: ['#9a9cc0', '#5f6f9c', '#2a3d68'],
    tree: '#12203f',
    lit: true,
  },
  morning: {
    sky: ['#8fb7d9', '#b9d5e6', '#e3edf0', '#fbeee0'],
    hills: ['#dbe6ee', '#b5cbdb', '#86a6bf'],
    tree: '#35556f',
    lit: false,
  },
};

/** Snow that falls on a wood, and a house with a light in it. */
export const snow: SceneMaker = ({ width, height, seconds: loop, random, variant }) => {
  const look = variantOf(variants, variant);
  const size = Math.min(width, height);
  const land = new Canvas(width, height);
  land.fillVertical(ramp(look.sky, 'light'));
  look.hills.forEach((color, k) => {
    const base = height * (0.56 + 0.13 * k);
    ridge(random, width, base, height * (0.1 - 0.02 * k), 4 + k * 2).paint(land, light(color), height);
    if (k > 0)
      forest(land, random, base + height * 0.02, size * (0.05 + 0.05 * k), light(look.tree, 1.5 - 0.35 * k));
  });
  const ground = ridge(random, width, height * 0.88, height * 0.03, 3);
  ground.paint(land, look.lit ? light('#7f8bb5') : light('#f4f8fb'), height);
  const houseX = width * between(random, 0.36, 0.62);
  const houseY = height * 0.885;
  house(land, houseX, houseY, size * 0.075);
  const flakes = Array.from({ length: 420 }, () => {
    const near = random() ** 3;
    return {
      near,
      x: random(),
      start: random(),
      rounds: 1 + Math.round(near * 2),
      sway: between(random, 0.005, 0.03),
      phase: random() * TAU,
      swings: 1 + Math.floor(random() * 3),
    };
  });
  return {
    tone: 'light',
    draw(canvas, seconds) {
      const share = seconds / loop;
      const turn = share * TAU;
      canvas.rgb.set(land.rgb);
      if (look.lit) {
        const warm = 0.9 + 0.1 * Math.sin(turn * 3);
        canvas.glow(houseX, houseY - size * 0.02, size * 0.36, [0.4 * warm, 0.2 * warm, 0.07 * warm]);
      }
      for (const flake of flakes) {
        const y = fract(flake.start + share * flake.rounds) * 1.06 - 0.03;
        const x = fract(flake.x + flake.sway * Math.sin(flake.swings * turn + flake.phase) + 0.04 * y);
        const radius = size * (0.0035 + 0.012 * flake.near);
        canvas.disc(
          x * width,
          y * height,
          radius,
          [0.95, 0.97, 1],
          0.85 - 0.35 * flake.near,
          radius * (1 + flake.near),
        );
      }
    },
  };
};

/** Firs along a line, with snow on their branches. */
function forest(
  canvas: Canvas,
  random: Seeded,
  base: number,
  tall: number,
  color: readonly [number, number, number],
): void {
  const { rgb, width, height } = canvas;
  const count = Math.round((width / tall) * 2.6);
  for (let k = 0; k < count; k++) {
    const x = random() * width;
    const top = base - tall * between(random, 0.6, 1.25);
    const bottom = base + tall * between(random, 0.1, 0.35);
    const spread = (bottom - top) * 0.24;
    for (let y = Math.max(0, Math.floor(top)); y < Math.min(height, bottom); y++) {
      const v = (y - top) / (bottom - top);
      const tier = fract(v * 5);
      const half = spread * (v * 0.75 + 0.25 * v * tier) + 0.4;
      for (let px = Math.max(0, Math.floor(x - half)); px <= Math.min(width - 1, x + half); px++) {
        const cover = Math.min(1, half + 0.5 - Math.abs(px + 0.5 - x));
        if (cover <= 0) continue;
        const white = tier < 0.3 ? 0.5 * (1 - tier / 0.3) : 0;
        const i = (y * width + px) * 3;
        for (let c = 0; c < 3; c++)
          rgb[i + c]! += (color[c]! + white * (0.75 - color[c]!) - rgb[i + c]!) * cover;
      }
    }
  }
}

function house(canvas: Canvas, x: number, y: number, edge: number): void {
  const { rgb, width, height } = canvas;
  const fill = (x0: number, y0: number, x1: number, y1: number, color: readonly [number, number, number]) => {
    for (let py = Math.max(0, Math.round(y0)); py < Math.min(height, Math.round(y1)); py++)
      for (let px = Math.max(0, Math.round(x0)); px < Math.min(width, Math.round(x1)); px++)
        rgb.set(color, (py * width + px) * 3);
  };
  fill(x - edge * 0.5, y - edge * 0.55, x + edge * 0.5, y + edge * 0.1, [0.05, 0.03, 0.035]);
  for (let k = 0; k < edge * 0.5; k++)
    fill(
      x - edge * 0.66 + k * 1.3,
      y - edge * 0.55 - k,
      x + edge * 0.66 - k * 1.3,
      y - edge * 0.54 - k + 1,
      [0.72, 0.76, 0.85],
    );
  fill(x - edge * 0.3, y - edge * 0.36, x - edge * 0.06, y - edge * 0.12, [2.2, 1.25, 0.45]);
  fill(x + edge * 0.1, y - edge * 0.36, x + edge * 0.32, y - edge * 0.12, [2.2, 1.25, 0.45]);
}
