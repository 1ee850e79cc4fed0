import { light, ramp, rampIndex } from '../../art/color.ts';
import { smooth, TAU } from '../../art/math.ts';
import { noiseTexture } from '../../art/texture.ts';
import { type SceneMaker, variantOf } from '../scene.ts';

const variants = {
  sunset: {
    sky: ['#ffe3a1', '#ffb56b', '#f5795f', '#b84a78', '#5a3a86', '#23285f'],
    cloud: light('#ff9f7a', 0.75),
    sun: light('#fff0c0', 5),
    deep: light('#141a44', 0.6),
    sunX: 0.52,
  },
  moon: {
    sky: ['#6f9fc4', '#4676a8', '#2a5088', '#173463', '#0c1d42', '#070f28'],
    cloud: light('#9fc0dd', 0.22),
    sun: light('#f3f7ff', 3.4),
    deep: light('#04102a', 0.6),
    sunX: 0.4,
  },
};

/** The sun or the moon low over the sea, its path of light on the waves. */
export const sea: SceneMaker = ({ width, height, seconds: loop, random, variant }) => {
  const look = variantOf(variants, variant);
  const sky = ramp(look.sky, 'light');
  const clouds = noiseTexture(random, 4, 6, 0.55);
  const waves = noiseTexture(random, 16, 3, 0.5);
  const horizon = Math.round(height * 0.56);
  const size = Math.min(width, height);
  const sunX = look.sunX * width;
  const sunY = horizon - size * (variant === 'moon' ? 0.5 : 0.17);
  const sunRadius = size * (variant === 'moon' ? 0.075 : 0.115);

  return {
    tone: 'light',
    draw({ rgb }, seconds) {
      const share = seconds / loop;
      const turn = share * TAU;
      for (let y = 0, i = 0; y < horizon; y++) {
        const elevation = (horizon - y) / horizon;
        const s = rampIndex(elevation ** 0.8);
        const stretch = 0.16 + 0.5 * (1 - elevation);
        for (let x = 0; x < width; x++, i += 3) {
          const dx = x - sunX;
          const dy = y - sunY;
          const distance = Math.sqrt(dx * dx + dy * dy) / size;
          const halo = Math.exp(-distance * 4.2) * 0.17 + Math.exp(-distance * 14) * 0.22;
          const n = clouds.at(
            (x / size) * 0.22 + 0.04 * Math.cos(turn),
            elevation * stretch * 1.6 + 0.015 * Math.sin(turn),
          );
          const cloud = smooth(0.5, 0.8, n) * smooth(0, 0.1, elevation) * (1.15 - elevation);
          const lit = cloud * (0.35 + 1.3 * Math.exp(-distance * 2));
          const disc = smooth(sunRadius + 1, sunRadius - 1, distance * size) * (1 - 0.6 * cloud);
          const dim = 1 - 0.35 * cloud;
          rgb[i] = sky[s]! * dim + look.cloud[0] * lit + look.sun[0] * (halo + disc);
          rgb[i + 1] = sky[s + 1]! * dim + look.cloud[1] * lit + look.sun[1] * (halo + disc) * 0.93;
          rgb[i + 2] = sky[s + 2]! * dim + look.cloud[2] * lit + look.sun[2] * (halo + disc) * 0.85;
        }
      }
      for (let y = horizon; y < height; y++) {
        const near = (y + 0.5 - horizon) / (height - horizon);
        const depth = 0.06 / (near + 0.035);
        let i = y * width * 3;
        for (let x = 0; x < width; x++, i += 3) {
          const across = ((x - width / 2) / size) * depth;
          const a = waves.at(across * 0.9 + share, depth * 1.1 + share);
          const b = waves.at(across * 1.7 - share, depth * 2.3 + 2 * share);
          const slope = a + b - 1;
          const mirror = near * 0.8 + slope * (0.55 * near + 0.1);
          const s = rampIndex(Math.abs(mirror) ** 0.8);
          const shine = 0.62 - 0.36 * near;
          const sideways = (x - sunX) / size + slope * 0.1;
          const path = Math.exp(-(sideways * sideways) / (0.006 + 0.03 * near));
          const glint = path * (smooth(0.02, 0.32, slope) * 1.1 + 0.1) * (1 - 0.35 * near) * 0.55;
          const dark = smooth(-0.02, -0.4, slope) * 0.55;
          rgb[i] = sky[s]! * shine * (1 - dark) + look.deep[0] * (near + dark) + look.sun[0] * glint;
          rgb[i + 1] =
            sky[s + 1]! * shine * (1 - dark) + look.deep[1] * (near + dark) + look.sun[1] * glint * 0.8;
          rgb[i + 2] =
            sky[s + 2]! * shine * (1 - dark) + look.deep[2] * (near + dark) + look.sun[2] * glint * 0.62;
        }
      }
    },
  };
};
