import type { Canvas } from '../../art/canvas.ts';
import type { Rgb } from '../../art/color.ts';
import type { Seeded } from '../../art/seeded.ts';
import { noiseTexture } from '../../art/texture.ts';

/** The line of a range of mountains against the sky. */
export interface Ridge {
  readonly tops: Float32Array;
  /** Paints everything from the line down to `bottom`, with a smooth edge. */
  paint(canvas: Canvas, color: Rgb, bottom: number): void;
}

export function ridge(random: Seeded, width: number, baseY: number, rise: number, peaks: number): Ridge {
  const noise = noiseTexture(random, 4, 6, 0.52);
  const row = random();
  const tops = Float32Array.from({ length: width }, (_, x) => {
    const n = noise.at((x / width) * (peaks / 16), row);
    // Folded noise has sharp crests and round valleys, as mountains do.
    return baseY - rise * (1.25 - 2.5 * Math.abs(n - 0.5) - 0.25);
  });
  return {
    tops,
    paint(canvas, [r, g, b], bottom) {
      const { rgb } = canvas;
      for (let x = 0; x < width; x++) {
        const top = tops[x]!;
        for (let y = Math.max(0, Math.floor(top)); y < bottom; y++) {
          const cover = Math.min(1, y + 1 - top);
          const i = (y * width + x) * 3;
          rgb[i]! += (r - rgb[i]!) * cover;
          rgb[i + 1]! += (g - rgb[i + 1]!) * cover;
          rgb[i + 2]! += (b - rgb[i + 2]!) * cover;
        }
      }
    },
  };
}
