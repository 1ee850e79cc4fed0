import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TranscodeProgress } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { AppError, type ErrorCode } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Database, Sql } from '../../ports/database/port.ts';
import type { Job, JobKind, JobQueue } from '../../ports/job-queue/port.ts';
import type { MediaStore } from '../../ports/media-store/port.ts';
import type { TellOwnChanges } from '../../ports/own-changes/port.ts';
import type { MediaProbe, Rendition, Transcoder } from '../../ports/transcoder/port.ts';
import { isMediaFault, type Purge, type Uploads, uploadKey } from '../media/index.ts';
import { failureOf } from './present.ts';
import type { ProgressHub } from './progress.ts';
import type { Publisher } from './publish.ts';
import { attemptPrefix, json, lockVideo, type VideoRow, videoPrefix } from './store.ts';

export const transcodeKind: JobKind<{ videoId: string }> = {
  name: 'video-transcode',
  retryLimit: 5,
  leaseSeconds: 30,
  concurrency: 1,
};

export interface TranscodeDeps {
  readonly db: Database;
  readonly jobs: JobQueue;
  readonly store: MediaStore;
  readonly transcoder: Transcoder;
  readonly clock: Clock;
  readonly uploads: Uploads;
  readonly purge: Purge;
  readonly publisher: Publisher;
  readonly tell: TellOwnChanges;
  readonly progress: ProgressHub;
  readonly log: Logger;
  /** On the media store's file system, so that finished files are moved and not copied. */
  readonly workDir: string;
  readonly keepOriginals: boolean;
  readonly concurrency: number;
}

/** A file that has taken so many workers down is given up, whatever the queue says. */
const maxAttempts = 20;
const checkEveryMs = 2000;

/** The video was deleted or withdrawn, or another worker has taken the job over. */
class Superseded extends Error {
  override readonly name = 'Superseded';
}

/**
 * The run of one job: it owns the row as long as `attempt` is the row's. Whatever it writes carries that number, so that
 * a worker that was believed dead can neither change the row nor touch the files of its successor.
 */
interface Run {
  readonly videoId: string;
  readonly attempt: number;
  readonly sourceId: string;
  readonly probe: MediaProbe;
  readonly coverTimeMs: number | null;
  readonly coverVersion: number;
  readonly outputDir: string;
  readonly signal: AbortSignal;
  readonly renditions: string[];
  /** What was told last. */
  now: Omit<TranscodeProgress, 'status' | 'renditions'>;
}

export class TranscodeWorker {
  readonly #deps: TranscodeDeps;

