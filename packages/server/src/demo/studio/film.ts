import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Canvas } from '../art/canvas.ts';
import { seeded, seedOf } from '../art/seeded.ts';
import type { Clip } from '../clips/catalogue.ts';
import { sceneMakers } from '../clips/scenes/index.ts';
import { compose } from '../sound/compositions.ts';
import { wavOf } from '../sound/wav.ts';

export interface FilmOrder {
  readonly clip: Clip;
  readonly ffmpeg: string;
  /** For what lies around in between. */
  readonly folder: string;
  readonly output: string;
  readonly signal: AbortSignal;
}

/** Draws one loop, repeats it as often as the clip says, and puts the sound under it. */
export async function filmClip({ clip, ffmpeg, folder, output, signal }: FilmOrder): Promise<void> {
  const picture = join(folder, `${clip.key}.loop.mp4`);
  const sound = join(folder, `${clip.key}.wav`);
  await Bun.write(sound, wavOf(compose(clip.sound, clip.loopSeconds * clip.repeats, seedOf(clip.key))));
  await runWithInput(ffmpeg, pictureArgs(clip, picture), framesOf(clip), signal);
  await runWithInput(ffmpeg, joinArgs(clip, picture, sound, output), [], signal);
}

function* framesOf(clip: Clip): Iterable<Uint8ClampedArray> {
  const { width, height, framesPerSecond, loopSeconds: seconds, variant } = clip;
  const canvas = new Canvas(width, height);
  const random = seeded(seedOf(clip.key));
  const scene = sceneMakers[clip.scene]({ width, height, seconds, framesPerSecond, random, variant });
  for (let frame = 0; frame < seconds * framesPerSecond; frame++) {
    scene.draw(canvas, frame / framesPerSecond);
    const pixels = new Uint8ClampedArray(width * height * 3);
    canvas.develop(pixels, scene.tone);
    yield pixels;
  }
}

const colors = ['-color_primaries', 'bt709', '-color_trc', 'bt709', '-colorspace', 'bt709'];

function pictureArgs(clip: Clip, output: string): string[] {
  const { width, height, framesPerSecond, enlarge } = clip;
  const size = `${Math.round((width * enlarge) / 2) * 2}:${Math.round((height * enlarge) / 2) * 2}`;
  return [
    ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`, '-r', String(framesPerSecond)],
    ...['-i', 'pipe:0', '-vf', `scale=${size}:flags=bicubic:out_color_matrix=bt709,format=yuv420p`],
    // Without B-frames the loop can be repeated without a gap. The threads are given, so that every run makes the same file.
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '19', '-bf', '0', '-threads', '2', ...colors],
    ...['-fflags', '+bitexact', '-flags:v', '+bitexact', output],
  ];
}

function joinArgs(clip: Clip, picture: string, sound: string, output: string): string[] {
  return [
    ...['-stream_loop', String(clip.repeats - 1), '-i', picture, '-i', sound, '-map', '0:v', '-map', '1:a'],
    ...['-c:v', 'copy', '-c:a', 'aac', '-b:a', '128k', '-t', String(clip.loopSeconds * clip.repeats)],
    ...['-fflags', '+bitexact', '-flags:a', '+bitexact', '-movflags', '+faststart', output],
  ];
}

/** No faster than ffmpeg takes the frames. */
async function runWithInput(
  ffmpeg: string,
  args: readonly string[],
  chunks: Iterable<Uint8Array | Uint8ClampedArray>,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const child = spawn(ffmpeg, ['-v', 'error', '-hide_banner', '-y', ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
    windowsHide: true,
  });
  const stop = () => child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  const ended = once(child, 'close');
  // It may end before it has read everything; what it says then counts, not the broken pipe.
  child.stdin.on('error', () => undefined);
  for (const chunk of chunks) {
    if (signal.aborted || child.stdin.destroyed || child.exitCode !== null) break;
    if (!child.stdin.write(chunk)) await Promise.race([once(child.stdin, 'drain'), ended]);
  }
  child.stdin.end();
  const [exitCode] = await ended;
  signal.throwIfAborted();
  if (exitCode !== 0) throw new Error(`ffmpeg ended with ${exitCode}: ${complaint}`);
}
