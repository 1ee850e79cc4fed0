import { AppError } from '../../kernel/errors.ts';
import type { MediaProbe } from '../../ports/transcoder/port.ts';
import type { MediaBinaries } from './binaries.ts';
import { failureOf } from './failures.ts';
import { readReport, type SourceDetails } from './inspect.ts';
import { framesPerSecond, isConstantRate } from './ladder.ts';
import { fileUrl, inputGuards, type MediaLimits } from './limits.ts';
import { isCutMp4 } from './mp4-boxes.ts';
import { PacketTally } from './packets.ts';
import type { ProcessResult } from './process.ts';
import type { Sandbox } from './sandbox.ts';

export interface ProbeTools {
  readonly binaries: MediaBinaries;
  readonly sandbox: Sandbox;
  readonly limits: MediaLimits;
}

const headersTimeoutMs = 20_000;
const packetsTimeoutMs = 120_000;
const maxReportBytes = 1 << 20;

/** Reads the headers only. */
export async function inspect(tools: ProbeTools, path: string, signal?: AbortSignal): Promise<SourceDetails> {
  const file = Bun.file(path);
  if (file.size === 0) throw new AppError('media-unreadable', { detail: 'The file is empty.' });
  const entries =
    'format=format_name,duration:stream=index,codec_type,codec_name,codec_tag_string,width,height,sample_aspect_ratio,' +
    'r_frame_rate,field_order,color_transfer,duration,nb_frames,channels:stream_disposition=attached_pic:' +
    'stream_tags=rotate:stream_side_data=rotation';
  const result = await ffprobe(tools, path, ['-show_entries', entries, '-of', 'json'], {
    signal,
    timeoutMs: headersTimeoutMs,
    maxOutputBytes: maxReportBytes,
  });
  try {
    const failure = failureOf(result);
    if (failure) throw failure;
    return readReport(result.stdout.toString(), tools.limits, tools.binaries.decoders);
  } catch (error) {
    const isUnreadable = error instanceof AppError && error.code === 'media-unreadable';
    // A file that was cut before its index cannot be read, but its boxes show what it was.
    if (
      isUnreadable &&
      (await isCutMp4(file.size, async (start, end) => await file.slice(start, end).bytes()))
    ) {
      throw new AppError('media-truncated', { cause: error });
    }
    throw error;
  }
}

/** Reads the headers, then every packet to the end of the file. */
export async function probeFile(tools: ProbeTools, path: string, signal?: AbortSignal): Promise<MediaProbe> {
  const details = await inspect(tools, path, signal);
  const { limits } = tools;
  if ((details.promisedMs ?? 0) > limits.maxDurationMs * 1.02 + 1000) throw tooLong(limits);
  const tally = new PacketTally(details, limits);
  const result = await ffprobe(
    tools,
    path,
    ['-show_entries', 'packet=stream_index,pts_time,dts_time,duration_time', '-of', 'csv=p=0'],
    {
      signal,
      timeoutMs: packetsTimeoutMs,
      onLine: (line) => tally.add(line),
    },
  );
  if (tally.isTooMuch) throw tooComplex();
  const failure = failureOf(result);
  if (failure) throw failure;
  if (/partial file|Truncating packet|File ended prematurely/i.test(result.stderr))
    throw new AppError('media-truncated');
  tally.checkComplete();
  return describe(details, tally, limits);
}

function describe(details: SourceDetails, tally: PacketTally, limits: MediaLimits): MediaProbe {
  const { durationMs, videoPackets } = tally;
  if (videoPackets === 0) throw new AppError('media-no-video');
  if (durationMs > limits.maxDurationMs) throw tooLong(limits);
  if (durationMs < limits.minDurationMs) {
    throw new AppError('media-too-short', {
      detail: `A clip must last at least ${limits.minDurationMs / 1000} seconds.`,
    });
  }
  const measuredFps = (videoPackets * 1000) / durationMs;
  if (measuredFps > limits.maxFrameRate * 1.02) throw tooComplex();
  const { baseRate } = details;
  const frameRate =
    baseRate && isConstantRate(baseRate, measuredFps) ? framesPerSecond(baseRate) : measuredFps;
  return {
    durationMs,
    width: details.width,
    height: details.height,
    frameRate: Math.round(frameRate * 1000) / 1000,
    hasAudio: details.audioIndex !== undefined,
    videoCodec: details.videoCodec,
    audioCodec: details.audioCodec,
  };
}

const tooLong = ({ maxDurationMs }: MediaLimits) =>
  new AppError('media-too-long', { detail: `A clip may last ${maxDurationMs / 60_000} minutes.` });
const tooComplex = () =>
  new AppError('media-too-complex', { detail: 'The file holds more frames than this server will decode.' });

async function ffprobe(
  { binaries, sandbox, limits }: ProbeTools,
  path: string,
  questions: readonly string[],
  run: {
    signal: AbortSignal | undefined;
    timeoutMs: number;
    maxOutputBytes?: number;
    onLine?: (line: string) => boolean;
  },
): Promise<ProcessResult> {
  const args = ['-v', 'error', '-hide_banner', ...inputGuards(limits), ...questions, '-i', fileUrl(path)];
  const user = await sandbox.chooseUser([binaries.ffprobe, path]);
  return await sandbox.run(binaries.ffprobe, args, { ...run, user });
}
