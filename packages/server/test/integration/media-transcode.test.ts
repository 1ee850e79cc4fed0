import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinaries } from '../../src/adapters/ffmpeg/binaries.ts';
import { runProcess } from '../../src/adapters/ffmpeg/process.ts';
import { runFfmpeg } from '../../src/adapters/ffmpeg/run.ts';
import { type FfmpegTranscoder, openFfmpegTranscoder } from '../../src/adapters/ffmpeg/transcoder.ts';
import type { Rendition, TranscodeResult } from '../../src/ports/transcoder/port.ts';
import { type ClipOptions, makeClip } from '../support/media-samples.ts';

let folder: string;
const transcoders = new Map<string, FfmpegTranscoder>();
let outputs = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hvideo-transcode-'));
  transcoders.set('npm', await openFfmpegTranscoder({ binaries: { allowSystem: false } }));
  const preferred = await openFfmpegTranscoder();
  if (preferred.binaries.source === 'system') transcoders.set('system', preferred);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

interface Run {
  readonly outputDir: string;
  readonly result: TranscodeResult;
  readonly events: string[];
  readonly percents: number[];
}

async function transcode(transcoder: FfmpegTranscoder, path: string, coverTimeMs?: number): Promise<Run> {
  const outputDir = join(folder, `out-${outputs++}`);
  await mkdir(outputDir);
  const events: string[] = [];
  const percents: number[] = [];
  const result = await transcoder.transcode({
    sourcePath: path,
    probe: await transcoder.probe(path),
    outputDir,
    coverTimeMs,
    onCovers: async (moments) => {
      expect(moments).toHaveLength(3);
      for (const name of ['cover.jpg', 'cover-1.jpg', 'cover-2.jpg', 'cover-3.jpg']) {
        expect((await readFile(join(outputDir, name))).subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
      }
      events.push('covers');
    },
    onRendition: async ({ name }) => {
      expect(await readFile(join(outputDir, name, 'index.m3u8'), 'utf8')).toEndWith('#EXT-X-ENDLIST\n');
      events.push(name);
    },
    onProgress: ({ percent }) => percents.push(percent),
  });
  return { outputDir, result, events, percents };
}

interface Played {
  readonly codecs: string[];
  readonly width: number;
  readonly height: number;
  readonly pixelFormat: string;
  readonly sampleRate: string | undefined;
  readonly frames: number;
  readonly seconds: number;
  readonly keyFrames: number[];
}

/** Reads a rendition back from its playlist, as a player would. */
async function play(outputDir: string, rendition: Rendition): Promise<Played> {
  const { ffprobe } = await findBinaries();
  const entries =
    'stream=codec_name,width,height,pix_fmt,sample_rate:packet=codec_type,pts_time,duration_time,flags:format=';
  const result = await runProcess(
    [
      ffprobe,
      '-v',
      'error',
      '-show_entries',
      entries,
      '-of',
      'json',
      join(outputDir, rendition.name, 'index.m3u8'),
    ],
    { timeoutMs: 20_000, maxOutputBytes: 8 << 20 },
  );
  expect(result.stderr).toBe('');
  const report = JSON.parse(result.stdout.toString());
  const [video, audio] = report.streams;
  const packets: { codec_type: string; pts_time: string; duration_time?: string; flags: string }[] =
    report.packets;
  const pictures = packets.filter((packet) => packet.codec_type === 'video');
  const times = pictures.map((packet) => Number(packet.pts_time));
  const start = Math.min(...times);
  return {
    codecs: [video, audio].filter(Boolean).map((stream) => stream.codec_name),
    width: video.width,
    height: video.height,
    pixelFormat: video.pix_fmt,
    sampleRate: audio?.sample_rate,
    frames: pictures.length,
    seconds: Math.max(...times) - start + 1 / rendition.frameRate,
    keyFrames: pictures
      .filter(({ flags }) => flags.startsWith('K'))
      .map((packet) => Math.round((Number(packet.pts_time) - start) * 1000) / 1000),
  };
}

const clips: readonly (Omit<ClipOptions, 'path'> & {
  name: string;
  file?: string;
  sizes: readonly string[];
  outputFps: number;
  displayed?: string;
  seconds?: number;
})[] = [
  { name: 'landscape', width: 640, height: 360, seconds: 3, sizes: ['426x240', '640x360'], outputFps: 30 },
  { name: 'portrait', width: 240, height: 426, sizes: ['240x426'], outputFps: 30 },
  {
    name: 'turned by a quarter',
    width: 426,
    height: 240,
    rotate: 90,
    displayed: '240x426',
    sizes: ['240x426'],
    outputFps: 30,
  },
  { name: 'upside down', width: 320, height: 180, rotate: 180, sizes: ['320x180'], outputFps: 30 },
  { name: 'without sound', audio: false, sizes: ['320x180'], outputFps: 30 },
  { name: 'HEVC', codec: 'hevc', sizes: ['320x180'], outputFps: 30 },
  { name: 'VP9 and Opus', codec: 'vp9', file: 'webm', sizes: ['320x180'], outputFps: 30 },
  { name: 'tiny', width: 32, height: 18, sizes: ['32x18'], outputFps: 30 },
  {
    name: 'odd edges',
    width: 321,
    height: 181,
    pixelFormat: 'yuv444p',
    more: ['-vf', 'scale=321:181,setsar=1'],
    sizes: ['320x180'],
    outputFps: 30,
  },
  { name: '10 bits', pixelFormat: 'yuv420p10le', sizes: ['320x180'], outputFps: 30 },
  { name: '59.94 frames a second', fps: '60000/1001', sizes: ['320x180'], outputFps: 59.94 },
  { name: '12.5 frames a second', fps: '25/2', sizes: ['320x180'], outputFps: 12.5 },
  { name: '120 frames a second', fps: 120, seconds: 1, sizes: ['320x180'], outputFps: 60 },
  {
    name: 'changing frame rate',
    sizes: ['320x180'],
    outputFps: 30,
    more: ['-vf', "select='not(mod(n\\,3))+gt(n\\,30)'", '-vsync', 'vfr'],
  },
  {
    name: 'wide pixels',
    width: 160,
    height: 180,
    displayed: '320x180',
    sizes: ['320x180'],
    outputFps: 30,
    more: ['-aspect', '16:9'],
  },
];

describe('transcode', () => {
  for (const { name, file = 'mp4', sizes, outputFps, displayed, ...clip } of clips) {
    test(name, async () => {
      const path = await makeClip({ ...clip, path: join(folder, `${name.replaceAll(' ', '-')}.${file}`) });
      for (const [source, transcoder] of transcoders) {
        const probe = await transcoder.probe(path);
        const wanted = displayed ?? `${clip.width ?? 320}x${clip.height ?? 180}`;
        expect(`${probe.width}x${probe.height}`).toBe(wanted);
        const { result, outputDir, events, percents } = await transcode(transcoder, path);
        expect({ source, sizes: result.renditions.map(({ width, height }) => `${width}x${height}`) }).toEqual(
          { source, sizes: [...sizes] },
        );
        expect(events).toEqual(['covers', ...result.renditions.map((rendition) => rendition.name)]);
        expect(percents.at(-1)).toBe(100);
        expect(percents).toEqual(percents.toSorted((a, b) => a - b));
        for (const rendition of result.renditions) {
          const played = await play(outputDir, rendition);
          const seconds = clip.seconds ?? 2;
          expect(rendition.frameRate).toBeCloseTo(outputFps, 2);
          expect(played).toMatchObject({
            width: rendition.width,
            height: rendition.height,
            pixelFormat: 'yuv420p',
          });
          expect(played.codecs).toEqual(clip.audio === false ? ['h264'] : ['h264', 'aac']);
          expect(rendition.codecs).toMatch(
            clip.audio === false ? /^avc1\.64[0-9a-f]{4}$/ : /^avc1\.64[0-9a-f]{4},mp4a\.40\.2$/,
          );
          if (clip.audio !== false) expect(played.sampleRate).toBe('48000');
          expect(Math.abs(played.seconds - seconds)).toBeLessThan(0.15);
          expect(Math.abs(played.frames - seconds * outputFps)).toBeLessThan(4);
          expect(rendition.peakBitrate).toBeGreaterThanOrEqual(rendition.averageBitrate);
        }
      }
    }, 30_000);
  }

  test('the rungs have their key frames, and their sound, at the same moments', async () => {
    const path = await makeClip({
      path: join(folder, 'aligned.mp4'),
      width: 640,
      height: 360,
      seconds: 5,
      fps: '60000/1001',
    });
    for (const transcoder of transcoders.values()) {
      const { result, outputDir } = await transcode(transcoder, path);
      const [small, large] = await Promise.all(
        result.renditions.map((rendition) => play(outputDir, rendition)),
      );
      expect(small?.keyFrames).toHaveLength(3);
      expect(large?.keyFrames).toEqual(small?.keyFrames ?? []);
      const sound = await Promise.all(
        result.renditions.map(({ name }) => soundTimes(join(outputDir, name, 'index.m3u8'))),
      );
      expect(sound[0]?.length).toBeGreaterThan(200);
      expect(sound[1]).toEqual(sound[0]!);
    }
  }, 30_000);

  test('nothing but the promised files is left in the output folder', async () => {
    const path = await makeClip({ path: join(folder, 'files.mp4'), width: 640, height: 360 });
    const { outputDir, result } = await transcode(transcoders.get('npm')!, path, 700);
    const names = (await readdir(outputDir)).sort();
    expect(names).toEqual([
      '240p',
      '360p',
      'cover-1.jpg',
      'cover-2.jpg',
      'cover-3.jpg',
      'cover.jpg',
      'sprite.jpg',
    ]);
    expect((await readdir(join(outputDir, '240p'))).sort()).toEqual(['00000.m4s', 'index.m3u8', 'init.mp4']);
    expect(result.sprite).toMatchObject({ columns: 4, rows: 1, count: 4, intervalMs: 500 });
    const { sprite } = result;
    expect(await pictureSize(join(outputDir, 'sprite.jpg'))).toEqual([
      4 * sprite!.tileWidth,
      sprite!.tileHeight,
    ]);
  }, 30_000);

  test('a file that breaks off inside its data, where only a decoder sees it, leaves an error', async () => {
    const path = await makeClip({
      path: join(folder, 'deep.mp4'),
      seconds: 3,
      audio: false,
      indexFirst: true,
    });
    const file = await readFile(path);
    const data = file.indexOf('mdat') + 4;
    file.fill(0, data + Math.floor((file.byteLength - data) * 0.2));
    await writeFile(path, file);
    for (const transcoder of transcoders.values()) {
      const failed = await transcode(transcoder, path).catch((error: unknown) => error);
      expect(failed).toMatchObject({ status: 422 });
    }
  }, 30_000);

  test('abort kills the encoder at once and rejects with the reason', async () => {
    const path = await makeClip({ path: join(folder, 'abort.mp4'), width: 1280, height: 720, seconds: 8 });
    const transcoder = transcoders.get('npm')!;
    const outputDir = join(folder, 'aborted');
    await mkdir(outputDir);
    const abort = new AbortController();
    const reason = new Error('stop now');
    let abortedMs = 0;
    const failed = await transcoder
      .transcode({
        sourcePath: path,
        probe: await transcoder.probe(path),
        outputDir,
        coverTimeMs: undefined,
        signal: abort.signal,
        onCovers: async () => {},
        onRendition: async () => {
          abortedMs = performance.now();
          abort.abort(reason);
        },
        onProgress: () => {},
      })
      .catch((error: unknown) => error);
    expect(failed).toBe(reason);
    expect(performance.now() - abortedMs).toBeLessThan(1000);
  }, 30_000);
});

describe('pictures', () => {
  test('still answers the frame at its time, not larger than asked', async () => {
    const path = await makeClip({ path: join(folder, 'still.mp4'), width: 640, height: 360, rotate: 90 });
    for (const transcoder of transcoders.values()) {
      const outputPath = join(folder, 'still.jpg');
      await transcoder.still({ path, atMs: 1000, maxEdge: 320, outputPath });
      expect(await pictureSize(outputPath)).toEqual([180, 320]);
      const late = transcoder.still({ path, atMs: 60_000, maxEdge: 320, outputPath });
      expect(await late.catch((error: unknown) => error)).toMatchObject({ code: 'media-unreadable' });
    }
  }, 20_000);

  test('avatar crops to a square and drops what is not the picture', async () => {
    for (const [source, transcoder] of transcoders) {
      for (const type of ['png', 'jpg', 'gif']) {
        const path = join(folder, `avatar.${type}`);
        await runFfmpeg(['-f', 'lavfi', '-i', 'testsrc2=size=301x200:rate=1', '-frames:v', '1', path], {
          timeoutMs: 20_000,
        });
        const outputPath = join(folder, `${source}-${type}.jpg`);
        await transcoder.avatar({ path, edge: 128, outputPath });
        expect(await pictureSize(outputPath)).toEqual([128, 128]);
      }
      const video = await makeClip({ path: join(folder, 'not-a-picture.mp4'), seconds: 1 });
      await writeFile(join(folder, 'svg.png'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
      for (const path of [video, join(folder, 'svg.png')]) {
        const failed = transcoder.avatar({ path, edge: 64, outputPath: join(folder, 'none.jpg') });
        expect(await failed.catch((error: unknown) => error)).toMatchObject({ code: 'image-unreadable' });
      }
    }
  }, 20_000);
});

async function soundTimes(playlist: string): Promise<string[]> {
  const { ffprobe } = await findBinaries();
  const questions = ['-select_streams', 'a', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0'];
  const result = await runProcess([ffprobe, '-v', 'error', ...questions, playlist], { timeoutMs: 20_000 });
  return result.stdout.toString().trim().split('\n');
}

async function pictureSize(path: string): Promise<number[]> {
  const { ffprobe } = await findBinaries();
  const questions = ['-show_entries', 'stream=width,height', '-of', 'csv=p=0'];
  const result = await runProcess([ffprobe, '-v', 'error', ...questions, path], { timeoutMs: 20_000 });
  return result.stdout.toString().trim().split(',').map(Number);
}