  constructor(deps: TranscodeDeps) {
    this.#deps = deps;
    deps.jobs.handle({ ...transcodeKind, concurrency: deps.concurrency }, (job) => this.#work(job));
    deps.jobs.schedule('videos-transcode', '*/10 * * * *', (signal) => this.recover(signal));
  }

  /** Asks again for work that nobody does: its jobs have been lost, or died more often than the queue tries. */
  async recover(signal: AbortSignal): Promise<void> {
    const { db, clock, jobs } = this.#deps;
    const silentSince = new Date(clock.nowMs() - 30 * 60_000);
    const rows = await db.sql<{ id: string }>`
      select id from video where status in ('processing', 'playable') and taken_down_at is null
        and worked_at < ${silentSince} order by worked_at limit 100`;
    for (const { id } of rows) {
      signal.throwIfAborted();
      await db.transaction((tx) =>
        jobs.enqueue(tx, transcodeKind, { videoId: id }, { key: `transcode:${id}` }),
      );
    }
    await this.#sweepWorkDir(signal);
  }

  async #work(job: Job<{ videoId: string }>): Promise<void> {
    const { videoId } = job.payload;
    const cancel = new AbortController();
    const signal = AbortSignal.any([job.signal, cancel.signal]);
    const run = await this.#begin(videoId, signal);
    if (!run) return;
    using _watch = this.#deps.clock.every(checkEveryMs, async () => {
      const owns = await this.#stillOwns(run).catch((error: unknown) => {
        // Unknown is not lost: every change of the row asks again.
        this.#deps.log.warn({ err: error, videoId }, 'cannot tell whether the transcoding is still wanted');
        return true;
      });
      if (!owns) cancel.abort(new Superseded());
    });
    try {
      await this.#transcode(run);
    } catch (error) {
      await this.#failed(run, job, cancel.signal.aborted ? cancel.signal.reason : error);
    } finally {
      await removeFolder(run.outputDir);
    }
  }

  /** Takes the row over from whoever had it. */
  async #begin(videoId: string, signal: AbortSignal): Promise<Run | undefined> {
    const { db, clock, workDir } = this.#deps;
    const [row] = await db.sql<{
      attempt: number;
      uploadId: string;
      probe: MediaProbe;
      coverTimeMs: number | null;
      coverVersion: number;
    }>`
      update video v set attempt = attempt + 1, worked_at = ${new Date(clock.nowMs())} from upload u
      where v.id = ${videoId} and u.id = v.upload_id and v.status in ('processing', 'playable')
        and v.taken_down_at is null
      returning v.attempt, u.id as "uploadId", u.probe, v.cover_time_ms as "coverTimeMs",
        v.cover_version as "coverVersion"`;
    if (!row) return undefined;
    const { attempt, probe, coverTimeMs, coverVersion } = row;
    await rm(join(workDir, videoId), { recursive: true, force: true });
    const outputDir = join(workDir, videoId, String(attempt));
    await mkdir(outputDir, { recursive: true });
    const run: Run = {
      videoId,
      attempt,
      sourceId: row.uploadId,
      probe,
      coverTimeMs,
      coverVersion,
      outputDir,
      signal,
      renditions: [],
      now: progressAt('probing', 0),
    };
    this.#tell(run, run.now);
    return run;
  }

  #tell(run: Run, now: Run['now']): void {
    run.now = now;
    const status = run.renditions.length > 0 ? 'playable' : 'processing';
    this.#deps.progress.publish(run.videoId, { ...now, status, renditions: [...run.renditions] });
  }

  async #transcode(run: Run): Promise<void> {
    const { transcoder, store, progress } = this.#deps;
    if (run.attempt > maxAttempts) throw new AppError('media-too-complex');
    await using source = await store.localFile(uploadKey(run.sourceId), { signal: run.signal });
    const result = await transcoder.transcode({
      sourcePath: source.path,
      probe: run.probe,
      outputDir: run.outputDir,
      coverTimeMs: run.coverTimeMs ?? undefined,
      signal: run.signal,
      onCovers: (suggestionsMs) => this.#keepCovers(run, suggestionsMs),
      onRendition: (rendition) => this.#keepRendition(run, rendition),
      // The last percent is the finish, which is this worker's.
      onProgress: ({ percent, etaMs, stage }) =>
        this.#tell(run, progressAt(stage, Math.min(99, percent), etaMs)),
    });
    if (result.sprite) await this.#import(run, 'sprite.jpg');
    const sprite = result.sprite ? { ...result.sprite, attempt: run.attempt } : null;
    await this.#finish(run, sprite);
    const done = progressAt('done', 100, 0);
    progress.publish(run.videoId, { ...done, status: 'ready', renditions: [...run.renditions] });
    progress.forget(run.videoId);
  }

  async #keepCovers(run: Run, suggestionsMs: readonly number[]): Promise<void> {
    const names = ['cover', ...suggestionsMs.map((_, index) => `cover-${index + 1}`)];
    for (const name of names) await this.#import(run, `${name}.jpg`);
    const suggestions = suggestionsMs.map((timeMs, index) => ({
      file: `${run.attempt}/cover-${index + 1}.jpg`,
      timeMs: Math.round(timeMs),
    }));
    await this.#update(run, async (tx) => {
      // Another moment may have been chosen while this one was being cut out; then its own job makes the cover.
      await tx`
        update video set cover_suggestions = ${json(tx, suggestions)},
          cover_file = case when cover_version = ${run.coverVersion} or cover_file is null
            then ${`${run.attempt}/cover.jpg`} else cover_file end
        where id = ${run.videoId}`;
    });
  }

  /** The first rendition makes the video visible. Those of an earlier run are replaced by it. */
  async #keepRendition(run: Run, rendition: Rendition): Promise<void> {
    for (const entry of await readdir(join(run.outputDir, rendition.name)))
      await this.#import(run, `${rendition.name}/${entry}`);
    const stored = { ...rendition, attempt: run.attempt };
    await this.#update(run, async (tx, row) => {
      const renditions = [...row.renditions.filter(({ attempt }) => attempt === run.attempt), stored];
      await tx`
        update video set renditions = ${json(tx, renditions)}, status = 'playable' where id = ${run.videoId}`;
    });
    run.renditions.push(rendition.name);
    this.#tell(run, run.now);
  }

  async #finish(run: Run, sprite: object | null): Promise<void> {
    const { uploads, purge, keepOriginals } = this.#deps;
    await this.#update(run, async (tx, row) => {
      await tx`
        update video set status = 'ready', sprite = ${sprite && json(tx, sprite)} where id = ${run.videoId}`;
      if (!keepOriginals && row.uploadId !== null) await uploads.drop(tx, row.uploadId);
      const earlier = Array.from({ length: run.attempt - 1 }, (_, index) => index + 1);
      // A cover chosen from the suggestions of an earlier run is still that run's file.
      const prefixes = earlier
        .filter((attempt) => !row.coverFile?.startsWith(`${attempt}/`))
        .map((attempt) => attemptPrefix(run.videoId, attempt));
      if (prefixes.length > 0) await purge.later(tx, { prefixes });
    });
  }

  async #import(run: Run, file: string): Promise<void> {
    const key = `${attemptPrefix(run.videoId, run.attempt)}/${file}`;
    await this.#deps.store.importFile(key, join(run.outputDir, file), { signal: run.signal });
  }

  /** Changes the row if it is still this run's. */
  async #update(run: Run, work: (tx: Sql, row: VideoRow) => Promise<void>): Promise<void> {
    const { db, publisher, clock, tell } = this.#deps;
    run.signal.throwIfAborted();
    const entries = await db.transaction(async (tx) => {
      const row = await lockVideo(tx, run.videoId);
      if (row?.attempt !== run.attempt || row.takedownReason !== null) throw new Superseded();
      const entries = await publisher.change(tx, run.videoId, row.authorId, () => work(tx, row));
      await tx`update video set worked_at = ${new Date(clock.nowMs())} where id = ${run.videoId}`;
      return entries;
    });
    await publisher.announceLater(entries);
    await tell([{ table: 'video', after: { id: run.videoId } }]);
  }

  /** Doubles as the sign of life. */
  async #stillOwns(run: Run): Promise<boolean> {
    const { db, clock } = this.#deps;
    const rows = await db.sql`
      update video set worked_at = ${new Date(clock.nowMs())}
      where id = ${run.videoId} and attempt = ${run.attempt} and taken_down_at is null returning id`;
    return rows.length > 0;
  }

  async #failed(run: Run, job: Job<unknown>, error: unknown): Promise<void> {
    const { log } = this.#deps;
    if (error instanceof Superseded) return this.#leave(run);
    if (job.signal.aborted) throw error;
    if (!isMediaFault(error) && !job.lastTry) throw error;
    if (!isMediaFault(error)) log.error({ err: error, videoId: run.videoId }, 'transcoding failed for good');
    try {
      await this.#giveUp(run, error instanceof AppError ? error.code : 'internal');
    } catch (reason) {
      if (!(reason instanceof Superseded)) throw reason;
      await this.#leave(run);
    }
  }

  /** Its successor purges, or the deletion did; but this run may have written after that. */
  async #leave(run: Run): Promise<void> {
    await this.#deps.store.deletePrefix(attemptPrefix(run.videoId, run.attempt));
  }

  /** Failed for good: the row says why, and no file is left. */
  async #giveUp(run: Run, code: ErrorCode): Promise<void> {
    const { progress, uploads, purge } = this.#deps;
    await this.#update(run, async (tx, row) => {
      await tx`
        update video set status = 'failed', failure_code = ${code}, renditions = '[]', sprite = null,
          cover_file = null, cover_suggestions = '[]' where id = ${run.videoId}`;
      if (row.uploadId !== null) await uploads.drop(tx, row.uploadId);
      await purge.later(tx, { prefixes: [videoPrefix(run.videoId)] });
    });
    const failed = { ...progressAt('failed', 100, 0), status: 'failed' as const, failure: failureOf(code) };
    progress.publish(run.videoId, { ...failed, renditions: [] });
    progress.forget(run.videoId);
  }

  /** Folders that a killed worker left and no job will come back for. */
  async #sweepWorkDir(signal: AbortSignal): Promise<void> {
    const { db, workDir } = this.#deps;
    for (const name of (await readdir(workDir)).filter((entry) => /^\d{1,19}$/.test(entry))) {
      signal.throwIfAborted();
      const rows = await db.sql`
        select 1 from video where id = ${name} and status in ('processing', 'playable') and taken_down_at is null`;
      if (rows.length === 0) await rm(join(workDir, name), { recursive: true, force: true });
    }
  }
}

/** The run's own folder, and the video's when no other run has one in it. */
async function removeFolder(outputDir: string): Promise<void> {
  await rm(outputDir, { recursive: true, force: true });
  try {
    await rmdir(dirname(outputDir));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT') throw error;
  }
}

function progressAt(stage: TranscodeProgress['stage'], percent: number, etaMs?: number): Run['now'] {
  return {
    stage,
    percent: Math.max(0, Math.min(100, Math.round(percent * 10) / 10)),
    etaMs: etaMs === undefined ? null : Math.max(0, Math.round(etaMs)),
    failure: null,
  };
}
