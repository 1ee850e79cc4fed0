import type { Canvas } from '../../art/canvas.ts';
import type { Rgb } from '../../art/color.ts';
import type { Seeded } from '../../art/seeded.ts';

/** Stars that twinkle in loops: few are bright, many are faint. */
export function starField(random: Seeded, width: number, height: number, count: number) {
  const scale = Math.min(width, height) / 360;
  const stars = Array.from({ length: count }, () => {
    const size = random() ** 6;
    const warmth = random();
    return {
      x: random() * width,
      y: random() * height,
      size,
      color: [0.75 + 0.25 * warmth, 0.85, 1 - 0.25 * warmth] satisfies Rgb,
      pace: 1 + Math.floor(random() * 5),
      phase: random() * 7,
    };
  });
  return {
    draw(canvas: Canvas, turn: number, strength = 1): void {
      for (const { x, y, size, color, pace, phase } of stars) {
        const twinkle = strength * (0.7 + 0.3 * Math.sin(turn * pace + phase)) * (0.12 + size);
        canvas.spark(x, y, color[0] * twinkle * 2, color[1] * twinkle * 2, color[2] * twinkle * 2);
        if (size > 0.12) {
          const glow = twinkle * 0.8;
          canvas.glow(x, y, (1.4 + 3 * size) * scale, [color[0] * glow, color[1] * glow, color[2] * glow]);
        }
      }
    },
  };
}
