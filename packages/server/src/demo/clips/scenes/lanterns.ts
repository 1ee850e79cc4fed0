import { light, ramp } from '../../art/color.ts';
import { fract, TAU } from '../../art/math.ts';
import { between } from '../../art/seeded.ts';
import { type SceneMaker, variantOf } from '../scene.ts';
import { reflectBelow } from './reflection.ts';
import { ridge } from './ridge.ts';
import { starField } from './stars.ts';

const variants = {
  festival: {
    sky: ['#05061a', '#0d1236', '#2a1c4f', '#5a2f58'],
    lamp: light('#ffb35c', 1),
    hill: light('#080a1c', 0.8),
  },
};

/** Paper lanterns that rise from a lake, hundreds of them. */
export const lanterns: SceneMaker = ({ width, height, seconds: loop, random, variant }) => {
  const look = variantOf(variants, variant);
  const sky = ramp(look.sky, 'light');
  const size = Math.min(width, height);
  const shore = Math.round(height * 0.78);
  const stars = starField(random, width, Math.round(height * 0.5), 90);
  const hills = ridge(random, width, shore - height * 0.01, height * 0.07, 6);
  const lamps = Array.from({ length: 130 }, (_, k) => {
    const near = random() ** 2.6;
    return {
      near,
      x: random(),
      start: random(),
      // Whole rounds in one loop.
      rounds: near > 0.45 ? 2 : 1,
      sway: between(random, 0.01, 0.03),
      phase: random() * TAU,
      flicker: 2 + (k % 4),
    };
  }).sort((a, b) => a.near - b.near);
  return {
    tone: 'light',
    draw(canvas, seconds) {
      const share = seconds / loop;
      const turn = share * TAU;
      canvas.fillVertical(sky);
      stars.draw(canvas, turn, 0.8);
      hills.paint(canvas, look.hill, shore);
      for (const lamp of lamps) {
        const way = fract(lamp.start + (share * lamp.rounds) / (lamp.near > 0.45 ? 2 : 1));
        const edge = (0.008 + 0.034 * lamp.near) * size * (1 - 0.35 * way);
        const x =
          (lamp.x + lamp.sway * Math.sin(turn + lamp.phase) + 0.05 * way * Math.sin(lamp.phase)) * width;
        const y = shore - way * (shore * 1.08) + edge;
        const fadeIn = Math.min(1, way * 14, (1 - way) * 10);
        const power =
          fadeIn * (0.85 + 0.15 * Math.sin(lamp.flicker * turn + lamp.phase)) * (0.55 + 0.6 * lamp.near);
        const [r, g, b] = look.lamp;
        canvas.glow(x, y, edge * 5.5, [r * power * 0.28, g * power * 0.2, b * power * 0.13]);
        paintLamp(canvas, { x, y, edge, power });
      }
      reflectBelow(canvas, shore, turn, { strength: 0.55, ripple: 0.011, tint: [0.95, 0.9, 1.05] });
    },
  };
};

/** A barrel of paper, brightest at its lower end where the flame is. */
function paintLamp(
  { rgb, width, height }: { rgb: Float32Array; width: number; height: number },
  { x, y, edge, power }: { x: number; y: number; edge: number; power: number },
): void {
  const tall = edge * 1.35;
  for (let py = Math.max(0, Math.floor(y - tall)); py <= Math.min(height - 1, y + tall); py++) {
    const v = (py + 0.5 - y) / tall;
    const half = edge * (0.92 - 0.25 * v * v - 0.14 * v);
    for (let px = Math.max(0, Math.floor(x - edge)); px <= Math.min(width - 1, x + edge); px++) {
      const cover = Math.min(
        1,
        Math.max(0, half - Math.abs(px + 0.5 - x) + 0.5),
        Math.max(0, (1 - Math.abs(v)) * tall),
      );
      if (cover <= 0) continue;
      const flame = Math.exp(-((v - 0.55) ** 2) * 3.2 - ((px + 0.5 - x) / edge) ** 2 * 1.1);
      const i = (py * width + px) * 3;
      rgb[i]! += (power * (0.75 + 2.4 * flame) - rgb[i]!) * cover;
      rgb[i + 1]! += (power * (0.24 + 1.25 * flame) - rgb[i + 1]!) * cover;
      rgb[i + 2]! += (power * (0.05 + 0.42 * flame) - rgb[i + 2]!) * cover;
    }
  }
}
