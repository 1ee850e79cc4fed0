import { light, ramp, rampIndex } from '../../art/color.ts';
import { TAU } from '../../art/math.ts';
import { between } from '../../art/seeded.ts';
import { type SceneMaker, variantOf } from '../scene.ts';

const variants = {
  neon: { colors: ['#3df5ff', '#4a7bff', '#b14bff', '#ff4fa3', '#ffb36b'], ground: light('#06061a', 1) },
  dawn: { colors: ['#fff0a8', '#ffb26b', '#ff6f7d', '#c65bd0', '#5c7cff'], ground: light('#120818', 1) },
};

const strands = 70;
const points = 520;

/** Seventy threads of light that share one dance, each a little later than the one before. */
export const ribbons: SceneMaker = ({ width, height, seconds: loop, random, variant }) => {
  const look = variantOf(variants, variant);
  const colors = ramp(look.colors, 'light');
  const phases = Array.from({ length: 6 }, () => random() * TAU);
  const lean = between(random, 0.75, 1.1);
  const [p0 = 0, p1 = 0, p2 = 0, p3 = 0, p4 = 0, p5 = 0] = phases;
  const gain = (Math.min(width, height) / 360) * 0.5;
  return {
    tone: 'light',
    draw(canvas, seconds) {
      const turn = (seconds / loop) * TAU;
      canvas.fill(look.ground);
      for (let k = 0; k < strands; k++) {
        const lag = (k / strands) * 1.25;
        const edge = Math.sin((k / (strands - 1)) * Math.PI);
        const power = gain * (0.2 + 0.9 * edge * edge);
        for (let j = 0; j < points; j++) {
          const s = (j / points) * TAU;
          const a = Math.sin(s + p0 + lag + turn);
          const b = Math.sin(2 * s + p1 - lag * lean + turn);
          const c = Math.sin(3 * s + p2 + lag * 1.7 - turn);
          const x = 0.5 + 0.27 * a + 0.12 * c * Math.cos(lag + p3) + 0.05 * b;
          const y = 0.5 + 0.26 * b + 0.14 * Math.cos(s + p4 - lag * 1.3) + 0.07 * Math.sin(3 * s + p5 + turn);
          const depth = 0.55 + 0.45 * Math.sin(s * 2 + p3 + lag + turn);
          const i = rampIndex(0.5 + 0.5 * Math.sin(s + lag * 0.9 + turn));
          const strength = power * depth;
          canvas.spark(
            x * width,
            y * height,
            colors[i]! * strength,
            colors[i + 1]! * strength,
            colors[i + 2]! * strength,
          );
        }
      }
    },
  };
};
