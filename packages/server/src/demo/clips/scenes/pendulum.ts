import { light, mixRgb, ramp, rampColor } from '../../art/color.ts';
import { TAU } from '../../art/math.ts';
import { type SceneMaker, variantOf } from '../scene.ts';

const variants = {
  candy: {
    sky: ['#2b1055', '#5b247a', '#1b6ca8'],
    balls: ['#ffd166', '#ff7b9c', '#c77dff', '#5cc8ff', '#7dffcf'],
  },
  sand: {
    sky: ['#f7ead6', '#f3d5b5', '#e7b899'],
    balls: ['#26547c', '#1b998b', '#f2c14e', '#ef6f6c', '#7d3c72'],
  },
};

const count = 15;
/** Swings of the slowest ball in one loop; each next one makes one more. */
const slowest = 5;

/** Fifteen pendulums, each a little quicker than the one before: they part, make patterns and meet again. */
export const pendulum: SceneMaker = ({ width, height, seconds: loop, variant }) => {
  const look = variantOf(variants, variant);
  const sky = ramp(look.sky, 'light');
  const colors = ramp(look.balls, 'light');
  const isTall = height > width;
  const size = Math.min(width, height);
  const radius = size * 0.027;
  const place = (k: number, swing: number): readonly [number, number] => {
    const along = 0.1 + (0.8 * k) / (count - 1);
    const across = 0.5 + 0.33 * swing;
    return isTall ? [across * width, along * height] : [along * width, across * height];
  };
  return {
    tone: 'light',
    draw(canvas, seconds) {
      const turn = (seconds / loop) * TAU;
      canvas.fillVertical(sky);
      const dark = mixRgb(rampColor(sky, 0.5), light('#000000'), 0.55);
      for (let k = 0; k < count; k++) {
        const color = rampColor(colors, k / (count - 1));
        const phase = (slowest + k) * turn;
        const [shadowX, shadowY] = place(k, Math.cos(phase));
        canvas.disc(shadowX + radius * 0.5, shadowY + radius * 0.9, radius * 1.15, dark, 0.3, radius * 1.5);
        // What the eye keeps of a ball that just passed.
        for (let ghost = 16; ghost > 0; ghost--) {
          const [x, y] = place(k, Math.cos(phase - ghost * 0.05));
          canvas.disc(x, y, radius * (1 - ghost * 0.035), color, 0.09 * (1 - ghost / 17), 2);
        }
        const [x, y] = place(k, Math.cos(phase));
        canvas.disc(x, y, radius, color, 1);
        canvas.glow(x - radius * 0.3, y - radius * 0.35, radius * 0.8, [0.5, 0.5, 0.5]);
        canvas.glow(x, y, radius * 3.4, [color[0] * 0.14, color[1] * 0.14, color[2] * 0.14]);
      }
    },
  };
};
