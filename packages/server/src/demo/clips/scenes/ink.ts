import { ramp, rampIndex } from '../../art/color.ts';
import { clamp01, TAU } from '../../art/math.ts';
import { noiseTexture } from '../../art/texture.ts';
import { type SceneMaker, variantOf } from '../scene.ts';

const variants = {
  /** Ink on wet paper. */
  ink: ['#f4efe4', '#e9e2d3', '#b9c4c2', '#6a8a94', '#2d5566', '#123042', '#0b1a2a'],
  silk: ['#2b0a3d', '#7a1f6b', '#d9466f', '#ff8f66', '#ffd9a0', '#fff4dc'],
  jade: ['#041f1e', '#07514b', '#1d8f78', '#6fd0a3', '#d8f5d0', '#fbfff0'],
};

/** Noise that is bent by noise twice: clouds of ink, or silk in the wind. */
export const ink: SceneMaker = ({ width, height, seconds: loop, random, variant }) => {
  const colors = ramp(variantOf(variants, variant), 'screen');
  const coarse = noiseTexture(random, 4, 3);
  const fine = noiseTexture(random, 4, 6, 0.55);
  const scale = 0.36 / Math.max(width, height);
  return {
    tone: 'screen',
    draw({ rgb }, seconds) {
      const turn = (seconds / loop) * TAU;
      const cx = 0.05 * Math.cos(turn);
      const cy = 0.05 * Math.sin(turn);
      for (let y = 0, i = 0; y < height; y++) {
        const v = y * scale;
        for (let x = 0; x < width; x++, i += 3) {
          const u = x * scale;
          const ax = coarse.at(u + cx, v + cy) - 0.5;
          const ay = coarse.at(u + 0.37 - cy, v + 0.61 + cx) - 0.5;
          const bx = coarse.at(u * 1.6 + ax * 0.75 + cy, v * 1.6 + ay * 0.75) - 0.5;
          const by = coarse.at(u * 1.6 + ay * 0.75 + 0.2, v * 1.6 + ax * 0.75 - cx) - 0.5;
          const n = fine.at(u + bx * 0.7, v + by * 0.7);
          // Thin bright threads where the folds meet.
          const fold = Math.abs(bx - by) * 1.4;
          const shade = clamp01((n - 0.22) * 1.5 + fold * 0.45 - 0.06 + ax * 0.35);
          const s = rampIndex(shade);
          const sheen = 1 + (by - ay) * 0.22;
          rgb[i] = colors[s]! * sheen;
          rgb[i + 1] = colors[s + 1]! * sheen;
          rgb[i + 2] = colors[s + 2]! * sheen;
        }
      }
    },
  };
};
