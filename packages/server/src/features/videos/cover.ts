import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../ports/database/port.ts';
import type { JobKind, JobQueue } from '../../ports/job-queue/port.ts';
import type { MediaStore } from '../../ports/media-store/port.ts';
import type { TellOwnChanges } from '../../ports/own-changes/port.ts';
import type { Transcoder } from '../../ports/transcoder/port.ts';
import { uploadKey } from '../media/index.ts';
import { attemptPrefix, findVideo, type VideoRow, videoPrefix } from './store.ts';

export const coverKind: JobKind<{ videoId: string; version: number }> = {
  name: 'video-cover',
  retryLimit: 5,
  leaseSeconds: 60,
  concurrency: 1,
};

const coverMaxEdge = 1280;

export interface CoverDeps {
  readonly db: Database;
  readonly jobs: JobQueue;
  readonly store: MediaStore;
  readonly transcoder: Transcoder;
  readonly workDir: string;
  readonly tell: TellOwnChanges;
}

/** Cuts the cover out at the moment the author chose. The old one stays until the new one is there. */
export function handleCovers({ db, jobs, store, transcoder, workDir, tell }: CoverDeps): void {
  jobs.handle(coverKind, async ({ payload: { videoId, version }, signal }) => {
    const row = await findVideo(db.sql, videoId);
    // Gone, failed, or another moment was chosen since.
    if (!row || row.status === 'failed' || row.coverVersion !== version || row.coverTimeMs === null) return;
    const folder = await mkdtemp(join(workDir, 'cover-'));
    try {
      await using source = await openSource(store, row, folder, signal);
      const outputPath = join(folder, 'cover.jpg');
      await transcoder.still({
        path: source.path,
        atMs: row.coverTimeMs,
        maxEdge: coverMaxEdge,
        outputPath,
        signal,
      });
      const file = `covers/${version}.jpg`;
      const key = `${videoPrefix(videoId)}/${file}`;
      await store.importFile(key, outputPath, { signal });
      const updated = await db.sql`
        update video set cover_file = ${file} where id = ${videoId} and cover_version = ${version} returning id`;
      if (updated.length === 0) await store.delete(key);
      else await tell([{ table: 'video', after: { id: videoId } }]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** The original, or where that is not kept, the largest rendition as one file. */
async function openSource(store: MediaStore, row: VideoRow, folder: string, signal: AbortSignal) {
  if (row.uploadId !== null) return store.localFile(uploadKey(row.uploadId), { signal });
  const best = row.renditions.toSorted((a, b) => b.width * b.height - a.width * a.height)[0];
  if (!best) throw new Error(`video ${row.id} has neither its original nor a rendition`);
  const prefix = `${attemptPrefix(row.id, best.attempt)}/${best.name}`;
  const segments: string[] = [];
  for await (const { key } of store.list(prefix, { signal })) if (key.endsWith('.m4s')) segments.push(key);
  // Fragments of one track, one after the other behind their header, are a file.
  segments.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const path = join(folder, 'source.mp4');
  const writer = Bun.file(path).writer();
  for (const key of [`${prefix}/init.mp4`, ...segments]) {
    for await (const chunk of (await store.get(key, undefined, { signal })).stream()) {
      writer.write(chunk);
      await writer.flush();
    }
  }
  await writer.end();
  return { path, [Symbol.asyncDispose]: async () => {} };
}
