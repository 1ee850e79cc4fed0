import { join } from 'node:path';
import { Canvas } from '../art/canvas.ts';
import { seeded, seedOf } from '../art/seeded.ts';
import { avatarFile } from '../studio/orders.ts';
import { bmpOf } from './bmp.ts';
import { paintPortrait } from './portraits.ts';
import { personOf } from './roster.ts';

const edge = 384;

/** Paints the pictures of people into a folder, one file each. */
export async function paintAvatars(
  usernames: readonly string[],
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const canvas = new Canvas(edge, edge);
  const pixels = new Uint8ClampedArray(edge * edge * 3);
  for (const username of usernames) {
    signal.throwIfAborted();
    paintPortrait(canvas, personOf(username), seeded(seedOf(username)));
    canvas.develop(pixels, 'screen');
    await Bun.write(join(folder, avatarFile(username)), bmpOf(pixels, edge, edge));
  }
}
