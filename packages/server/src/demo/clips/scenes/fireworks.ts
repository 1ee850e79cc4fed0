import { light, type Rgb, ramp } from '../../art/color.ts';
import { fract, TAU } from '../../art/math.ts';
import { between, pick } from '../../art/seeded.ts';
import { type SceneMaker, variantOf } from '../scene.ts';
import { reflectBelow } from './reflection.ts';
import { ridge } from './ridge.ts';
import { starField } from './stars.ts';

const variants = {
  gold: { sky: ['#03040f', '#080c24', '#141a3c'], stars: ['#ffd27a', '#ffb04d', '#fff0c8', '#ff7d5a'] },
  spring: {
    sky: ['#050312', '#120a2e', '#2a1446'],
    stars: ['#ff5f8f', '#6fd6ff', '#b5ff8a', '#ffd166', '#c79bff'],
  },
} satisfies Record<string, { sky: string[]; stars: [string, ...string[]] }>;

const sparks = 230;
const steps = 12;

interface Shell {
  readonly start: number;
  readonly x: number;
  readonly y: number;
  readonly reach: number;
  readonly color: Rgb;
  readonly directions: Float32Array;
}

/** Fireworks over a bay. */
export const fireworks: SceneMaker = ({ width, height, seconds: loop, random, variant }) => {
  const look = variantOf(variants, variant);
  const sky = ramp(look.sky, 'light');
  const size = Math.min(width, height);
  const shore = Math.round(height * 0.74);
  const stars = starField(random, width, Math.round(height * 0.6), 90);
  const town = ridge(random, width, shore - height * 0.004, height * 0.035, 10);
  const count = Math.round(loop * 1.5);
  const shells: Shell[] = Array.from({ length: count }, (_, k) => {
    const directions = new Float32Array(sparks * 3);
    for (let j = 0; j < sparks; j++) {
      const up = random() * 2 - 1;
      const around = random() * TAU;
      const speed = 0.86 + 0.14 * random();
      directions[j * 3] = Math.sqrt(1 - up * up) * Math.cos(around) * speed;
      directions[j * 3 + 1] = up * speed;
      directions[j * 3 + 2] = random() * TAU;
    }
    return {
      start: (k + between(random, 0, 0.5)) / count,
      x: between(random, 0.22, 0.78) * width,
      y: between(random, 0.14, 0.42) * height,
      reach: size * between(random, 0.24, 0.42),
      color: light(pick(random, look.stars), 1),
      directions,
    };
  });
  const gain = (size / 360) ** 2;
  return {
    tone: 'light',
    draw(canvas, seconds) {
      const share = seconds / loop;
      const turn = share * TAU;
      canvas.fillVertical(sky);
      stars.draw(canvas, turn, 0.6);
      for (const shell of shells) {
        const age = fract(share - shell.start) * loop;
        if (age < 0.7) rise(age / 0.7, shell);
        else if (age < 3.2) burst(age - 0.7, shell);
      }
      town.paint(canvas, [0.004, 0.005, 0.012], shore);
      reflectBelow(canvas, shore, turn, { strength: 0.6, ripple: 0.012, tint: [0.85, 0.92, 1.1] });

      function rise(way: number, { x, y, color }: Shell): void {
        for (let k = 0; k < 18; k++) {
          const at = Math.max(0, way - k * 0.012);
          const py = shore + (y - shore) * (1 - (1 - at) ** 1.7);
          const power = (1 - k / 18) * 2.5 * gain;
          canvas.spark(x + 2 * Math.sin(at * 20), py, color[0] * power, color[1] * power, color[2] * power);
        }
      }

      function burst(age: number, { x, y, reach, color, directions }: Shell): void {
        const sheen = 0.55 * Math.exp(-age * 8) + 0.07 * Math.exp(-age);
        canvas.glow(x, y, reach * 2.2, [color[0] * sheen, color[1] * sheen, color[2] * sheen]);
        const fade = Math.exp(-age * 1.35) * Math.max(0, Math.min(1, (2.5 - age) * 2));
        for (let j = 0; j < sparks; j++) {
          const twinkle = age > 0.9 ? 0.45 + 0.55 * Math.sin(age * 26 + directions[j * 3 + 2]!) : 1;
          for (let s = 0; s < steps; s++) {
            const t = Math.max(0, age - s * 0.028);
            const far = reach * (1 - Math.exp(-t * 2.6));
            const px = x + directions[j * 3]! * far;
            const py = y + directions[j * 3 + 1]! * far + size * 0.055 * t * t;
            const power = fade * twinkle * (1 - s / steps) ** 1.5 * 9 * gain;
            const white = s === 0 ? 2.4 * fade * gain : 0;
            canvas.spark(
              px,
              py,
              color[0] * power + white,
              color[1] * power + white,
              color[2] * power + white,
            );
          }
        }
      }
    },
  };
};
