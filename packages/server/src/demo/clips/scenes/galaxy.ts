import { light, ramp, rampIndex } from '../../art/color.ts';
import { TAU } from '../../art/math.ts';
import { type SceneMaker, variantOf } from '../scene.ts';
import { starField } from './stars.ts';

const variants = {
  blue: {
    disc: ['#fff1d6', '#ffc78a', '#c98bd8', '#5f7fe8', '#3a5bd0', '#1f2f8a'],
    sky: light('#03040f', 1),
    tilt: 0.52,
    lean: -0.45,
  },
  gold: {
    disc: ['#ffffff', '#ffe2a0', '#ff9d6b', '#e0567e', '#7a45b8', '#2f2a80'],
    sky: light('#07030f', 1),
    tilt: 0.38,
    lean: 0.3,
  },
};

const arms = 2;
const starCount = 42_000;

/** A spiral of forty thousand stars, turning by half a round: two arms make that a loop. */
export const galaxy: SceneMaker = ({ width, height, seconds: loop, random, variant }) => {
  const look = variantOf(variants, variant);
  const colors = ramp(look.disc, 'light');
  const unit = Math.min(width, height);
  const size = unit * (width > height ? 0.72 : 0.62);
  const background = starField(random, width, height, 380);
  const radii = new Float32Array(starCount);
  const angles = new Float32Array(starCount);
  const heights = new Float32Array(starCount);
  const powers = new Float32Array(starCount);
  const gauss = () => random() + random() + random() - 1.5;
  for (let k = 0; k < starCount; k += arms) {
    const r = 0.03 + random() ** 0.75 * 0.97;
    const inArm = random() < 0.82;
    const spread = inArm ? gauss() * (0.24 + 0.3 * (1 - r)) : random() * TAU;
    const angle = 3.6 * Math.log(r + 0.12) + spread;
    // Each arm holds the same stars, so that the last frame is the first.
    radii.fill(r * (1 + gauss() * 0.06), k, k + arms);
    heights.fill(gauss() * 0.02 * (1.5 - r), k, k + arms);
    powers.fill((0.15 + random() ** 8 * 2.6) * (1.15 - r), k, k + arms);
    for (let arm = 0; arm < arms; arm++) angles[k + arm] = angle + arm * (TAU / arms);
  }
  const cosLean = Math.cos(look.lean);
  const sinLean = Math.sin(look.lean);
  return {
    tone: 'light',
    draw(canvas, seconds) {
      const turn = (seconds / loop) * TAU;
      canvas.fill(look.sky);
      background.draw(canvas, turn, 0.7);
      const spin = turn / arms;
      const cx = width / 2;
      const cy = height / 2;
      const gain = (unit / 360) ** 2;
      for (let k = 0; k < starCount; k++) {
        const r = radii[k]!;
        const angle = angles[k]! + spin;
        const x = Math.cos(angle) * r;
        const y = Math.sin(angle) * r * look.tilt + heights[k]!;
        const power = powers[k]! * gain;
        const s = rampIndex(r * 0.98);
        canvas.spark(
          cx + (x * cosLean - y * sinLean) * size,
          cy + (x * sinLean + y * cosLean) * size,
          colors[s]! * power,
          colors[s + 1]! * power,
          colors[s + 2]! * power,
        );
      }
      const core = rampIndex(0.08);
      for (const [radius, strength] of [
        [0.5, 0.14],
        [0.26, 0.3],
        [0.12, 0.7],
        [0.05, 1.4],
      ] as const) {
        canvas.glow(cx, cy, radius * size, [
          colors[core]! * strength,
          colors[core + 1]! * strength,
          colors[core + 2]! * strength,
        ]);
      }
    },
  };
};
