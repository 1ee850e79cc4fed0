import { RAMP_STEPS, type Rgb } from './color.ts';
import { seeded } from './seeded.ts';

/** `screen`: values are shown as they are. `light`: values are amounts of light, developed like a photograph. */
export type Tone = 'screen' | 'light';

const LUT_STEPS = 4096;
const brightestLight = 12;
const ditherEdge = 64;

/** A picture under work, in floats, so that lights add up and nothing bands before the last step. */
export class Canvas {
  readonly width: number;
  readonly height: number;
  /** Three values a pixel. */
  readonly rgb: Float32Array;
  /** The shorter edge: sizes in scenes are shares of it. */
  readonly unit: number;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.unit = Math.min(width, height);
    this.rgb = new Float32Array(width * height * 3);
  }

  fill([r, g, b]: Rgb): void {
    const { rgb } = this;
    for (let i = 0; i < rgb.length; i += 3) {
      rgb[i] = r;
      rgb[i + 1] = g;
      rgb[i + 2] = b;
    }
  }

  /** From top to bottom along a ramp. */
  fillVertical(steps: Float32Array): void {
    const { rgb, width, height } = this;
    for (let y = 0, i = 0; y < height; y++) {
      const s = 3 * Math.min(RAMP_STEPS - 1, Math.floor((y / height) * RAMP_STEPS));
      for (let x = 0; x < width; x++, i += 3) {
        rgb[i] = steps[s]!;
        rgb[i + 1] = steps[s + 1]!;
        rgb[i + 2] = steps[s + 2]!;
      }
    }
  }

  /** Adds light to the four pixels around a point. */
  spark(x: number, y: number, r: number, g: number, b: number): void {
    const { rgb, width, height } = this;
    const px = x - 0.5;
    const py = y - 0.5;
    const x0 = Math.floor(px);
    const y0 = Math.floor(py);
    if (x0 < 0 || y0 < 0 || x0 >= width - 1 || y0 >= height - 1) return;
    const fx = px - x0;
    const fy = py - y0;
    let i = (y0 * width + x0) * 3;
    for (let row = 0; row < 2; row++) {
      const wy = row === 0 ? 1 - fy : fy;
      const left = wy * (1 - fx);
      const right = wy * fx;
      rgb[i]! += r * left;
      rgb[i + 1]! += g * left;
      rgb[i + 2]! += b * left;
      rgb[i + 3]! += r * right;
      rgb[i + 4]! += g * right;
      rgb[i + 5]! += b * right;
      i += width * 3;
    }
  }

  /** Adds a soft light that ends at `radius`. */
  glow(x: number, y: number, radius: number, [r, g, b]: Rgb): void {
    const { rgb, width, height } = this;
    const y1 = Math.min(height - 1, Math.floor(y + radius));
    const x1 = Math.min(width - 1, Math.floor(x + radius));
    const scale = 1 / (radius * radius);
    for (let py = Math.max(0, Math.ceil(y - radius)); py <= y1; py++) {
      const dy2 = (py + 0.5 - y) ** 2;
      for (let px = Math.max(0, Math.ceil(x - radius)); px <= x1; px++) {
        const dx = px + 0.5 - x;
        const rest = 1 - (dx * dx + dy2) * scale;
        if (rest <= 0) continue;
        const strength = rest * rest * rest;
        const i = (py * width + px) * 3;
        rgb[i]! += r * strength;
        rgb[i + 1]! += g * strength;
        rgb[i + 2]! += b * strength;
      }
    }
  }

  /** Paints a disc over the picture; its edge is `softness` pixels wide. */
  disc(x: number, y: number, radius: number, [r, g, b]: Rgb, alpha = 1, softness = 1.2): void {
    const { rgb, width, height } = this;
    const outer = radius + softness / 2;
    const y1 = Math.min(height - 1, Math.floor(y + outer));
    const x1 = Math.min(width - 1, Math.floor(x + outer));
    for (let py = Math.max(0, Math.floor(y - outer)); py <= y1; py++) {
      const dy = py + 0.5 - y;
      for (let px = Math.max(0, Math.floor(x - outer)); px <= x1; px++) {
        const dx = px + 0.5 - x;
        const cover = (outer - Math.sqrt(dx * dx + dy * dy)) / softness;
        if (cover <= 0) continue;
        const share = alpha * Math.min(1, cover);
        const i = (py * width + px) * 3;
        rgb[i]! += (r - rgb[i]!) * share;
        rgb[i + 1]! += (g - rgb[i + 1]!) * share;
        rgb[i + 2]! += (b - rgb[i + 2]!) * share;
      }
    }
  }

  /** Eight bits a channel, dithered: slow gradients in the dark would show steps otherwise. */
  develop(target: Uint8ClampedArray, tone: Tone): void {
    const { rgb, width, height } = this;
    const lut = tone === 'light' ? lightLut : screenLut;
    const scale = tone === 'light' ? 1 / brightestLight : 1;
    const last = LUT_STEPS - 1;
    for (let y = 0, i = 0; y < height; y++) {
      const row = (y % ditherEdge) * ditherEdge;
      for (let x = 0; x < width; x++) {
        const noise = dither[row + (x % ditherEdge)]!;
        for (let c = 0; c < 3; c++, i++) {
          // The square root gives the dark values, where the eye is keen, most of the steps.
          const step = Math.sqrt(rgb[i]! * scale) * last;
          target[i] = lut[step >= last ? last : step > 0 ? step | 0 : 0]! + noise;
        }
      }
    }
  }
}

const screenLut = Float32Array.from({ length: LUT_STEPS }, (_, i) => 255 * (i / (LUT_STEPS - 1)) ** 2);

const lightLut = Float32Array.from({ length: LUT_STEPS }, (_, i) => {
  const value = brightestLight * (i / (LUT_STEPS - 1)) ** 2;
  return 255 * film(value) ** (1 / 2.2);
});

/** Straight in the dark, bending towards white in the bright, as film does. */
function film(value: number): number {
  const knee = 0.55;
  if (value <= knee) return value;
  return knee + (1 - knee) * (1 - Math.exp((knee - value) / (1 - knee)));
}

const dither = (() => {
  const random = seeded(7);
  return Float32Array.from({ length: ditherEdge * ditherEdge }, () => random() - 0.5);
})();
