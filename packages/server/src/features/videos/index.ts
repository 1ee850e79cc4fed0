/**
 * Videos: from the request to publish, over transcoding, to lists, pages and files.
 *
 *     const videos = createVideos({ db, jobs, store, transcoder, ids, clock, log, cursors, people, media,
 *       settings: { workDir, keepOriginals: true, transcodeConcurrency: 1 } });
 *     videos.writes / videos.reads / videos.files / videos.progressOf // the routes
 *     videos.drain()   // first thing at shutdown: ends the event streams, which would never end by themselves
 *
 * `workDir` must exist, on the file system of the media store.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { CursorCodec } from '../../kernel/cursor.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Announcements } from '../../ports/announcements/port.ts';
import type { Database } from '../../ports/database/port.ts';
import type { Fences } from '../../ports/fences/port.ts';
import type { JobQueue } from '../../ports/job-queue/port.ts';
import type { MediaStore } from '../../ports/media-store/port.ts';
import type { TellOwnChanges } from '../../ports/own-changes/port.ts';
import type { Transcoder } from '../../ports/transcoder/port.ts';
import type { Media } from '../media/index.ts';
import { videosOfAccount } from './account-part.ts';
import { handleCovers } from './cover.ts';
import { VideoFiles } from './files.ts';
import { createPresenter } from './present.ts';
import { createProgressHub, type ProgressHub } from './progress.ts';
import { progressStream } from './progress-stream.ts';
import { type Outbox, Publisher } from './publish.ts';
import { type People, type Reactions, VideoReads } from './reads.ts';
import { TranscodeWorker } from './transcode.ts';
import { Withdrawals } from './withdrawals.ts';
import { VideoWrites } from './writes.ts';

export type { VideoFile, VideoFiles } from './files.ts';
export {
  defineVideoPages,
  type PageRow,
  reviveVideoPage,
  toVideoPage,
  type VideoPage,
  type VideoPages,
} from './pages.ts';
export type { CardSubject, Presenter } from './present.ts';
export type { ProgressHub } from './progress.ts';
export type { Outbox, Published } from './publish.ts';
export { afterAllIds, type PageRequest, type People, type Reactions, type VideoReads } from './reads.ts';
export { SharedProgress } from './shared-progress.ts';
export { type VideoRow, videoColumns } from './store.ts';
export { listedTo, mayWatch, visibleTo } from './visibility.ts';
export { followVisibility, VISIBILITY_CHANGES } from './visibility-changes.ts';
export { cleanFences, fenceOf, loadFences, readFences } from './withdrawals.ts';
export type { VideoWrites } from './writes.ts';

export interface VideosDeps {
  readonly db: Database;
  readonly jobs: JobQueue;
  readonly store: MediaStore;
  readonly transcoder: Transcoder;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Logger;
  readonly cursors: CursorCodec;
  readonly people: People;
  readonly reactions: Reactions;
  readonly media: Media;
  readonly fences: Fences;
  readonly announcements: Pick<Announcements, 'announce'>;
  readonly outbox: Outbox;
  readonly tell: TellOwnChanges;
  readonly settings: {
    readonly workDir: string;
    readonly keepOriginals: boolean;
    readonly transcodeConcurrency: number;
  };
  /** By default one for this process. */
  readonly progress?: ProgressHub;
}

export type Videos = ReturnType<typeof createVideos>;

export function createVideos(deps: VideosDeps) {
  const {
    db,
    jobs,
    store,
    transcoder,
    ids,
    clock,
    log,
    cursors,
    people,
    reactions,
    media,
    fences,
    announcements,
    outbox,
    tell,
    settings,
  } = deps;
  const { uploads, purge, links } = media;
  const { workDir, keepOriginals, transcodeConcurrency: concurrency } = settings;
  const progress = deps.progress ?? createProgressHub();
  const closing = new AbortController();
  const presenter = createPresenter(links, () => clock.nowMs());
  const publisher = new Publisher({ db, jobs, ids, clock, tell, outbox, log });
  const reads = new VideoReads({ db, clock, cursors, people, reactions, presenter });
  const readOwn = (authorId: string, id: string) => reads.own(authorId, id);
  const withdrawals = new Withdrawals(fences, tell);
  const writes = new VideoWrites({
    db,
    jobs,
    ids,
    clock,
    uploads,
    purge,
    publisher,
    announcements,
    outbox,
    reactions,
    readOwn,
    tell,
    withdrawals,
  });
  const worker = new TranscodeWorker({
    ...{ db, jobs, store, transcoder, clock, uploads, purge, publisher, progress, log, tell },
    ...{ workDir, keepOriginals, concurrency },
  });
  handleCovers({ db, jobs, store, transcoder, workDir, tell });
  const streamDeps = { db, clock, progress, closing: closing.signal };
  return {
    presenter,
    reads,
    writes,
    files: new VideoFiles({ db, clock, store, links }),
    accountPart: videosOfAccount({ db, purge, reactions, outbox, withdrawals, log }),
    progressOf: (ownerId: string, videoId: string, signal: AbortSignal) =>
      progressStream(streamDeps, ownerId, videoId, signal),
    /** What the queue's timetable does, for those who cannot wait for it: publishes what is due, recovers lost work. */
    sweep: async (signal: AbortSignal) => {
      await publisher.sweep(signal);
      await worker.recover(signal);
    },
    drain: () => closing.abort(),
  };
}
