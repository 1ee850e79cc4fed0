import { keyFrameSeconds } from './filters.ts';

export interface Segment {
  readonly name: string;
  readonly seconds: number;
  readonly bytes: number;
}

/** The segments that ffmpeg lists in its playlist: names without folders, and lengths. */
export function readMediaPlaylist(text: string): { name: string; seconds: number }[] {
  return [...text.matchAll(/^#EXTINF:([0-9.]+),[^\n]*\n([^#\n]+)$/gm)].map(([, seconds, name]) => ({
    seconds: Number(seconds),
    name: (name ?? '').trim().replace(/^.*\//, ''),
  }));
}

/** Written by us, so that every version of ffmpeg gives the same playlist. */
export function writeMediaPlaylist(segments: readonly Segment[]): string {
  const longest = Math.max(keyFrameSeconds, ...segments.map(({ seconds }) => Math.round(seconds)));
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${longest}`,
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-MAP:URI="init.mp4"',
    ...segments.flatMap(({ seconds, name }) => [`#EXTINF:${seconds.toFixed(6)},`, name]),
    '#EXT-X-ENDLIST',
  ];
  return `${lines.join('\n')}\n`;
}

export const totalSeconds = (segments: readonly Segment[]) =>
  segments.reduce((sum, { seconds }) => sum + seconds, 0);

/**
 * Bits per second. The peak is RFC 8216's: the largest rate of any run of segments that lasts between 0.5 and 1.5 target
 * durations, so that a last segment of one frame does not count as a peak.
 */
export function bitratesOf(segments: readonly Segment[]): { peak: number; average: number } {
  const seconds = totalSeconds(segments);
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const average = seconds > 0 ? Math.round((bytes * 8) / seconds) : 0;
  let peak = average;
  for (let first = 0; first < segments.length; first++) {
    let [runSeconds, runBytes] = [0, 0];
    for (const segment of segments.slice(first)) {
      runSeconds += segment.seconds;
      runBytes += segment.bytes;
      if (runSeconds > 1.5 * keyFrameSeconds) break;
      if (runSeconds >= 0.5 * keyFrameSeconds) peak = Math.max(peak, Math.round((runBytes * 8) / runSeconds));
    }
  }
  return { peak, average };
}
