import type { api, BodyOf, OwnVideo } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Announcements } from '../../ports/announcements/port.ts';
import type { Database, Idempotency, Sql } from '../../ports/database/port.ts';
import type { JobQueue } from '../../ports/job-queue/port.ts';
import type { TellOwnChanges } from '../../ports/own-changes/port.ts';
import type { Purge, Uploads } from '../media/index.ts';
import { coverKind } from './cover.ts';
import type { Outbox, Publisher } from './publish.ts';
import type { Reactions } from './reads.ts';
import { lockVideo, type VideoRow, videoPrefix } from './store.ts';
import { transcodeKind } from './transcode.ts';
import { visibilityFact } from './visibility-changes.ts';
import type { Withdrawals } from './withdrawals.ts';

export type NewVideo = BodyOf<typeof api.videos.create>;
export type VideoChange = BodyOf<typeof api.videos.update>;

export interface VideoWritesDeps {
  readonly db: Database;
  readonly jobs: JobQueue;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly uploads: Uploads;
  readonly purge: Purge;
  readonly publisher: Publisher;
  readonly announcements: Pick<Announcements, 'announce'>;
  readonly outbox: Outbox;
  readonly reactions: Pick<Reactions, 'forget'>;
  readonly tell: TellOwnChanges;
  readonly withdrawals: Withdrawals;
  readonly readOwn: (authorId: string, id: string) => Promise<OwnVideo>;
}

const maxAheadMs = 366 * 86_400_000;

/** Everything that changes a video, at the request of a person. */
export class VideoWrites {
  readonly #deps: VideoWritesDeps;

  constructor(deps: VideoWritesDeps) {
    this.#deps = deps;
  }

  async create(authorId: string, video: NewVideo, idempotency?: Idempotency): Promise<OwnVideo> {
    const { db, ids, jobs, uploads, publisher, readOwn } = this.#deps;
    const publishAt = video.publishAt === undefined ? null : this.#future(video.publishAt);
    const examined = await db.sql`
      select 1 from upload where id = ${video.uploadId} and account_id = ${authorId} and state <> 'receiving'`;
    if (examined.length === 0) await uploads.ensureExamined(authorId, video.uploadId);
    const id = await db.write(idempotency, async (tx) => {
      const { probe } = await uploads.take(tx, authorId, video.uploadId);
      const id = ids.next();
      const coverTimeMs = video.coverTimeMs === undefined ? null : clampCover(video.coverTimeMs, probe);
      await tx`
        insert into video (id, author_id, upload_id, title, description, tags, visibility, publish_at, cover_time_ms,
          duration_ms, width, height, worked_at, created_at)
        values (${id}, ${authorId}, ${video.uploadId}, ${video.title}, ${video.description},
          ${tx.array(video.tags, 'text')}, ${video.visibility}, ${publishAt}, ${coverTimeMs},
          ${probe.durationMs}, ${probe.width}, ${probe.height}, ${this.#now()}, ${this.#now()})`;
      await jobs.enqueue(tx, transcodeKind, { videoId: id }, { key: `transcode:${id}` });
      if (publishAt) await publisher.schedule(tx, id, publishAt);
      return id;
    });
    return readOwn(authorId, id);
  }

  async update(
    authorId: string,
    id: string,
    change: VideoChange,
    idempotency?: Idempotency,
  ): Promise<OwnVideo> {
    const { announcements, db, outbox, publisher, readOwn, tell } = this.#deps;
    // The entries are a part of the remembered answer, so that a repeated request announces what the first could not.
    const entries = await db.write(idempotency, async (tx) => {
      const row = await this.#lockOwn(tx, authorId, id);
      const publishAt = this.#publishAtOf(row, change);
      const entries = await publisher.change(tx, id, authorId, async () => {
        await tx`
          update video set title = ${change.title ?? row.title}, publish_at = ${publishAt},
            description = ${change.description ?? row.description}, tags = ${tx.array(change.tags ?? row.tags, 'text')},
            visibility = ${change.visibility ?? row.visibility}
          where id = ${id}`;
        if (change.coverTimeMs !== undefined) await this.#chooseCover(tx, row, change.coverTimeMs);
      });
      if (publishAt && publishAt.getTime() !== row.publishAt?.getTime())
        await publisher.schedule(tx, id, publishAt);
      return entries;
    });
    await outbox.announce(entries);
    await tell([{ table: 'video', after: { id } }]);
    // Also when it is the same: this may be a second try, after one that could not be announced.
    if (change.visibility !== undefined) await announcements.announce([visibilityFact(id)]);
    return readOwn(authorId, id);
  }

