import { light, ramp, rampColor } from '../../art/color.ts';
import { TAU } from '../../art/math.ts';
import { type SceneMaker, variantOf } from '../scene.ts';

const variants = {
  coral: { ground: light('#160a26', 1), petals: ['#fff3c4', '#ffb56b', '#ff5e7e', '#a13bd1', '#2c3fb8'] },
  lotus: { ground: light('#04201f', 1), petals: ['#fff9d6', '#ffd1dc', '#f497b6', '#7fd1ae', '#1f7a78'] },
};

const petals = 620;
const goldenAngle = Math.PI * (3 - Math.sqrt(5));

/** Seeds set at the golden angle, as in a sunflower; a breath runs through them from the middle outwards. */
export const bloom: SceneMaker = ({ width, height, seconds: loop, variant }) => {
  const look = variantOf(variants, variant);
  const colors = ramp(look.petals, 'light');
  const size = Math.min(width, height);
  const reach = Math.hypot(width, height) / 2;
  return {
    tone: 'light',
    draw(canvas, seconds) {
      const turn = (seconds / loop) * TAU;
      canvas.fill(look.ground);
      const [r, g, b] = rampColor(colors, 0.55);
      canvas.glow(width / 2, height / 2, reach, [r * 0.16, g * 0.16, b * 0.16]);
      // From the rim inwards, so that the inner ones lie on top.
      for (let k = petals; k > 0; k--) {
        const share = Math.sqrt(k / petals);
        const breath = Math.sin(turn - share * 7);
        const angle = k * goldenAngle + 0.16 * Math.sin(turn - share * 4);
        const distance = share * reach * (1 + 0.03 * breath);
        const x = width / 2 + Math.cos(angle) * distance;
        const y = height / 2 + Math.sin(angle) * distance;
        const radius = size * (0.008 + 0.033 * share) * (1 + 0.36 * breath);
        if (x < -radius || y < -radius || x > width + radius || y > height + radius) continue;
        const color = rampColor(colors, share * 0.95 + 0.05 * breath);
        const lamp = 0.62 + 0.4 * breath;
        canvas.disc(x, y + radius * 0.28, radius * 1.06, look.ground, 0.45, radius * 0.9);
        canvas.disc(x, y, radius, [color[0] * lamp, color[1] * lamp, color[2] * lamp], 1, 1.4);
        canvas.glow(x - radius * 0.25, y - radius * 0.3, radius * 0.9, [
          color[0] * 0.5,
          color[1] * 0.5,
          color[2] * 0.5,
        ]);
      }
    },
  };
};
