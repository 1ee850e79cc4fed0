import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { audioEncoding, rungOutput } from '../packages/server/src/adapters/ffmpeg/filters.ts';
import { ladderFor } from '../packages/server/src/adapters/ffmpeg/ladder.ts';
import { runFfmpeg } from '../packages/server/src/adapters/ffmpeg/run.ts';
import { openFfmpegTranscoder } from '../packages/server/src/adapters/ffmpeg/transcoder.ts';
import { makeClip } from '../packages/server/test/support/media-samples.ts';
import type { Benchmark } from './main.ts';

const clip = { seconds: 20, width: 1080, height: 1920, fps: 30 };
const rate = { numerator: clip.fps, denominator: 1 };
const threads = Math.min(8, navigator.hardwareConcurrency);
const timeoutMs = 180_000;
const rounds = 3;

export const benchmark: Benchmark = {
  about:
    'Seconds from a file to all its renditions, covers and sprite; the yardstick is one plain ffmpeg that makes the same renditions with the same encoder.',
  async run() {
    const folder = await mkdtemp(join(tmpdir(), 'hvideo-bench-'));
    try {
      const source = await makeClip({ path: join(folder, 'clip.mp4'), ...clip });
      const transcoder = await openFfmpegTranscoder();
      const ours: Awaited<ReturnType<typeof transcode>>[] = [];
      const plain: number[] = [];
      // By turns, so that whatever else the machine does falls on both; the best of each is the least disturbed.
      for (let round = 0; round < rounds; round++) {
        ours.push(await transcode(transcoder, source, join(folder, `ours-${round}`)));
        plain.push(await plainSeconds(source, join(folder, `plain-${round}`)));
      }
      const seconds = Math.min(...ours.map((each) => each.seconds));
      const yardstick = Math.min(...plain);
      return {
        seconds,
        plainFfmpegSeconds: yardstick,
        ratio: Number((seconds / yardstick).toFixed(2)),
        firstPlayableSeconds: Math.min(...ours.map((each) => each.playableSeconds)),
        clipSeconds: clip.seconds,
        size: `${clip.width}x${clip.height}`,
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

const secondsSince = (startedAtMs: number) => Math.round(performance.now() - startedAtMs) / 1000;

async function transcode(
  transcoder: Awaited<ReturnType<typeof openFfmpegTranscoder>>,
  sourcePath: string,
  outputDir: string,
): Promise<{ seconds: number; playableSeconds: number }> {
  await mkdir(outputDir);
  const startedAtMs = performance.now();
  let playableSeconds = 0;
  const probe = await transcoder.probe(sourcePath);
  await transcoder.transcode({
    ...{ sourcePath, probe, outputDir, coverTimeMs: undefined },
    onCovers: async () => {},
    onRendition: async () => {
      playableSeconds ||= secondsSince(startedAtMs);
    },
    onProgress: () => {},
  });
  return { seconds: secondsSince(startedAtMs), playableSeconds };
}

async function plainSeconds(source: string, cwd: string): Promise<number> {
  const rungs = ladderFor(clip, clip.fps);
  for (const { name } of rungs) await mkdir(join(cwd, name), { recursive: true });
  const pads = rungs.map((_, i) => `[in${i}]`).join('');
  const scales = rungs.map(
    ({ width, height }, i) => `[in${i}]scale=${width}:${height},format=yuv420p[out${i}]`,
  );
  const outputs = rungs.flatMap((rung, i) => [
    ...['-map', `[out${i}]`, '-map', '0:a', ...audioEncoding, ...rungOutput(rung, rate, threads)],
  ]);
  const startedAtMs = performance.now();
  await runFfmpeg(
    ['-i', source, '-filter_complex', `split=${rungs.length}${pads};${scales.join(';')}`, ...outputs],
    { timeoutMs, cwd },
  );
  return secondsSince(startedAtMs);
}
