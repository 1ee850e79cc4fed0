import { light, ramp } from '../../art/color.ts';
import { smooth, TAU } from '../../art/math.ts';
import { between } from '../../art/seeded.ts';
import { type SceneMaker, variantOf } from '../scene.ts';
import { ridge } from './ridge.ts';
import { starField } from './stars.ts';

const variants = {
  summer: {
    sky: ['#04091f', '#0a1f42', '#14465c', '#2f6f63'],
    fly: light('#d9ff7a', 1),
    hill: light('#06201f', 0.8),
  },
  dusk: {
    sky: ['#17123f', '#43266b', '#a34a7c', '#f0906b'],
    fly: light('#ffe08a', 1),
    hill: light('#1a1030', 0.8),
  },
};

/** Fireflies over a meadow at night; each is a lamp that goes on and off. */
export const meadow: SceneMaker = ({ width, height, seconds: loop, random, variant }) => {
  const look = variantOf(variants, variant);
  const sky = ramp(look.sky, 'light');
  const size = Math.min(width, height);
  const stars = starField(random, width, Math.round(height * 0.55), 150);
  const far = ridge(random, width, height * 0.7, height * 0.07, 5);
  const near = ridge(random, width, height * 0.8, height * 0.05, 3);
  const blades = Array.from({ length: Math.round(width * 0.9) }, () => ({
    x: random() * width,
    tall: height * between(random, 0.05, 0.2) * (0.5 + random()),
    lean: between(random, -0.25, 0.25),
    phase: random() * TAU,
    shade: between(random, 0.25, 1),
  }));
  const flies = Array.from({ length: 70 }, () => ({
    x: random(),
    y: between(random, 0.42, 0.97),
    rx: between(random, 0.02, 0.09),
    ry: between(random, 0.01, 0.05),
    phase: random() * TAU,
    blink: 1 + Math.floor(random() * 3),
    near: random() ** 2,
  }));
  return {
    tone: 'light',
    draw(canvas, seconds) {
      const turn = (seconds / loop) * TAU;
      canvas.fillVertical(sky);
      stars.draw(canvas, turn, 0.9);
      canvas.glow(width * 0.74, height * 0.2, size * 0.7, [0.05, 0.055, 0.06]);
      canvas.glow(width * 0.74, height * 0.2, size * 0.2, [0.12, 0.12, 0.11]);
      canvas.disc(width * 0.74, height * 0.2, size * 0.062, [1.1, 1.08, 0.95]);
      far.paint(canvas, [look.hill[0] * 2.4, look.hill[1] * 2.4, look.hill[2] * 2.4], height);
      near.paint(canvas, look.hill, height);
      for (const blade of blades) {
        const sway = 0.1 * Math.sin(turn * 2 + blade.phase * 0.3 + (blade.x / width) * 5) + blade.lean;
        const steps = Math.ceil(blade.tall);
        for (let k = 0; k < steps; k++) {
          const v = k / steps;
          const x = blade.x + sway * blade.tall * v * v;
          const half = 1.5 * (1 - v) * (size / 360) + 0.35;
          darken(canvas.rgb, width, height, x, height - k, half, look.hill, blade.shade);
        }
      }
      for (const fly of flies) {
        const x = (fly.x + fly.rx * Math.sin(turn + fly.phase)) * width;
        const y = (fly.y + fly.ry * Math.sin(2 * turn + fly.phase * 3)) * height;
        const on = smooth(-0.1, 0.8, Math.sin(fly.blink * turn + fly.phase * 5));
        if (on <= 0) continue;
        const radius = size * (0.02 + 0.06 * fly.near);
        const [r, g, b] = look.fly;
        canvas.glow(x, y, radius, [r * on * 0.5, g * on * 0.5, b * on * 0.4]);
        canvas.glow(x, y, radius * 0.28, [r * on * 3, g * on * 3, b * on * 2]);
      }
    },
  };
};

function darken(
  rgb: Float32Array,
  width: number,
  height: number,
  x: number,
  y: number,
  half: number,
  color: readonly [number, number, number],
  shade: number,
): void {
  const py = Math.floor(y);
  if (py < 0 || py >= height) return;
  for (let px = Math.max(0, Math.floor(x - half)); px <= Math.min(width - 1, x + half); px++) {
    const cover = Math.min(1, half + 0.5 - Math.abs(px + 0.5 - x));
    if (cover <= 0) continue;
    const i = (py * width + px) * 3;
    for (let c = 0; c < 3; c++) rgb[i + c]! += (color[c]! * shade - rgb[i + c]!) * cover;
  }
}
