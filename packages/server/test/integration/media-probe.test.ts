import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FfmpegTranscoder, openFfmpegTranscoder } from '../../src/adapters/ffmpeg/transcoder.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { hostileFiles } from '../support/media-samples.ts';

let folder: string;
const transcoders = new Map<string, FfmpegTranscoder>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hvideo-probe-'));
  transcoders.set('npm', await openFfmpegTranscoder({ binaries: { allowSystem: false } }));
  const preferred = await openFfmpegTranscoder();
  if (preferred.binaries.source === 'system') transcoders.set('system', preferred);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('broken and hostile files', () => {
  for (const file of hostileFiles()) {
    test(`${file.name}: ${file.code}`, async () => {
      const path = await file.make(folder);
      for (const [source, transcoder] of transcoders) {
        const error = await transcoder.probe(path).then(
          (probe) => probe,
          (thrown: unknown) => thrown,
        );
        const seen = error instanceof AppError ? error.code : error;
        expect({ source, seen }).toEqual({ source, seen: file.code });
      }
    }, 30_000);
  }
});
