import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type {
  MediaProbe,
  Rendition,
  TranscodeJob,
  TranscodeResult,
  Transcoder,
} from '../../ports/transcoder/port.ts';
import { type BinaryChoice, findBinaries, type MediaBinaries } from './binaries.ts';
import { type Candidate, coverMoments, placeCovers } from './covers.ts';
import { failureOf } from './failures.ts';
import {
  audioEncoding,
  firstRungGraph,
  type Graph,
  jpegOutput,
  rungOutput,
  rungsGraph,
  startOffsetSeconds,
  stillFilter,
} from './filters.ts';
import { imageFormatOf } from './images.ts';
import type { SourceDetails } from './inspect.ts';
import {
  type FrameRate,
  framesPerSecond,
  ladderFor,
  outputFrameRate,
  type Rung,
  type SpritePlan,
  spritePlan,
} from './ladder.ts';
import { defaultMediaLimits, fileUrl, inputGuards, type MediaLimits } from './limits.ts';
import { inspect, probeFile } from './probe.ts';
import { ProgressMeter, positionOf, type StageWork } from './progress.ts';
import { finishRung, joinRung } from './renditions.ts';
import { defaultSandboxLimits, Sandbox, type SandboxLimits, type SandboxUser } from './sandbox.ts';

export interface FfmpegTranscoderOptions {
  readonly binaries?: BinaryChoice;
  readonly limits?: Partial<MediaLimits>;
  readonly sandbox?: Partial<SandboxLimits>;
  /** Threads for each encoder and decoder; by default the machine's cores, at most 8. */
  readonly threads?: number;
  readonly clock?: Clock;
}

/** Finds the programs, tries what the sandbox can do here, and answers a transcoder. Throws when there is no usable ffmpeg. */
export async function openFfmpegTranscoder(options: FfmpegTranscoderOptions = {}): Promise<FfmpegTranscoder> {
  const binaries = await findBinaries(options.binaries);
  const sandbox = await Sandbox.detect({ ...defaultSandboxLimits, ...options.sandbox });
  return new FfmpegTranscoder(binaries, sandbox, options);
}

const soundFile = 'sound.mp4';
const stillTimeoutMs = 60_000;
const maxStillBytes = 32 << 20;
const coverMaxEdge = 1280;
/** Cost of one encoded pixel beside one decoded pixel: for the progress bar, measured with `veryfast`. */
const encodeCost = 2.5;
/** An image bomb is refused before it is decoded. */
const maxImagePixels = 50_000_000;

interface Work {
  readonly job: TranscodeJob;
  readonly details: SourceDetails;
  readonly rate: FrameRate;
  readonly rungs: readonly [Rung, ...Rung[]];
  readonly sprite: SpritePlan;
  readonly meter: ProgressMeter;
  readonly timeoutMs: number;
  readonly user: SandboxUser;
}

export class FfmpegTranscoder implements Transcoder {
  readonly binaries: MediaBinaries;
  readonly sandbox: Sandbox;
  readonly #limits: MediaLimits;
  readonly #threads: number;
  readonly #clock: Clock;

  constructor(binaries: MediaBinaries, sandbox: Sandbox, options: FfmpegTranscoderOptions) {
    this.binaries = binaries;
    this.sandbox = sandbox;
    this.#limits = { ...defaultMediaLimits, ...options.limits };
    this.#threads = options.threads ?? Math.min(8, Math.max(1, navigator.hardwareConcurrency));
    this.#clock = options.clock ?? systemClock;
  }

