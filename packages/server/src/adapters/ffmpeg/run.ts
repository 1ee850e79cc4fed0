import { findBinaries, type MediaBinaries } from './binaries.ts';
import { runProcess } from './process.ts';
import { positionOf } from './progress.ts';

export interface RunFfmpegOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly cwd?: string | undefined;
  /** Milliseconds of output so far. */
  readonly onProgress?: ((positionMs: number) => void) | undefined;
  /** By default those that `findBinaries()` finds. */
  readonly binaries?: MediaBinaries | undefined;
}

let found: Promise<MediaBinaries> | undefined;

/** Runs ffmpeg on our own input: demo clips, test clips, benchmarks. No sandbox: never give it a stranger's file. */
export async function runFfmpeg(args: readonly string[], options: RunFfmpegOptions): Promise<void> {
  const { onProgress, ...run } = options;
  found ??= findBinaries();
  const { ffmpeg } = options.binaries ?? (await found);
  const result = await runProcess(
    [ffmpeg, '-v', 'error', '-hide_banner', '-nostdin', '-y', '-progress', 'pipe:1', ...args],
    {
      ...run,
      onLine: (line) => {
        const position = positionOf(line);
        if (position !== undefined) onProgress?.(position);
        return true;
      },
    },
  );
  if (result.end === 'exit' && result.exitCode === 0) return;
  throw new Error(
    `ffmpeg ended with ${result.exitSignal ?? result.exitCode ?? result.end}: ${result.stderr.trim()}`,
  );
}
