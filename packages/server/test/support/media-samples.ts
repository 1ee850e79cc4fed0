import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runFfmpeg } from '../../src/adapters/ffmpeg/run.ts';
import type { ErrorCode } from '../../src/kernel/errors.ts';

/** Small clips made on the spot, good and bad. Only encoders that both the system's and npm's ffmpeg have. */

export interface ClipOptions {
  /** The file to write; its ending chooses the container. */
  readonly path: string;
  readonly seconds?: number;
  readonly width?: number;
  readonly height?: number;
  /** A fraction is fine: `30000/1001`. */
  readonly fps?: number | string;
  readonly audio?: boolean;
  readonly codec?: 'h264' | 'hevc' | 'vp9' | 'mpeg4' | 'ffv1';
  readonly pixelFormat?: string;
  /** MP4 only: the index before the data, as a streaming file has it. */
  readonly indexFirst?: boolean;
  /** Degrees in the display matrix: 90, 180 or 270. */
  readonly rotate?: number;
  /** More output options, the last word. */
  readonly more?: readonly string[];
}

const encoders = {
  h264: ['libx264', '-preset', 'ultrafast', '-g', '30'],
  hevc: ['libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none', '-tag:v', 'hvc1'],
  vp9: ['libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '300k'],
  mpeg4: ['mpeg4', '-q:v', '5'],
  ffv1: ['ffv1'],
} as const;

const timeoutMs = 60_000;

/** Makes a clip with a moving picture and a tone; answers its path. */
export async function makeClip(options: ClipOptions): Promise<string> {
  const { path, seconds = 2, width = 320, height = 180, fps = 30, audio = true, codec = 'h264' } = options;
  const isWebm = path.endsWith('.webm');
  await mkdir(dirname(path), { recursive: true });
  const picture = ['-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=${fps}:duration=${seconds}`];
  const sound = ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`];
  const target = options.rotate === undefined ? path : `${path}.upright.mp4`;
  await runFfmpeg(
    [
      ...[...picture, ...(audio ? sound : []), '-c:v', ...encoders[codec]],
      ...['-pix_fmt', options.pixelFormat ?? 'yuv420p'],
      ...(audio ? ['-c:a', isWebm ? 'libopus' : 'aac', '-b:a', '64k', '-shortest'] : []),
      ...(options.indexFirst ? ['-movflags', '+faststart'] : []),
      ...[...(options.more ?? []), target],
    ],
    { timeoutMs },
  );
  if (options.rotate !== undefined) {
    await runFfmpeg(['-i', target, '-c', 'copy', path], { timeoutMs });
    await rotateTrack(path, options.rotate);
  }
  return path;
}

/**
 * Writes the display matrix into the picture's track header. ffmpeg's own option for it changed its name between
 * versions, so the bytes are set here.
 */
async function rotateTrack(path: string, degrees: number): Promise<void> {
  const file = await readFile(path);
  const at = file.indexOf('tkhd');
  if (at < 0) throw new Error(`${path} has no track header`);
  // Version 0: the matrix starts 40 bytes after the version byte, which follows the type.
  const matrix = at + 4 + 40;
  const radians = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.round(Math.cos(radians)) * 0x10000, Math.round(Math.sin(radians)) * 0x10000];
  [cos, sin, 0, -sin, cos, 0, 0, 0, 0x40000000].forEach((value, i) => {
    file.writeInt32BE(value, matrix + 4 * i);
  });
  await writeFile(path, file);
}

export interface HostileFile {
  readonly name: string;
  readonly code: ErrorCode;
  /** Makes the file below `dir`; answers its path. */
  make(dir: string): Promise<string>;
}

type Contents = string | Uint8Array;

const written = (name: string, fileName: string, code: ErrorCode, contents: () => Contents): HostileFile => ({
  name,
  code,
  make: async (dir) => {
    const path = join(dir, fileName);
    await writeFile(path, contents());
    return path;
  },
});

/** A good clip, spoilt afterwards. */
const spoilt = (
  name: string,
  clip: Omit<ClipOptions, 'path'> & { fileName?: string },
  code: ErrorCode,
  spoil: (path: string) => Promise<void>,
): HostileFile => ({
  name,
  code,
  make: async (dir) => {
    const { fileName = `${name.replaceAll(/[^a-z0-9]+/g, '-')}.mp4`, ...options } = clip;
    const path = await makeClip({ ...options, path: join(dir, fileName) });
    await spoil(path);
    return path;
  },
});

const made = (name: string, fileName: string, code: ErrorCode, args: readonly string[]): HostileFile => ({
  name,
  code,
  make: async (dir) => {
    const path = join(dir, fileName);
    await runFfmpeg([...args, path], { timeoutMs, cwd: dir });
    return path;
  },
});

const cutTo = (share: number) => async (path: string) => {
  await truncate(path, Math.floor(Bun.file(path).size * share));
};

async function replaceBytes(path: string, from: string, to: string): Promise<void> {
  const file = await readFile(path);
  for (let at = file.indexOf(from); at >= 0; at = file.indexOf(from, at + 4)) file.write(to, at, 'latin1');
  await writeFile(path, file);
}

/** The same bytes at every run, without any order. */
function noise(bytes: number): Buffer {
  let state = 0x2545f491;
  return Buffer.from(
    Uint8Array.from({ length: bytes }, () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state & 0xff;
    }),
  );
}

const ftyp = Buffer.from('\0\0\0\x18ftypisom\0\0\x02\0isommp41', 'latin1');
const tone = ['-f', 'lavfi', '-i', 'sine=duration=2'];
const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30:duration=2'];
const still = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=1:duration=1', '-frames:v', '1'];

const playlist = `#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:2
#EXTINF:2,
file:///etc/passwd
#EXT-X-ENDLIST
`;

const zip = () =>
  Buffer.concat([
    Buffer.from('PK\x03\x04\x14\0\0\0\x08\0', 'latin1'),
    noise(4000),
    Buffer.from('PK\x05\x06', 'latin1'),
  ]);

/** Every file here is refused by `probe` with its code, by every ffmpeg that the product may find. */
export function hostileFiles(): HostileFile[] {
  return [...notVideos(), ...cutFiles(), ...outsideTheLimits(), ...wrongStreams()];
}

function notVideos(): HostileFile[] {
  const code = 'media-unreadable';
  return [
    written('an empty file', 'empty.mp4', code, () => ''),
    written('text', 'text.mp4', code, () => 'This is not a video.\n'.repeat(200)),
    written(
      'html',
      'html.mp4',
      code,
      () => '<!doctype html><title>x</title><video src="file:///etc/passwd"></video>',
    ),
    written('a zip', 'zip.mp4', code, zip),
    written('random bytes', 'random.mp4', code, () => noise(20_000)),
    written('random bytes after a file type box', 'random-ftyp.mp4', code, () =>
      Buffer.concat([ftyp, noise(20_000)]),
    ),
    written('an HLS playlist naming a local file', 'playlist.mp4', code, () => playlist),
    written('an HLS playlist under its own name', 'playlist.m3u8', code, () => playlist),
    written('an HLS playlist naming a remote file', 'remote.mp4', code, () =>
      playlist.replace('file:///etc/passwd', 'http://127.0.0.1:9/x.ts'),
    ),
    written('a concat script', 'concat.mp4', code, () => "ffconcat version 1.0\nfile '/etc/passwd'\n"),
    written(
      'a DASH manifest',
      'dash.mp4',
      code,
      () => '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period/></MPD>',
    ),
    written(
      'an SDP file',
      'sdp.mp4',
      code,
      () => 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5004 RTP/AVP 96\n',
    ),
    written(
      'an SVG that loads a file',
      'svg.mp4',
      code,
      () => '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    ),
    written('subtitles', 'subtitles.mp4', code, () => '1\n00:00:00,000 --> 00:00:09,000\nHello\n'),
    made('a PNG', 'picture.mp4.png', code, still),
    made('an animated GIF', 'animation.mp4.gif', code, picture),
    written('the head of a Matroska file alone', 'head.mkv', code, () =>
      Buffer.from([0x1a, 0x45, 0xdf, 0xa3, 0x84, 0x42, 0x86, 0x81, 1]),
    ),
  ];
}

function cutFiles(): HostileFile[] {
  const code = 'media-truncated';
  return [
    spoilt('cut in the data, index at the end', {}, code, cutTo(0.5)),
    spoilt('cut in the index at the end', {}, code, cutTo(0.985)),
    spoilt('cut in the data, index in front', { indexFirst: true }, code, cutTo(0.6)),
    spoilt('cut near the end, index in front', { indexFirst: true }, code, cutTo(0.95)),
    spoilt('cut in the index in front', { indexFirst: true }, code, cutTo(0.02)),
    spoilt('cut Matroska', { fileName: 'cut.mkv' }, code, cutTo(0.5)),
    spoilt('cut WebM', { fileName: 'cut.webm', codec: 'vp9' }, code, cutTo(0.5)),
  ];
}

function outsideTheLimits(): HostileFile[] {
  const bomb = ['-f', 'lavfi', '-i', 'color=size=16x16:rate=5000:duration=2', '-c:v', 'mpeg4', '-r', '5000'];
  return [
    spoilt('a clip of a fifth of a second', { seconds: 0.2 }, 'media-too-short', async () => {}),
    made('one frame', 'one-frame.mp4', 'media-too-short', [
      ...still,
      '-c:v',
      'libx264',
      '-r',
      '30',
      '-pix_fmt',
      'yuv420p',
    ]),
    made('eleven minutes', 'long.mp4', 'media-too-long', [
      ...[
        '-f',
        'lavfi',
        '-i',
        'color=size=32x32:rate=2:duration=660',
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-pix_fmt',
        'yuv420p',
      ],
    ]),
    made('a bomb of frames', 'frames.mkv', 'media-too-complex', bomb),
    made('a picture of eight pixels', 'small.mkv', 'media-dimensions', [
      ...['-f', 'lavfi', '-i', 'testsrc2=size=64x8:rate=30:duration=1', '-c:v', 'mpeg4'],
    ]),
    spoilt('a pixel shape that makes the picture huge', {}, 'media-dimensions', async (path) => {
      await runFfmpeg(['-i', path, '-c', 'copy', '-aspect', '1000:1', `${path}.mp4`], { timeoutMs });
      await writeFile(path, await readFile(`${path}.mp4`));
    }),
    made('a picture 16384 pixels wide', 'wide.mp4', 'media-dimensions', [
      ...[
        '-f',
        'lavfi',
        '-i',
        'color=size=16384x64:rate=10:duration=1',
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-pix_fmt',
        'yuv420p',
      ],
    ]),
    made('forty streams', 'streams.mkv', 'media-too-complex', [
      ...[
        ...picture,
        ...Array.from({ length: 40 }, () => ['-map', '0:v']).flat(),
        '-c:v',
        'mpeg4',
        '-t',
        '0.5',
      ],
    ]),
  ];
}

function wrongStreams(): HostileFile[] {
  return [
    made('an MP4 with sound only', 'sound.mp4', 'media-no-video', [...tone, '-c:a', 'aac']),
    made('an MP3', 'sound.mp3', 'media-no-video', [...tone, '-c:a', 'libmp3lame']),
    made('a WAV', 'sound.wav', 'media-no-video', tone),
    {
      name: 'an MP4 with sound and cover art',
      code: 'media-no-video',
      make: async (dir) => {
        const path = join(dir, 'cover-art.mp4');
        const maps = [
          '-map',
          '0:a',
          '-map',
          '1:v',
          '-c:a',
          'aac',
          '-c:v',
          'png',
          '-disposition:v:0',
          'attached_pic',
        ];
        await runFfmpeg([...tone, ...still, ...maps, '-frames:v', '1', path], { timeoutMs });
        return path;
      },
    },
    {
      name: 'a Matroska file with attachments only',
      code: 'media-no-video',
      make: async (dir) => {
        const attachment = join(dir, 'attachment.ttf');
        await writeFile(attachment, noise(2000));
        const path = join(dir, 'attachments.mkv');
        const attach = ['-attach', attachment, '-metadata:s:t:0', 'mimetype=application/x-truetype-font'];
        await runFfmpeg([...tone, '-c:a', 'aac', ...attach, path], { timeoutMs });
        return path;
      },
    },
    spoilt(
      'a codec nobody should send',
      { codec: 'ffv1', fileName: 'ffv1.mkv' },
      'media-codec-unsupported',
      async () => {},
    ),
    spoilt(
      'an encrypted track',
      {},
      'media-codec-unsupported',
      async (path) => await replaceBytes(path, 'avc1', 'encv'),
    ),
    spoilt('an unknown codec', { audio: false }, 'media-codec-unsupported', async (path) => {
      await replaceBytes(path, 'avc1', 'zzz9');
    }),
  ];
}
