import { light, mixRgb, ramp } from '../../art/color.ts';
import { smooth, TAU } from '../../art/math.ts';
import { noiseTexture } from '../../art/texture.ts';
import { type SceneMaker, variantOf } from '../scene.ts';

const variants = {
  dawn: {
    sky: ['#5b6fa8', '#b48fb5', '#f2b59a', '#ffe1b5'],
    far: light('#e8b6a2', 0.9),
    near: light('#1c2340', 0.7),
    haze: light('#ffd9b8', 0.95),
    sun: light('#ffdca6', 2.2),
  },
  jade: {
    sky: ['#dfe9e3', '#e6eee6', '#f1f1e2', '#f6f0dc'],
    far: light('#bfd2cc', 0.85),
    near: light('#16332f', 0.55),
    haze: light('#eef2e6', 0.85),
    sun: light('#e2573f', 0.95),
  },
};

const layers = 6;

/** Range behind range in the morning mist, seen from something that moves slowly past. */
export const mist: SceneMaker = ({ width, height, seconds: loop, random, variant }) => {
  const look = variantOf(variants, variant);
  const sky = ramp(look.sky, 'light');
  const noise = noiseTexture(random, 4, 7, 0.52);
  const banks = noiseTexture(random, 4, 4, 0.5);
  const size = Math.min(width, height);
  const rows = Array.from({ length: layers }, () => random());
  const sunX = width * 0.66;
  const sunY = height * 0.21;
  const sunRadius = size * 0.11;
  return {
    tone: 'light',
    draw(canvas, seconds) {
      const { rgb } = canvas;
      const share = seconds / loop;
      const turn = share * TAU;
      canvas.fillVertical(sky);
      canvas.glow(sunX, sunY, sunRadius * 4.5, [look.sun[0] * 0.25, look.sun[1] * 0.22, look.sun[2] * 0.18]);
      canvas.disc(sunX, sunY, sunRadius, look.sun, 0.94, 2);
      for (let layer = 0; layer < layers; layer++) {
        const near = layer / (layers - 1);
        const color = mixRgb(look.far, look.near, near ** 1.25);
        const base = height * (0.47 + 0.42 * near);
        const rise = height * (0.2 - 0.04 * near);
        // Nearer ranges pass faster; a whole period in one loop makes no seam, and so does swinging to and fro.
        const drift = 0.012 * (1 + 3 * near) * Math.sin(turn);
        const scale = (0.2 + 0.1 * (1 - near)) / size;
        for (let x = 0; x < width; x++) {
          const u = x * scale + drift + rows[layer]! * 3;
          const n = noise.at(u, rows[layer]!);
          const top = base - rise * (1.5 - 3.4 * Math.abs(n - 0.5));
          const from = Math.max(0, Math.floor(top));
          const depth = height * 0.2;
          for (let y = from, i = (from * width + x) * 3; y < height; y++, i += width * 3) {
            const cover = Math.min(1, y + 1 - top);
            const bank = banks.at(
              x * scale * 0.8 - share * (layer % 2 ? 1 : -1) * 0.25 * 4,
              y / height / 1.6 + rows[layer]!,
            );
            const fog =
              Math.min(0.95, smooth(-0.25, 1, (y - base + rise * 0.4) / depth) * (0.5 + 0.9 * bank)) *
              (1 - 0.4 * near);
            for (let c = 0; c < 3; c++) {
              const value = color[c]! + (look.haze[c]! - color[c]!) * fog;
              rgb[i + c]! += (value - rgb[i + c]!) * cover;
            }
          }
        }
      }
    },
  };
};
