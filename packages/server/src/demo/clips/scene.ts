import type { Canvas, Tone } from '../art/canvas.ts';
import type { Seeded } from '../art/seeded.ts';

/** What a scene is made for. Everything it draws follows from this. */
export interface Stage {
  readonly width: number;
  readonly height: number;
  readonly seconds: number;
  readonly framesPerSecond: number;
  readonly random: Seeded;
  /** The look, one of the scene's own names. */
  readonly variant: string;
}

export interface Scene {
  readonly tone: Tone;
  /** Frames are drawn in order from 0 on; `seconds` is the time of the frame. The canvas holds the frame before. */
  draw(canvas: Canvas, seconds: number): void;
}

export type SceneMaker = (stage: Stage) => Scene;

/** The palette of the variant; a name that the scene does not know is a bug. */
export function variantOf<T>(variants: Readonly<Record<string, T>>, name: string): T {
  const variant = variants[name];
  if (variant === undefined) throw new TypeError(`the scene has no variant "${name}"`);
  return variant;
}
