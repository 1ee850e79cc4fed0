import type { Canvas } from '../../art/canvas.ts';
import type { Rgb } from '../../art/color.ts';
import { TAU } from '../../art/math.ts';

export interface Water {
  /** How much of the light comes back. */
  readonly strength: number;
  /** How far waves throw a ray aside, as a share of the height. */
  readonly ripple: number;
  readonly tint: Rgb;
}

/** Mirrors what is above row `shore` in the water below it. `turn` runs from 0 to TAU in one loop. */
export function reflectBelow(canvas: Canvas, shore: number, turn: number, water: Water): void {
  const { rgb, width, height } = canvas;
  const depth = height - shore;
  for (let y = shore; y < height; y++) {
    const near = (y - shore) / depth;
    // Waves look longer the nearer they are.
    const phase = TAU * 9 * Math.sqrt(near + 0.01);
    const wave = Math.sin(phase * 2.1 - 5 * turn) + 0.6 * Math.sin(phase * 4.7 + 3 * turn);
    const reach = water.ripple * height * (0.25 + near);
    const sourceY = Math.max(0, Math.min(shore - 1, shore - 1 - (y - shore) * 1.15 + wave * reach * 0.9));
    const y0 = Math.floor(sourceY);
    const fy = sourceY - y0;
    const y1 = Math.min(shore - 1, y0 + 1);
    const strength = water.strength * (1 - 0.45 * near);
    for (let x = 0; x < width; x++) {
      const sway = Math.sin((x / width) * TAU * 3 + phase * 3 + 2 * turn) * reach * 0.8;
      const sx = Math.max(0, Math.min(width - 1, Math.round(x + sway)));
      const a = (y0 * width + sx) * 3;
      const b = (y1 * width + sx) * 3;
      const i = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) {
        const value = rgb[a + c]! + (rgb[b + c]! - rgb[a + c]!) * fy;
        rgb[i + c] = value * strength * water.tint[c]!;
      }
    }
  }
}
