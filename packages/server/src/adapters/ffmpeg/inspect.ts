import { z } from 'zod';
import { AppError } from '../../kernel/errors.ts';
import type { FrameRate } from './ladder.ts';
import { canDecodeAudio, canDecodeVideo, type MediaLimits } from './limits.ts';

/** What the headers of a file say, before anything is believed about its length. */
export interface SourceDetails {
  readonly videoIndex: number;
  readonly audioIndex: number | undefined;
  readonly videoCodec: string;
  readonly audioCodec: string | undefined;
  /** As stored. */
  readonly codedWidth: number;
  readonly codedHeight: number;
  /** As displayed. */
  readonly width: number;
  readonly height: number;
  /** The lowest rate that all timestamps fit, as far as the headers and first packets tell. */
  readonly baseRate: FrameRate | undefined;
  readonly isInterlaced: boolean;
  readonly transfer: 'sdr' | 'pq' | 'hlg';
  /** What the container promises, of the streams that are used. */
  readonly promisedMs: number | undefined;
  readonly promisedFrames: number | undefined;
}

const numeric = z.union([z.number(), z.string()]).transform(Number).optional().catch(undefined);

const streamSchema = z.object({
  index: z.number(),
  codec_type: z.string().optional(),
  codec_name: z.string().optional(),
  codec_tag_string: z.string().optional(),
  width: z.number().optional(),
  height: z.number().optional(),
  sample_aspect_ratio: z.string().optional(),
  r_frame_rate: z.string().optional(),
  field_order: z.string().optional(),
  color_transfer: z.string().optional(),
  duration: numeric,
  nb_frames: numeric,
  channels: numeric,
  disposition: z.record(z.string(), z.number()).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  side_data_list: z.array(z.looseObject({ rotation: numeric })).optional(),
});

const reportSchema = z.object({
  streams: z.array(streamSchema).default([]),
  format: z.object({ format_name: z.string().optional(), duration: numeric }).optional(),
});

type Stream = z.infer<typeof streamSchema>;

/** Reads ffprobe's JSON and refuses what cannot become a clip. */
export function readReport(json: string, limits: MediaLimits, decoders: ReadonlySet<string>): SourceDetails {
  const { streams, format } = reportSchema.parse(JSON.parse(json));
  if (streams.length > limits.maxStreams) {
    throw new AppError('media-too-complex', { detail: `A file may hold ${limits.maxStreams} streams.` });
  }
  const video = streams.find((stream) => stream.codec_type === 'video' && !isCoverArt(stream));
  if (!video) {
    const known = streams.some((stream) => stream.codec_type === 'audio' || stream.codec_type === 'video');
    throw new AppError(known || streams.length > 0 ? 'media-no-video' : 'media-unreadable');
  }
  const audio = streams.find((stream) => stream.codec_type === 'audio' && (stream.channels ?? 0) > 0);
  checkCodec(video, 'picture', canDecodeVideo, decoders);
  if (audio) checkCodec(audio, 'sound', canDecodeAudio, decoders);
  const codedWidth = video.width ?? 0;
  const codedHeight = video.height ?? 0;
  const shown = displaySize(video, codedWidth, codedHeight);
  for (const size of [{ width: codedWidth, height: codedHeight }, shown]) checkDimensions(size, limits);
  return {
    videoIndex: video.index,
    audioIndex: audio?.index,
    videoCodec: video.codec_name ?? 'unknown',
    audioCodec: audio?.codec_name,
    codedWidth,
    codedHeight,
    ...shown,
    baseRate: fraction(video.r_frame_rate),
    isInterlaced: /^(tt|bb|tb|bt)$/.test(video.field_order ?? ''),
    transfer: transferOf(video),
    promisedMs: promisedMs([video, ...(audio ? [audio] : [])], format?.duration),
    promisedFrames: positive(video.nb_frames),
  };
}

const isCoverArt = (stream: Stream) => stream.disposition?.['attached_pic'] === 1;
const positive = (value: number | undefined) => (value !== undefined && value > 0 ? value : undefined);

function checkCodec(
  stream: Stream,
  what: string,
  canDecode: (codec: string, decoders: ReadonlySet<string>) => boolean,
  decoders: ReadonlySet<string>,
): void {
  const codec = stream.codec_name ?? 'unknown';
  // Encrypted tracks keep the codec of what they hide.
  const isEncrypted = /^(enc[av]|drm[si])$/.test(stream.codec_tag_string ?? '');
  if (isEncrypted) throw new AppError('media-codec-unsupported', { detail: 'The file is protected (DRM).' });
  if (!canDecode(codec, decoders)) {
    const name = codec === 'unknown' || codec === 'none' ? 'of an unknown kind' : `in ${codec}`;
    throw new AppError('media-codec-unsupported', { detail: `The ${what} is ${name}.` });
  }
}

function checkDimensions({ width, height }: { width: number; height: number }, limits: MediaLimits): void {
  const fits = (edge: number) => edge >= limits.minEdge && edge <= limits.maxEdge;
  if (fits(width) && fits(height) && width * height <= limits.maxPixels) return;
  throw new AppError('media-dimensions', {
    detail: `The picture is ${width} x ${height}; each edge may have ${limits.minEdge} to ${limits.maxEdge} pixels.`,
  });
}

function displaySize(
  video: Stream,
  codedWidth: number,
  codedHeight: number,
): { width: number; height: number } {
  const [x = 1, y = 1] = (video.sample_aspect_ratio ?? '1:1').split(':').map(Number);
  const ratio = x > 0 && y > 0 ? x / y : 1;
  const width = Math.round(codedWidth * ratio);
  const side = video.side_data_list?.find((data) => data.rotation !== undefined)?.rotation;
  const rotation = side ?? Number(video.tags?.['rotate'] ?? 0);
  const isTurned = Math.abs(Math.round(rotation / 90)) % 2 === 1;
  return isTurned ? { width: codedHeight, height: width } : { width, height: codedHeight };
}

function fraction(text: string | undefined): FrameRate | undefined {
  const [numerator = 0, denominator = 0] = (text ?? '').split('/').map(Number);
  return numerator > 0 && denominator > 0 ? { numerator, denominator } : undefined;
}

function transferOf(video: Stream): SourceDetails['transfer'] {
  if (video.color_transfer === 'smpte2084') return 'pq';
  return video.color_transfer === 'arib-std-b67' ? 'hlg' : 'sdr';
}

function promisedMs(used: readonly Stream[], formatSeconds: number | undefined): number | undefined {
  const each = used.map((stream) => positive(stream.duration));
  const seconds = each.every((value) => value !== undefined) ? Math.max(...each) : positive(formatSeconds);
  return seconds === undefined ? undefined : seconds * 1000;
}
