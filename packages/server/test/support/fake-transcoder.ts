import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, type ErrorCode, errorRegistry } from '../../src/kernel/errors.ts';
import type {
  MediaProbe,
  Rendition,
  TranscodeJob,
  TranscodeResult,
  Transcoder,
} from '../../src/ports/transcoder/port.ts';

const rendition = (name: string, width: number, height: number): Rendition => ({
  ...{ name, width, height, frameRate: 30, peakBitrate: 500_000, averageBitrate: 400_000 },
  codecs: 'avc1.64001f,mp4a.40.2',
});

/**
 * Takes every file for a clip of 10 s, except one that begins with `bad:` and a code. Writes small files in the place of
 * streams. `before` holds it up, or fails it, where a test wants it.
 */
export class FakeTranscoder implements Transcoder {
  probes = 0;
  before: (step: 'probe' | 'covers' | '240p' | '480p' | 'sprite', signal: AbortSignal) => Promise<void> =
    async () => {};

  async probe(path: string, options: { signal?: AbortSignal | undefined } = {}): Promise<MediaProbe> {
    this.probes++;
    await this.before('probe', options.signal ?? new AbortController().signal);
    const text = await readFile(path, 'latin1');
    const code = /^bad:([a-z-]+)/.exec(text)?.[1];
    if (code !== undefined && code in errorRegistry) throw new AppError(code as ErrorCode);
    return {
      ...{ durationMs: 10_000, width: 480, height: 854, frameRate: 30, hasAudio: true },
      ...{ videoCodec: 'h264', audioCodec: 'aac' },
    };
  }

  async transcode(job: TranscodeJob): Promise<TranscodeResult> {
    const signal = job.signal ?? new AbortController().signal;
    const source = await readFile(job.sourcePath);
    const write = async (file: string, text: string) => {
      signal.throwIfAborted();
      await writeFile(join(job.outputDir, file), text);
    };
    job.onProgress({ percent: 0, etaMs: undefined, stage: 'covers' });
    await this.before('covers', signal);
    const suggestions = [1000, 5000, 9000];
    for (const name of ['cover', 'cover-1', 'cover-2', 'cover-3'])
      await write(`${name}.jpg`, `${name} at ${job.coverTimeMs ?? 1000}`);
    await job.onCovers(suggestions);
    const renditions = [rendition('240p', 240, 426), rendition('480p', 480, 854)];
    for (const [index, made] of renditions.entries()) {
      await this.before(made.name === '240p' ? '240p' : '480p', signal);
      job.onProgress({ percent: 30 + 30 * index, etaMs: 1000, stage: 'renditions' });
      await mkdir(join(job.outputDir, made.name));
      await write(`${made.name}/index.m3u8`, '#EXTM3U\n');
      await write(`${made.name}/init.mp4`, 'init');
      await write(`${made.name}/seg-0.m4s`, source.toString('latin1'));
      await job.onRendition(made);
    }
    await this.before('sprite', signal);
    await write('sprite.jpg', 'sprite');
    const sprite = { columns: 5, rows: 2, tileWidth: 90, tileHeight: 160, intervalMs: 1000, count: 10 };
    return { renditions, sprite };
  }

  async still(job: { atMs: number; outputPath: string }): Promise<void> {
    await writeFile(job.outputPath, `still at ${job.atMs}`);
  }

  async avatar(): Promise<void> {
    throw new AppError('image-unreadable');
  }
}
