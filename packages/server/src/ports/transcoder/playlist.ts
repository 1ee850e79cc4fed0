import type { Rendition } from './port.ts';

/**
 * The multivariant playlist, smallest rendition first: a player starts with the first entry, and the smallest starts
 * fastest. URIs are relative, so the playlist works below any signed path.
 */
export function masterPlaylist(renditions: readonly Rendition[]): string {
  const bySize = [...renditions].sort((a, b) => a.width * a.height - b.width * b.height);
  const variants = bySize.flatMap((rendition) => [
    `#EXT-X-STREAM-INF:${[
      `BANDWIDTH=${Math.ceil(rendition.peakBitrate)}`,
      `AVERAGE-BANDWIDTH=${Math.ceil(rendition.averageBitrate)}`,
      `RESOLUTION=${rendition.width}x${rendition.height}`,
      `FRAME-RATE=${rendition.frameRate.toFixed(3)}`,
      `CODECS="${rendition.codecs}"`,
    ].join(',')}`,
    `${rendition.name}/index.m3u8`,
  ]);
  return `${['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS', ...variants].join('\n')}\n`;
}
