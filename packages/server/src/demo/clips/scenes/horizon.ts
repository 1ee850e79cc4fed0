import { light, ramp, rampIndex } from '../../art/color.ts';
import { fract, smooth, TAU } from '../../art/math.ts';
import { noiseTexture } from '../../art/texture.ts';
import { type SceneMaker, variantOf } from '../scene.ts';
import { starField } from './stars.ts';

const variants = {
  magenta: {
    sky: ['#0b0424', '#1f0a4a', '#5a1470', '#c22a86', '#ff6f91'],
    sun: ['#ffe66b', '#ff9a5a', '#ff3f8e', '#b01fb0'],
    grid: light('#ff4fd8', 1.5),
    ground: light('#0d0328', 0.7),
    hill: light('#1a0738', 0.8),
  },
  teal: {
    sky: ['#020b1f', '#06243f', '#0b4f66', '#1f9b97', '#8fe6c0'],
    sun: ['#ffffff', '#d6fff0', '#6ff0d2', '#1fb5c9'],
    grid: light('#3df5e6', 1.3),
    ground: light('#03111f', 0.7),
    hill: light('#052033', 0.8),
  },
};

/** A drive towards a striped sun over a plain of light. */
export const horizon: SceneMaker = ({ width, height, seconds: loop, random, variant }) => {
  const look = variantOf(variants, variant);
  const sky = ramp(look.sky, 'light');
  const sun = ramp(look.sun, 'light');
  const stars = starField(random, width, Math.round(height * 0.4), 120);
  const noise = noiseTexture(random, 8, 5, 0.55);
  const size = Math.min(width, height);
  const line = Math.round(height * 0.58);
  const sunX = width / 2;
  const radius = size * 0.32;
  const sunY = line - radius * 0.72;
  const hills = Float32Array.from({ length: width }, (_, x) => {
    const away = Math.abs(x / width - 0.5) * 2;
    return line - size * 0.16 * smooth(0.28, 1, away) * (0.35 + noise.at(x / size / 3, 0.3)) * 1.3;
  });
  /** Lines that pass in one loop. */
  const rows = Math.round(loop * 1.5);
  return {
    tone: 'light',
    draw(canvas, seconds) {
      const { rgb } = canvas;
      const share = seconds / loop;
      const turn = share * TAU;
      for (let y = 0, i = 0; y < line; y++) {
        const s = rampIndex((y / line) ** 1.25);
        for (let x = 0; x < width; x++, i += 3) {
          rgb[i] = sky[s]! * 0.8;
          rgb[i + 1] = sky[s + 1]! * 0.8;
          rgb[i + 2] = sky[s + 2]! * 0.8;
        }
      }
      stars.draw(canvas, turn, 0.9);
      const c = rampIndex(0.6);
      const pulse = 1 + 0.12 * Math.sin(turn * 4);
      canvas.glow(sunX, sunY, radius * 2.3, [
        sun[c]! * 0.35 * pulse,
        sun[c + 1]! * 0.35 * pulse,
        sun[c + 2]! * 0.35 * pulse,
      ]);
      for (let y = Math.max(0, Math.floor(sunY - radius)); y < line; y++) {
        const v = (y + 0.5 - sunY) / radius;
        const half = radius * Math.sqrt(Math.max(0, 1 - v * v));
        // Gaps that grow towards the horizon and sink slowly.
        const band = fract((v + 1) * 4.5 - share * 2);
        const gap = Math.max(0, 0.1 + 0.5 * v);
        const open = v > -0.15 ? smooth(gap - 0.04, gap + 0.04, band) : 1;
        const s = rampIndex((v + 1) / 2);
        for (
          let x = Math.max(0, Math.floor(sunX - half - 1));
          x <= Math.min(width - 1, sunX + half + 1);
          x++
        ) {
          const cover = open * Math.max(0, Math.min(1, half - Math.abs(x + 0.5 - sunX) + 0.5));
          const i = (y * width + x) * 3;
          for (let k = 0; k < 3; k++) rgb[i + k]! += (sun[s + k]! * 1.35 - rgb[i + k]!) * cover;
        }
      }
      for (let x = 0; x < width; x++) {
        for (let y = Math.floor(hills[x]!); y < line; y++) {
          const i = (y * width + x) * 3;
          const cover = Math.min(1, y + 1 - hills[x]!);
          const rim = Math.exp(-(y - hills[x]!) * 0.45) * 0.35;
          for (let k = 0; k < 3; k++)
            rgb[i + k]! += (look.hill[k]! + look.grid[k]! * rim - rgb[i + k]!) * cover;
        }
      }
      for (let y = line; y < height; y++) {
        const near = (y + 0.5 - line) / (height - line);
        const depth = 1 / (near + 0.02);
        const step = depth * 0.42 * 2;
        const along = fract(depth * 1.6 + share * rows);
        // A line is as thick as it looks from here, so that far ones do not flicker.
        const alongWidth = Math.min(0.5, (depth * depth * 1.6) / (height - line) + 0.02);
        const row =
          Math.max(0, 1 - Math.min(along, 1 - along) / alongWidth) * Math.min(1, 0.1 / alongWidth + 0.15);
        const fog = Math.exp(-depth * 0.055);
        const acrossWidth = Math.min(0.5, (step / size) * 1.3 + 0.012);
        let i = y * width * 3;
        for (let x = 0; x < width; x++, i += 3) {
          const across = fract(((x + 0.5 - sunX) / size) * step * 2.4 + 0.5);
          const distance = Math.abs(across - 0.5);
          const column = Math.max(0, 1 - distance / acrossWidth) * Math.min(1, 0.1 / acrossWidth + 0.15);
          const lit = Math.min(1.3, row + column) * fog;
          const mirror = 0.35 * (1 - near) * Math.exp(-(((x - sunX) / (radius * 0.9)) ** 2));
          const s = rampIndex(0.75 - near * 0.5);
          for (let k = 0; k < 3; k++)
            rgb[i + k] = look.ground[k]! + look.grid[k]! * lit + sun[s + k]! * mirror * (1 - near);
        }
      }
    },
  };
};
