/** What a file may be. Each bound has its error code, so that the uploader learns which one it was. */
export interface MediaLimits {
  readonly minDurationMs: number;
  readonly maxDurationMs: number;
  /** Of each edge, as displayed and as stored. */
  readonly minEdge: number;
  readonly maxEdge: number;
  readonly maxPixels: number;
  readonly maxFrameRate: number;
  readonly maxStreams: number;
  /** Pixels times frames: what the decoder has to do. Ten minutes of 4K at 60 fps are 3e11. */
  readonly maxDecodedPixels: number;
}

export const defaultMediaLimits: MediaLimits = {
  minDurationMs: 500,
  maxDurationMs: 10 * 60_000,
  minEdge: 16,
  maxEdge: 8192,
  maxPixels: 8192 * 4352,
  maxFrameRate: 240,
  maxStreams: 32,
  maxDecodedPixels: 3.2e11,
};

/** Containers that hold one file's own pictures and sound. No playlists, no image sequences, no scripts. */
const videoDemuxers = [
  'mov',
  'mp4',
  'm4a',
  '3gp',
  '3g2',
  'mj2',
  'matroska',
  'webm',
  'mpegts',
  'mpeg',
  'avi',
  'flv',
  'asf',
  'ogg',
];
/** Only so that an audio file can be told from rubbish. */
const audioDemuxers = ['mp3', 'wav', 'flac', 'aac', 'w64', 'aiff', 'caf', 'amr'];

/** By codec name, each with the decoders that read it, in the order of preference. */
const videoDecoders: Readonly<Record<string, readonly string[]>> = {
  h264: ['h264'],
  hevc: ['hevc'],
  vp8: ['vp8', 'libvpx'],
  vp9: ['vp9', 'libvpx-vp9'],
  av1: ['libdav1d', 'libaom-av1', 'av1'],
  mpeg4: ['mpeg4'],
  mpeg2video: ['mpeg2video'],
  mpeg1video: ['mpeg1video'],
  h263: ['h263'],
  mjpeg: ['mjpeg'],
  prores: ['prores'],
  theora: ['theora'],
  flv1: ['flv'],
  msmpeg4v3: ['msmpeg4'],
  wmv1: ['wmv1'],
  wmv2: ['wmv2'],
  wmv3: ['wmv3'],
  vc1: ['vc1'],
  dvvideo: ['dvvideo'],
};

const audioDecoders: Readonly<Record<string, readonly string[]>> = {
  aac: ['aac'],
  mp3: ['mp3float', 'mp3'],
  mp2: ['mp2float', 'mp2'],
  opus: ['opus', 'libopus'],
  vorbis: ['vorbis', 'libvorbis'],
  flac: ['flac'],
  alac: ['alac'],
  ac3: ['ac3'],
  eac3: ['eac3'],
  amr_nb: ['amrnb', 'libopencore_amrnb'],
  amr_wb: ['amrwb', 'libopencore_amrwb'],
  wmav1: ['wmav1'],
  wmav2: ['wmav2'],
  wmapro: ['wmapro'],
  adpcm_ima_qt: ['adpcm_ima_qt'],
  adpcm_ms: ['adpcm_ms'],
  nellymoser: ['nellymoser'],
  ...Object.fromEntries(
    [
      's16le',
      's16be',
      's24le',
      's24be',
      's32le',
      's32be',
      'f32le',
      'f32be',
      'u8',
      's8',
      'mulaw',
      'alaw',
      'bluray',
      'dvd',
    ].map((name) => [`pcm_${name}`, [`pcm_${name}`]]),
  ),
};

const hasDecoder = (
  table: Readonly<Record<string, readonly string[]>>,
  codec: string,
  available: ReadonlySet<string>,
) => Object.hasOwn(table, codec) && table[codec]?.some((decoder) => available.has(decoder)) === true;

export const canDecodeVideo = (codec: string, available: ReadonlySet<string>) =>
  hasDecoder(videoDecoders, codec, available);
export const canDecodeAudio = (codec: string, available: ReadonlySet<string>) =>
  hasDecoder(audioDecoders, codec, available);

/** Cover art and subtitles: not used, but ffprobe opens a decoder for every stream and fails if it may not. */
const sideDecoders = [
  'png',
  'webp',
  'bmp',
  'gif',
  'mov_text',
  'srt',
  'subrip',
  'ass',
  'ssa',
  'webvtt',
  'dvdsub',
  'pgssub',
];

const codecWhitelist = [
  ...Object.values(videoDecoders).flat(),
  ...Object.values(audioDecoders).flat(),
  ...sideDecoders,
].join(',');

/** Input options for every hostile file: local, no playlists, only decoders we mean to run. */
export function inputGuards(limits: MediaLimits): string[] {
  return [
    ...['-protocol_whitelist', 'file'],
    ...['-format_whitelist', [...videoDemuxers, ...audioDemuxers].join(',')],
    ...['-codec_whitelist', codecWhitelist],
    ...['-max_pixels', String(limits.maxPixels)],
    ...['-max_streams', String(limits.maxStreams)],
  ];
}

/** A path that ffmpeg cannot take for a protocol, an option or a pattern. */
export const fileUrl = (path: string) => `file:${path}`;
