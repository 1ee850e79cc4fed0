import type { SourceDetails } from './inspect.ts';
import type { FrameRate, Rung, SpritePlan } from './ladder.ts';

/** Filter graphs as text. ffmpeg turns the picture by its display matrix before the first filter. */

/** Seconds between key frames, the same in every rung, so that a player can change rungs at each of them. */
export const keyFrameSeconds = 2;

const scale = (size: { width: number; height: number }) =>
  `scale=${size.width}:${size.height}:flags=bicubic,setsar=1`;

/** 8 bits, 4:2:0, and for HDR the light of an ordinary screen. */
export function toSdr(details: SourceDetails, filters: ReadonlySet<string>): string {
  if (details.transfer === 'sdr' || !filters.has('zscale') || !filters.has('tonemap'))
    return 'format=yuv420p';
  const transferIn = details.transfer === 'pq' ? 'smpte2084' : 'arib-std-b67';
  return [
    `zscale=tin=${transferIn}:min=bt2020nc:pin=bt2020:rin=tv:t=linear:npl=100`,
    'format=gbrpf32le',
    'zscale=p=bt709',
    'tonemap=tonemap=hable:desat=0',
    'zscale=t=bt709:m=bt709:r=tv',
    'format=yuv420p',
  ].join(',');
}

/** From the decoder to frames of the largest rung wanted: steady rate, progressive, scaled, 8 bits. */
function mainChain(
  details: SourceDetails,
  rate: FrameRate,
  size: Rung,
  filters: ReadonlySet<string>,
): string {
  const deinterlace = details.isInterlaced && filters.has('yadif') ? 'yadif=deint=interlaced,' : '';
  const fps = `fps=${rate.numerator}/${rate.denominator}`;
  // Scaled before the tone mapping, which works on 32-bit floats.
  return `${deinterlace}${fps},${scale(size)},${toSdr(details, filters)}`;
}

export interface Graph {
  readonly text: string;
  /** The output pads of the rungs, in the order they were given. */
  readonly pads: readonly string[];
}

/** One decode, many sizes: each rung is scaled from the next larger one, which costs less than from the source. */
export function rungsGraph(
  details: SourceDetails,
  rate: FrameRate,
  rungsBySize: readonly Rung[],
  filters: ReadonlySet<string>,
): Graph {
  const largestFirst = rungsBySize.toReversed();
  const parts: string[] = [];
  largestFirst.forEach((rung, i) => {
    const chain =
      i === 0
        ? `[0:${details.videoIndex}]${mainChain(details, rate, rung, filters)}`
        : `[next${i}]${scale(rung)}`;
    const isLast = i === largestFirst.length - 1;
    parts.push(isLast ? `${chain}[v${rung.name}]` : `${chain},split=2[v${rung.name}][next${i + 1}]`);
  });
  return { text: parts.join(';'), pads: rungsBySize.map((rung) => `[v${rung.name}]`) };
}

/** The smallest rung, and the seek bar's pictures taken from its frames on the way. */
export function firstRungGraph(
  details: SourceDetails,
  rate: FrameRate,
  rung: Rung,
  sprite: SpritePlan,
  filters: ReadonlySet<string>,
): Graph & { spritePad: string } {
  const main = `[0:${details.videoIndex}]${mainChain(details, rate, rung, filters)},split=2[v${rung.name}][forsprite]`;
  const seconds = sprite.intervalMs / 1000;
  const tiles = [
    `select='gte(t,${seconds}*selected_n)'`,
    `scale=${sprite.tileWidth}:${sprite.tileHeight}:flags=bicubic`,
    `tile=${sprite.columns}x${sprite.rows}:nb_frames=${sprite.count}`,
    'format=yuvj420p',
  ];
  return {
    text: `${main};[forsprite]${tiles.join(',')}[sprite]`,
    pads: [`[v${rung.name}]`],
    spritePad: '[sprite]',
  };
}

/** A still, at most `maxEdge` on its longer side. */
export function stillFilter(details: SourceDetails, maxEdge: number, filters: ReadonlySet<string>): string {
  const factor = Math.min(1, maxEdge / Math.max(details.width, details.height));
  const [width, height] = [details.width, details.height].map((edge) =>
    Math.max(2, 2 * Math.round((edge * factor) / 2)),
  );
  return `${scale({ width: width ?? 2, height: height ?? 2 })},${toSdr(details, filters)},format=yuvj420p`;
}

/** Output options of one picture without metadata. */
export const jpegOutput = [
  '-an',
  '-sn',
  '-dn',
  '-frames:v',
  '1',
  '-c:v',
  'mjpeg',
  '-q:v',
  '3',
  '-flags:v',
  '+bitexact',
  '-map_metadata',
  '-1',
  '-f',
  'mjpeg',
];

/**
 * All outputs start a little after zero: encoders give their first packets times before the first frame, and a muxer would
 * shift each file by its own amount to keep them positive. Milliseconds, so that it is a whole number of samples.
 */
export const startOffsetSeconds = (rate: FrameRate) =>
  Math.ceil((3 * rate.denominator * 1000) / rate.numerator + 50) / 1000;

/** Output options of one rung. Paths are relative to the output folder. */
export function rungOutput(rung: Rung, rate: FrameRate, threads: number): string[] {
  const gop = Math.ceil((keyFrameSeconds * rate.numerator) / rate.denominator);
  return [
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high', '-pix_fmt', 'yuv420p', '-crf', '23'],
    ...['-maxrate', `${rung.maxKbps}k`, '-bufsize', `${rung.maxKbps * 2}k`, '-threads', String(threads)],
    ...['-g', String(gop), '-keyint_min', String(gop), '-sc_threshold', '0', '-flags:v', '+cgop'],
    ...['-force_key_frames', `expr:gte(t,n_forced*${keyFrameSeconds})`],
    ...['-map_metadata', '-1', '-map_chapters', '-1', '-output_ts_offset', String(startOffsetSeconds(rate))],
    ...[
      '-f',
      'hls',
      '-hls_time',
      String(keyFrameSeconds),
      '-hls_list_size',
      '0',
      '-hls_playlist_type',
      'vod',
    ],
    ...['-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename', 'init.mp4'],
    ...[
      '-hls_flags',
      '+independent_segments',
      '-hls_segment_filename',
      `${rung.name}/%05d.m4s`,
      `${rung.name}/index.m3u8`,
    ],
  ];
}

export const audioEncoding = ['-c:a', 'aac', '-b:a', '128k', '-ac', '2', '-ar', '48000'];
