import { light, ramp, rampIndex } from '../../art/color.ts';
import { smooth, TAU } from '../../art/math.ts';
import { between } from '../../art/seeded.ts';
import { type SceneMaker, variantOf } from '../scene.ts';

const variants = {
  ember: {
    wax: ['#ffcf6b', '#ff8a4c', '#f5456b', '#b02a86'],
    glass: ['#1d0b33', '#3d1148', '#6d1a52', '#a8324f'],
    rim: light('#ffe9c2', 0.9),
  },
  ocean: {
    wax: ['#d9fff2', '#7ef0d0', '#37b9d9', '#3f6fe0'],
    glass: ['#070b2c', '#0b1d52', '#0d3c78', '#0f6a8c'],
    rim: light('#f0fffb', 0.8),
  },
};

/** Blobs of wax that rise, meet and part. */
export const lava: SceneMaker = ({ width, height, seconds: loop, random, variant }) => {
  const look = variantOf(variants, variant);
  const wax = ramp(look.wax, 'light');
  const glass = ramp(look.glass, 'light');
  const unit = Math.min(width, height);
  const count = 11;
  const balls = Array.from({ length: count }, (_, i) => ({
    radius: unit * between(random, 0.07, 0.135),
    x: width * between(random, 0.25, 0.75),
    swing: width * between(random, 0.06, 0.2),
    phase: (i / count) * TAU + random(),
    pace: i % 3 === 0 ? 2 : 1,
  }));
  const xs = new Float32Array(count + 2);
  const ys = new Float32Array(count + 2);
  const r2 = new Float32Array(count + 2);
  return {
    tone: 'light',
    draw({ rgb }, seconds) {
      const turn = (seconds / loop) * TAU;
      balls.forEach((ball, i) => {
        xs[i] = ball.x + ball.swing * Math.sin(turn + ball.phase * 2.3);
        ys[i] = height * (0.5 - 0.46 * Math.cos(turn * ball.pace + ball.phase));
        r2[i] = ball.radius ** 2;
      });
      // The pools at the top and at the bottom.
      xs.set([width * (0.5 + 0.1 * Math.sin(turn)), width * (0.5 + 0.1 * Math.cos(turn))], count);
      ys.set([height * 1.06, -height * 0.05], count);
      r2.set([(unit * 0.36) ** 2, (unit * 0.24) ** 2], count);
      for (let y = 0, i = 0; y < height; y++) {
        const v = y / height;
        const g = rampIndex(v);
        const w = rampIndex(1 - v);
        for (let x = 0; x < width; x++, i += 3) {
          let field = 0;
          let gx = 0;
          let gy = 0;
          for (let k = 0; k < count + 2; k++) {
            const dx = x - xs[k]!;
            const dy = y - ys[k]!;
            const inverse = 1 / (dx * dx + dy * dy + 1);
            const term = r2[k]! * inverse;
            field += term;
            gx += term * inverse * dx;
            gy += term * inverse * dy;
          }
          const slope = Math.sqrt(gx * gx + gy * gy) * 2 + 1e-9;
          // The distance to the surface in pixels, as far as the slope tells.
          const cover = smooth(-0.9, 0.9, (field - 1) / slope);
          const lamp = 0.85 - 0.35 * Math.abs(x / width - 0.5) * 2;
          const glow = Math.min(1, field) ** 3 * 0.42;
          const body = Math.min(1, Math.max(0, field - 1) * 0.55);
          // Near the middle of a ball the slope turns round: there the light comes from no side.
          const tilt = 1 - smooth(0, 0.7, field - 1);
          const facing = 0.5 + (tilt * (gy * 0.8 - gx * 0.45)) / slope;
          const edge = cover * (1 - smooth(0, 0.55, field - 1));
          const shade = (0.72 + 0.4 * body) * (0.75 + 0.4 * facing);
          const shine = edge * Math.max(0, facing - 0.45) * 1.1;
          for (let c = 0; c < 3; c++) {
            const behind = glass[g + c]! * lamp + wax[w + c]! * glow;
            const front = wax[w + c]! * shade * 1.05 + look.rim[c]! * shine;
            rgb[i + c] = behind + (front - behind) * cover;
          }
        }
      }
    },
  };
};