  async delete(authorId: string, id: string, idempotency?: Idempotency): Promise<void> {
    await this.#deps.db.write(idempotency, async (tx) => {
      const row = await lockVideo(tx, id);
      if (row?.authorId !== authorId) throw new AppError('not-found');
      await this.#deps.publisher.change(tx, id, authorId, async () => {
        await this.#deps.reactions.forget(tx, [id]);
        await this.#deps.outbox.withdraw(tx, [id]);
        await tx`delete from video where id = ${id}`;
      });
      await this.#deps.withdrawals.record(tx, [id]);
      await this.dropFiles(tx, row);
    });
    await this.#deps.withdrawals.raise([id]);
  }

  /** Withdraws anybody's video. Its files stay: a moderator may have to answer for it. */
  async takedown(moderatorId: string, id: string, reason: string, idempotency?: Idempotency): Promise<void> {
    await this.#deps.db.write(idempotency, async (tx) => {
      const row = await lockVideo(tx, id);
      if (!row) throw new AppError('not-found');
      if (row.takedownReason !== null) return;
      await this.#deps.publisher.change(tx, id, row.authorId, async () => {
        await tx`
          update video set taken_down_at = ${this.#now()}, taken_down_by = ${moderatorId}, takedown_reason = ${reason}
          where id = ${id}`;
      });
      await this.#deps.withdrawals.record(tx, [id]);
    });
    await this.#deps.withdrawals.raise([id]);
  }

  /** Also the original's row, which counts in the account's room. */
  async dropFiles(tx: Sql, row: { id: string; uploadId: string | null }): Promise<void> {
    if (row.uploadId !== null) await this.#deps.uploads.drop(tx, row.uploadId);
    await this.#deps.purge.later(tx, { prefixes: [videoPrefix(row.id)] });
  }

  async #lockOwn(tx: Sql, authorId: string, id: string): Promise<VideoRow> {
    const row = await lockVideo(tx, id);
    if (row?.authorId !== authorId || row.takedownReason !== null) throw new AppError('not-found');
    return row;
  }

  /** A suggestion is there already; any other moment is cut out by a job. */
  async #chooseCover(tx: Sql, row: VideoRow, wantedMs: number): Promise<void> {
    if (row.status === 'failed') throw new AppError('video-not-ready', { detail: 'The video has failed.' });
    const timeMs = clampCover(wantedMs, row);
    const file = row.coverSuggestions.find((suggestion) => suggestion.timeMs === timeMs)?.file;
    const version = row.coverVersion + 1;
    await tx`
      update video set cover_time_ms = ${timeMs}, cover_version = ${version},
        cover_file = ${file ?? row.coverFile} where id = ${row.id}`;
    if (file === undefined) await this.#deps.jobs.enqueue(tx, coverKind, { videoId: row.id, version });
  }

  #publishAtOf(row: VideoRow, change: VideoChange): Date | null {
    if (change.publishAt === undefined) return row.publishAt;
    if (change.publishAt === null) return null;
    if (row.feedKey !== null)
      throw new AppError('publish-time-passed', { detail: 'The video has been published already.' });
    return this.#future(change.publishAt);
  }

  #future(time: string): Date {
    const date = new Date(time);
    const aheadMs = date.getTime() - this.#deps.clock.nowMs();
    if (!(aheadMs > 0 && aheadMs <= maxAheadMs)) throw new AppError('publish-time-passed');
    return date;
  }

  #now(): Date {
    return new Date(this.#deps.clock.nowMs());
  }
}

/** The last frame of many files cannot be decoded alone. */
const coverTailMs = 100;

function clampCover(timeMs: number, { durationMs }: { durationMs: number }): number {
  return Math.max(0, Math.min(timeMs, durationMs - coverTailMs));
}
