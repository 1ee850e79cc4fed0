import type { Canvas } from '../../art/canvas.ts';
import { light, ramp, rampIndex } from '../../art/color.ts';
import { smooth, TAU } from '../../art/math.ts';
import { between } from '../../art/seeded.ts';
import { noiseTexture } from '../../art/texture.ts';
import { type SceneMaker, variantOf } from '../scene.ts';
import { reflectBelow } from './reflection.ts';
import { ridge } from './ridge.ts';
import { starField } from './stars.ts';

const variants = {
  green: {
    curtain: ['#0d5c4a', '#1fd190', '#57e6b8', '#4a8fd6', '#7b3fb0', '#2a0f45'],
    sky: ['#05081c', '#0a1636', '#12305a', '#1d4d6b'],
  },
  violet: {
    curtain: ['#2f1b7a', '#3a8dff', '#7f6bff', '#d257d8', '#ff5f9e', '#3a0d3f'],
    sky: ['#070416', '#150b38', '#2b1758', '#4a2a70'],
  },
};

interface Curtain {
  readonly base: number;
  readonly height: number;
  readonly strength: number;
  readonly offset: number;
}

/** Curtains of light over a range of mountains and its lake. */
export const aurora: SceneMaker = ({ width, height, seconds: loop, random, variant }) => {
  const look = variantOf(variants, variant);
  const sky = ramp(look.sky, 'light');
  const colors = ramp(look.curtain, 'light');
  const folds = noiseTexture(random, 4, 3);
  const rays = noiseTexture(random, 32, 3, 0.7);
  const stars = starField(random, width, Math.floor(height * 0.7), 190);
  const shore = Math.round(height * 0.72);
  const far = ridge(random, width, shore - height * 0.05, height * 0.11, 5);
  const near = ridge(random, width, shore + height * 0.004, height * 0.085, 9);
  const farColor = light('#101f3d', 0.7);
  const nearColor = light('#060b18', 0.8);
  const curtains: Curtain[] = [0, 1, 2].map((i) => ({
    base: 0.34 + i * 0.13 + between(random, -0.03, 0.03),
    height: between(random, 0.2, 0.3),
    strength: 1.15 - i * 0.22,
    offset: random(),
  }));

  function hang(canvas: Canvas, curtain: Curtain, turn: number): void {
    const { rgb } = canvas;
    const swing = 0.05 * Math.sin(turn);
    for (let x = 0; x < width; x++) {
      const u = (x / Math.max(width, height)) * 0.62 + curtain.offset;
      const fold = folds.at(u + 0.05 * Math.cos(turn), curtain.offset + swing) - 0.5;
      const warp = folds.at(u * 2 + 0.04 * Math.sin(turn), curtain.offset * 3 + 0.06 * Math.cos(turn)) - 0.5;
      const bottom = (curtain.base + fold * 0.42) * height;
      const ray = rays.at(u * 1.3 + warp * 0.5, curtain.offset + 0.03 * Math.sin(turn));
      const patch = smooth(
        0.22,
        0.68,
        folds.at(u + 0.3 + 0.08 * Math.cos(turn), curtain.offset * 5 + 0.08 * Math.sin(turn)),
      );
      const strength = curtain.strength * patch * (0.35 + 1.5 * ray * ray);
      const reach = curtain.height * height * (0.5 + ray);
      const from = Math.max(0, Math.floor(bottom - reach * 1.7));
      const to = Math.min(shore, Math.ceil(bottom + height * 0.035));
      for (let y = from; y < to; y++) {
        const above = (bottom - y) / reach;
        const amount = above < 0 ? smooth(-0.16, 0, above) : (1 - above / 1.7) * Math.exp(-2.1 * above);
        if (amount <= 0) continue;
        const s = rampIndex(0.12 + above * 0.62);
        const i = (y * width + x) * 3;
        const power = amount * strength * 1.25;
        rgb[i]! += colors[s]! * power;
        rgb[i + 1]! += colors[s + 1]! * power;
        rgb[i + 2]! += colors[s + 2]! * power;
      }
    }
  }

  return {
    tone: 'light',
    draw(canvas, seconds) {
      const turn = (seconds / loop) * TAU;
      const { rgb } = canvas;
      for (let y = 0, i = 0; y < height; y++) {
        const s = rampIndex(y / shore);
        for (let x = 0; x < width; x++, i += 3) {
          rgb[i] = sky[s]! * 0.55;
          rgb[i + 1] = sky[s + 1]! * 0.55;
          rgb[i + 2] = sky[s + 2]! * 0.55;
        }
      }
      stars.draw(canvas, turn);
      for (const curtain of curtains) hang(canvas, curtain, turn);
      far.paint(canvas, farColor, shore);
      near.paint(canvas, nearColor, shore);
      reflectBelow(canvas, shore, turn, { strength: 0.62, ripple: 0.012, tint: [0.8, 0.95, 1.1] });
    },
  };
};
