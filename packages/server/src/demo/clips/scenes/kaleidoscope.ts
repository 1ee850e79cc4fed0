import { cyclicIndex, ramp } from '../../art/color.ts';
import { smooth, TAU } from '../../art/math.ts';
import { noiseTexture } from '../../art/texture.ts';
import { type SceneMaker, variantOf } from '../scene.ts';

const variants = {
  jewel: {
    colors: ['#10123f', '#274bc4', '#2fc6c8', '#f6efc6', '#f29b4b', '#d23a6a', '#5a1a6d'],
    mirrors: 6,
  },
  rose: { colors: ['#3b0d2e', '#a61e4d', '#ff6f91', '#ffd6a5', '#fff6e5', '#7fb7a4', '#1f4e5f'], mirrors: 8 },
};

/** Coloured glass between mirrors, turning. */
export const kaleidoscope: SceneMaker = ({ width, height, seconds: loop, random, variant }) => {
  const { colors, mirrors } = variantOf(variants, variant);
  const palette = ramp(colors, 'light', true);
  const glass = noiseTexture(random, 4, 4, 0.45);
  const bend = noiseTexture(random, 4, 2);
  const unit = Math.min(width, height);
  const pixels = width * height;
  const foldX = new Float32Array(pixels);
  const foldY = new Float32Array(pixels);
  const radius = new Float32Array(pixels);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++, p++) {
      const dx = (x + 0.5 - width / 2) / unit;
      const dy = (y + 0.5 - height / 2) / unit;
      const r = Math.hypot(dx, dy);
      const sector = TAU / mirrors;
      const angle = Math.atan2(dy, dx) + TAU;
      const inSector = Math.abs((angle % sector) - sector / 2);
      foldX[p] = Math.cos(inSector) * r;
      foldY[p] = Math.sin(inSector) * r;
      radius[p] = r;
    }
  }
  return {
    tone: 'light',
    draw({ rgb }, seconds) {
      const share = seconds / loop;
      const turn = share * TAU;
      const cos = Math.cos(turn) * 0.2;
      const sin = Math.sin(turn) * 0.2;
      for (let p = 0, i = 0; p < pixels; p++, i += 3) {
        const fx = foldX[p]!;
        const fy = foldY[p]!;
        const r = radius[p]!;
        const u = fx * 0.34 + cos;
        const v = fy * 0.34 + sin;
        const warp = bend.at(u * 1.3, v * 1.3 + 0.3) - 0.5;
        const n = glass.at(u + warp * 0.32, v - warp * 0.32);
        const s = cyclicIndex(n * 2.3 + r * 0.55 - share);
        // Lead between the panes, light through them.
        const band = n * 9;
        const lead = 0.42 + 0.58 * smooth(0, 0.2, Math.abs(band - Math.round(band)));
        const lamp = (1.25 - 0.62 * r) * lead * (0.8 + 0.5 * warp);
        rgb[i] = palette[s]! * lamp;
        rgb[i + 1] = palette[s + 1]! * lamp;
        rgb[i + 2] = palette[s + 2]! * lamp;
      }
    },
  };
};
