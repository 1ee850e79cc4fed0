import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../kernel/errors.ts';
import type { Rendition } from '../../ports/transcoder/port.ts';
import { type FrameRate, framesPerSecond, type Rung } from './ladder.ts';
import { codecsOf } from './mp4-boxes.ts';
import { bitratesOf, readMediaPlaylist, type Segment, totalSeconds, writeMediaPlaylist } from './segments.ts';

/** How much of the promised length may be missing before the file counts as broken off: a decoder may drop some frames. */
const missingShare = 0.1;
const missingSeconds = 0.5;

/** Measures what ffmpeg wrote for one rung and writes its playlist. */
export async function finishRung(
  outputDir: string,
  rung: Rung,
  rate: FrameRate,
  durationMs: number,
): Promise<Rendition> {
  const folder = join(outputDir, rung.name);
  const listed = readMediaPlaylist(await Bun.file(join(folder, 'index.m3u8')).text());
  const segments: Segment[] = await Promise.all(
    listed.map(async (segment) => ({ ...segment, bytes: (await stat(join(folder, segment.name))).size })),
  );
  const expected = durationMs / 1000;
  if (totalSeconds(segments) < expected * (1 - missingShare) - missingSeconds || segments.length === 0) {
    throw new AppError('media-truncated', { detail: 'The picture ends before the file says it does.' });
  }
  const { peak, average } = bitratesOf(segments);
  const codecs = codecsOf(await Bun.file(join(folder, 'init.mp4')).bytes());
  await Bun.write(join(folder, 'index.m3u8'), writeMediaPlaylist(segments));
  return {
    name: rung.name,
    width: rung.width,
    height: rung.height,
    frameRate: Math.round(framesPerSecond(rate) * 1000) / 1000,
    peakBitrate: peak,
    averageBitrate: average,
    codecs,
  };
}

/** One file that ffmpeg can read the encoded sound from, so that it is encoded once and copied into the other rungs. */
export async function joinRung(outputDir: string, rung: Rung, target: string): Promise<void> {
  const folder = join(outputDir, rung.name);
  const listed = readMediaPlaylist(await Bun.file(join(folder, 'index.m3u8')).text());
  const writer = Bun.file(target).writer();
  for (const name of ['init.mp4', ...listed.map((segment) => segment.name)]) {
    // A segment is two seconds of the smallest rung.
    writer.write(await Bun.file(join(folder, name)).bytes());
    await writer.flush();
  }
  await writer.end();
}
