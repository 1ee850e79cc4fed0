import { openFfmpegTranscoder } from '../adapters/ffmpeg/transcoder.ts';
import type { Config, Role } from '../config/config.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Transcoder } from '../ports/transcoder/port.ts';
import { ffmpegUnusable } from './ffmpeg-unusable.ts';

export interface OpenTranscoder {
  readonly transcoder: Transcoder;
  /** The program, where there is one. */
  readonly ffmpeg: string;
}

/** Files come in at the api and are worked on by the worker; whoever does neither needs no ffmpeg. */
export const looksAtFiles = (roles: readonly Role[]): boolean =>
  roles.length === 0 || roles.includes('api') || roles.includes('worker');

export async function openTranscoder(config: Config, roles: readonly Role[]): Promise<OpenTranscoder> {
  if (!looksAtFiles(roles)) return { transcoder: noTranscoder, ffmpeg: 'ffmpeg' };
  try {
    const transcoder = await openFfmpegTranscoder({
      binaries: { ffmpeg: config.HVIDEO_FFMPEG, ffprobe: config.HVIDEO_FFPROBE },
      limits: { maxDurationMs: config.HVIDEO_VIDEO_MAX_SECONDS * 1000 },
      clock: systemClock,
    });
    return { transcoder, ffmpeg: transcoder.binaries.ffmpeg };
  } catch (error) {
    throw ffmpegUnusable(error);
  }
}

const nothing = () => Promise.reject(new Error('no role of this process looks at files'));
const noTranscoder: Transcoder = { probe: nothing, transcode: nothing, still: nothing, avatar: nothing };
