import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { rungOutput, rungsGraph } from '../packages/server/src/adapters/ffmpeg/filters.ts';
import {
  framesPerSecond,
  ladderFor,
  outputFrameRate,
} from '../packages/server/src/adapters/ffmpeg/ladder.ts';
import { defaultMediaLimits } from '../packages/server/src/adapters/ffmpeg/limits.ts';
import { inspect } from '../packages/server/src/adapters/ffmpeg/probe.ts';
import { runFfmpeg } from '../packages/server/src/adapters/ffmpeg/run.ts';
import {
  type FfmpegTranscoder,
  openFfmpegTranscoder,
} from '../packages/server/src/adapters/ffmpeg/transcoder.ts';
import type { Benchmark } from './main.ts';
import { openCommunity, publish, untilStatus } from './support/community.ts';
import { benchFolder } from './support/folder.ts';
import { ratioOf } from './support/lanes.ts';

const clipSeconds = 30;
const fps = 30;
const deadlineMs = 240_000;

export const benchmark: Benchmark = {
  about:
    'Milliseconds from the last byte of a 30 s clip in 1080p to its first playable rendition and to all of them, with ' +
    'covers and sprite; the yardstick is one plain ffmpeg that makes the same renditions with the same settings.',
  async run() {
    await using folder = await benchFolder();
    const clip = await makeSource(join(folder.path, 'clip.mp4'));
    const transcoder = await openFfmpegTranscoder();
    const plainMs = await plainFfmpegMs(transcoder, clip, join(folder.path, 'plain'));
    await using community = await openCommunity();
    const { author } = community;
    const { id, arrivedAtMs } = await publish(author, clip);
    const firstMs = (await untilStatus(author, id, ['playable', 'ready'], deadlineMs)) - arrivedAtMs;
    const allMs = (await untilStatus(author, id, ['ready'], deadlineMs)) - arrivedAtMs;
    return {
      firstPlayableMs: Math.round(firstMs),
      allRenditionsMs: Math.round(allMs),
      plainFfmpegMs: Math.round(plainMs),
      ratio: ratioOf(allMs, plainMs),
      sourceMegabytes: Math.round(Bun.file(clip).size / 1e6),
      ffmpeg: transcoder.binaries.ffmpegVersion,
    };
  },
};

/** As hard as what a phone films: movement, detail and the noise of a sensor, at 12 Mbit/s. */
async function makeSource(path: string): Promise<string> {
  const picture = `testsrc2=size=1920x1080:rate=${fps}:duration=${clipSeconds},noise=alls=6:allf=t`;
  await runFfmpeg(
    [
      ...['-f', 'lavfi', '-i', picture],
      ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${clipSeconds}`],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '12M', '-maxrate', '12M', '-bufsize', '12M'],
      ...['-g', '60', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-b:a', '128k', '-shortest', path],
    ],
    { timeoutMs: deadlineMs },
  );
  return path;
}

/** One process, one decode, the sound encoded once: less could not be asked for. At the priority that the server gives. */
async function plainFfmpegMs(transcoder: FfmpegTranscoder, clip: string, folder: string): Promise<number> {
  const { binaries, sandbox } = transcoder;
  const details = await inspect({ binaries, sandbox, limits: defaultMediaLimits }, clip);
  const rate = outputFrameRate(details.baseRate, fps);
  const rungs = ladderFor(details, framesPerSecond(rate));
  for (const { name } of rungs) await mkdir(join(folder, name), { recursive: true });
  const graph = rungsGraph(details, rate, rungs, binaries.filters);
  const threads = Math.min(8, navigator.hardwareConcurrency);
  const outputs = rungs.flatMap((rung, i) => [
    ...['-map', graph.pads[i] ?? ''],
    ...(i === 0 ? ['-map', '0:a:0', '-c:a', 'aac', '-b:a', '128k'] : ['-an']),
    ...rungOutput(rung, rate, threads),
  ]);
  const command = [binaries.ffmpeg, '-v', 'error', '-nostdin', '-y', '-threads', String(threads), '-i', clip];
  const startedAtMs = performance.now();
  await using ffmpeg = Bun.spawn(
    ['nice', '-n', '10', ...command, '-filter_complex', graph.text, ...outputs],
    {
      cwd: folder,
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'inherit',
      timeout: deadlineMs,
    },
  );
  if ((await ffmpeg.exited) !== 0) throw new Error('the plain ffmpeg failed');
  return performance.now() - startedAtMs;
}