  async probe(path: string, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<MediaProbe> {
    return await probeFile(this.#tools, path, signal);
  }

  async transcode(job: TranscodeJob): Promise<TranscodeResult> {
    // Whichever fails first takes the others down.
    const abort = new AbortController();
    const signal = job.signal ? AbortSignal.any([job.signal, abort.signal]) : abort.signal;
    try {
      return await this.#run(await this.#plan({ ...job, signal }));
    } catch (error) {
      abort.abort(error);
      throw error;
    }
  }

  async #run(work: Work): Promise<TranscodeResult> {
    const { job } = work;
    // Side by side: the stills seek about on one core, and are there long before the first rung.
    const [first] = await Promise.all([
      this.#firstRung(work),
      this.#covers(work).then(async (suggestionsMs) => await job.onCovers(suggestionsMs)),
    ]);
    // Before the rung is handed over: its files may be moved away then.
    await this.#keepSound(work);
    await job.onRendition(first);
    const others = await this.#otherRungs(work);
    for (const rendition of others) await job.onRendition(rendition);
    work.meter.update(3, 1);
    const hasSprite = await Bun.file(join(job.outputDir, 'sprite.jpg')).exists();
    return { renditions: [first, ...others], sprite: hasSprite ? work.sprite : undefined };
  }

  async still(job: Parameters<Transcoder['still']>[0]): Promise<void> {
    const { path, atMs, maxEdge, outputPath, signal } = job;
    const details = await inspect(this.#tools, path, signal);
    const args = [
      ...['-ss', seconds(Math.max(0, atMs)), ...this.#guards(), '-threads', '2', '-i', fileUrl(path)],
      ...['-map', `0:${details.videoIndex}`, '-vf', stillFilter(details, maxEdge, this.binaries.filters)],
      ...[...jpegOutput, 'pipe:1'],
    ];
    const picture = await this.#picture(args, path, signal);
    if (picture instanceof AppError) throw picture;
    if (picture.byteLength === 0) {
      throw new AppError('media-unreadable', { detail: 'There is no picture at this time.' });
    }
    await Bun.write(outputPath, picture);
  }

  async avatar({ path, edge, outputPath, signal }: Parameters<Transcoder['avatar']>[0]): Promise<void> {
    const format = imageFormatOf(await Bun.file(path).slice(0, 16).bytes());
    if (!format) throw new AppError('image-unreadable');
    // The demuxer is named: left to itself, ffmpeg goes by the file's name and takes it for a pattern of many files.
    const guards = ['-protocol_whitelist', 'file', '-codec_whitelist', format.decoder, '-f', format.demuxer];
    const args = [
      ...[...guards, '-max_pixels', String(maxImagePixels), '-i', fileUrl(path), '-map', '0:v:0'],
      ...[
        '-vf',
        `crop=w='min(iw,ih)':h='min(iw,ih)',scale=${edge}:${edge}:flags=lanczos,setsar=1,format=yuvj420p`,
      ],
      ...[...jpegOutput, 'pipe:1'],
    ];
    const picture = await this.#picture(args, path, signal);
    if (picture instanceof AppError || picture.byteLength === 0) {
      throw new AppError('image-unreadable', picture instanceof AppError ? { cause: picture } : {});
    }
    await Bun.write(outputPath, picture);
  }

  get #tools() {
    return { binaries: this.binaries, sandbox: this.sandbox, limits: this.#limits };
  }

  #guards(): string[] {
    return ['-nostdin', ...inputGuards(this.#limits)];
  }

  async #plan(job: TranscodeJob): Promise<Work> {
    const { probe } = job;
    const details = await inspect(this.#tools, job.sourcePath, job.signal);
    const rate = outputFrameRate(details.baseRate, probe.frameRate);
    const fps = framesPerSecond(rate);
    const [smallest, ...larger] = ladderFor(details, fps);
    if (!smallest) throw new Error('A ladder has at least one rung');
    const folders = [smallest, ...larger].map((rung) => join(job.outputDir, rung.name));
    for (const folder of folders) await mkdir(folder, { recursive: true });
    const user = await this.sandbox.chooseUser(
      [this.binaries.ffmpeg, this.binaries.ffprobe, job.sourcePath],
      [job.outputDir, ...folders],
    );
    const frames = (probe.durationMs / 1000) * fps;
    const decodeWork = frames * details.codedWidth * details.codedHeight;
    const encodeWork = (rung: Rung) => frames * rung.width * rung.height * encodeCost;
    const largerWork =
      larger.length === 0 ? 0 : larger.reduce((sum, rung) => sum + encodeWork(rung), decodeWork);
    const stages: StageWork[] = [
      { stage: 'covers', work: 0.02 * decodeWork },
      { stage: 'renditions', work: decodeWork + encodeWork(smallest) },
      { stage: 'renditions', work: largerWork },
      { stage: 'sprite', work: 0.001 * decodeWork },
    ];
    return {
      job,
      details,
      rate,
      rungs: [smallest, ...larger],
      user,
      sprite: spritePlan(probe.durationMs, smallest),
      meter: new ProgressMeter(this.#clock, stages, job.onProgress),
      timeoutMs: Math.min(maxTimeoutMs, minTimeoutMs + decodeWork / slowestPixelsPerMs),
    };
  }

  /** All moments in one process: each is an input of its own that seeks to its key frame. */
  async #covers({ job, details, user }: Work): Promise<number[]> {
    const moments = coverMoments(job.probe.durationMs, job.coverTimeMs);
    const times = [...moments.candidatesMs, ...(moments.chosenMs === undefined ? [] : [moments.chosenMs])];
    const filter = stillFilter(details, coverMaxEdge, this.binaries.filters);
    const result = await this.sandbox.run(
      this.binaries.ffmpeg,
      [
        ...['-v', 'error', '-hide_banner', '-y', '-nostdin'],
        ...times.flatMap((ms) => [
          '-ss',
          seconds(ms),
          ...this.#guards(),
          '-threads',
          '1',
          '-i',
          fileUrl(job.sourcePath),
        ]),
        ...times.flatMap((_, i) => [
          '-map',
          `${i}:${details.videoIndex}`,
          '-vf',
          filter,
          ...jpegOutput,
          `still-${i}.jpg`,
        ]),
      ],
      {
        signal: job.signal,
        timeoutMs: stillTimeoutMs,
        cwd: job.outputDir,
        user,
      },
    );
    const failure = failureOf(result);
    if (failure) throw failure;
    const stills = await Promise.all(
      times.map(async (atMs, i): Promise<Candidate> => {
        const path = join(job.outputDir, `still-${i}.jpg`);
        return { atMs, path, bytes: (await Bun.file(path).exists()) ? (await stat(path)).size : 0 };
      }),
    );
    const candidates = stills.slice(0, moments.candidatesMs.length);
    return await placeCovers(job.outputDir, candidates, stills[moments.candidatesMs.length]);
  }

  async #firstRung(work: Work): Promise<Rendition> {
    const { details, rate, sprite, rungs, job } = work;
    const [rung] = rungs;
    const graph = firstRungGraph(details, rate, rung, sprite, this.binaries.filters);
    const audio =
      details.audioIndex === undefined ? ['-an'] : ['-map', `0:${details.audioIndex}`, ...audioEncoding];
    const outputs = [
      ...['-map', graph.pads[0] ?? '', ...audio, ...rungOutput(rung, rate, this.#threads)],
      ...['-map', graph.spritePad, ...jpegOutput, 'sprite.jpg'],
    ];
    await this.#encode(work, 1, graph, [], outputs);
    return await finishRung(job.outputDir, rung, rate, job.probe.durationMs);
  }

  /** The other rungs in one process that decodes once; the sound is the first rung's, not encoded again. */
  async #otherRungs(work: Work): Promise<Rendition[]> {
    const { details, rate, job } = work;
    const [, ...rungs] = work.rungs;
    if (rungs.length === 0) return [];
    const graph = rungsGraph(details, rate, rungs, this.binaries.filters);
    const hasAudio = details.audioIndex !== undefined;
    const audio = hasAudio ? ['-map', '1:a:0', '-c:a', 'copy'] : ['-an'];
    const outputs = rungs.flatMap((rung, i) => [
      '-map',
      graph.pads[i] ?? '',
      ...audio,
      ...rungOutput(rung, rate, this.#threads),
    ]);
    const inputs = hasAudio ? await this.#soundInput(work, soundFile) : [];
    await this.#encode(work, 2, graph, inputs, outputs);
    await rm(join(job.outputDir, soundFile), { force: true });
    return await Promise.all(
      rungs.map((rung) => finishRung(job.outputDir, rung, rate, job.probe.durationMs)),
    );
  }

  /** The first rung's sound as one file, for the others to copy. */
  async #keepSound({ details, job, rungs: [first, ...others] }: Work): Promise<void> {
    if (details.audioIndex === undefined || others.length === 0) return;
    await joinRung(job.outputDir, first, join(job.outputDir, soundFile));
  }

  /** ffmpeg lets every input start at zero; the sound must keep the distance that it had from the picture. */
  async #soundInput({ job, rate, user }: Work, name: string): Promise<string[]> {
    const asks = ['-v', 'error', '-show_entries', 'format=start_time', '-of', 'csv=p=0', fileUrl(name)];
    const run = { signal: job.signal, timeoutMs: stillTimeoutMs, cwd: job.outputDir, user };
    const result = await this.sandbox.run(this.binaries.ffprobe, asks, run);
    const startSeconds = Number(result.stdout.toString());
    const failure = failureOf(result);
    if (failure || !Number.isFinite(startSeconds))
      throw failure ?? new Error('The first rung has no start time');
    const offset = (startSeconds - startOffsetSeconds(rate)).toFixed(6);
    return ['-protocol_whitelist', 'file', '-itsoffset', offset, '-f', 'mp4', '-i', fileUrl(name)];
  }

  async #encode(
    { job, meter, timeoutMs, user }: Work,
    stageIndex: number,
    graph: Graph,
    moreInputs: readonly string[],
    outputs: readonly string[],
  ): Promise<void> {
    const result = await this.sandbox.run(
      this.binaries.ffmpeg,
      [
        ...['-v', 'error', '-hide_banner', '-y', '-progress', 'pipe:1', '-nostats'],
        ...[
          ...this.#guards(),
          '-threads',
          String(this.#threads),
          '-i',
          fileUrl(job.sourcePath),
          ...moreInputs,
        ],
        ...['-filter_complex', graph.text, ...outputs],
      ],
      {
        signal: job.signal,
        timeoutMs,
        cwd: job.outputDir,
        user,
        onLine: (line) => {
          const position = positionOf(line);
          if (position !== undefined) meter.update(stageIndex, position / job.probe.durationMs);
          return true;
        },
      },
    );
    const failure = failureOf(result);
    if (failure) throw failure;
  }

  async #picture(args: string[], path: string, signal: AbortSignal | undefined): Promise<Buffer | AppError> {
    const result = await this.sandbox.run(
      this.binaries.ffmpeg,
      ['-v', 'error', '-hide_banner', '-nostdin', ...args],
      {
        signal,
        timeoutMs: stillTimeoutMs,
        maxOutputBytes: maxStillBytes,
        user: await this.sandbox.chooseUser([this.binaries.ffmpeg, path]),
      },
    );
    return failureOf(result) ?? result.stdout;
  }
}

/** A slow machine decodes and encodes at least this fast; beyond it, the file is taken for a trap. */
const slowestPixelsPerMs = 10_000;
const minTimeoutMs = 120_000;
const maxTimeoutMs = 4 * 3_600_000;

const seconds = (ms: number) => (ms / 1000).toFixed(3);
