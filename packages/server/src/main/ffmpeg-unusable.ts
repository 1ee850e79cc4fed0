import { StartError } from '../adapters/postgres/start-error.ts';

/** Without a usable ffmpeg no upload can be examined. */
export function ffmpegUnusable(error: unknown): StartError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StartError(
    `ffmpeg cannot be used: ${reason}`,
    'Install ffmpeg with libx264, correct HVIDEO_FFMPEG, or run "npm ci" again to get the bundled one.',
    error,
  );
}
