import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Database, Sql, SqlQuery } from '../../ports/database/port.ts';
import type { JobKind, JobQueue } from '../../ports/job-queue/port.ts';
import type { TellOwnChanges } from '../../ports/own-changes/port.ts';
import { listed } from './visibility.ts';

const publishKind: JobKind<{ videoId: string }> = {
  name: 'video-publish',
  retryLimit: 10,
  leaseSeconds: 30,
  concurrency: 4,
};

/** A job may start a little before its time when two clocks disagree; up to this it waits. */
const earlyMs = 5000;
const sweepLimit = 500;

/** A video that has just become visible, in its author's outbox. */
export interface Published {
  /** The feed key. */
  readonly key: string;
  readonly authorId: string;
  readonly videoId: string;
}

/** What videos need of the timeline, by which followers hear of them. */
export interface Outbox {
  /** A part of the statement that makes them visible; `made` has the columns key, author_id and video_id. */
  recording(sql: Sql, made: SqlQuery<unknown[]>): SqlQuery<unknown[]>;
  /** After its commit, before the answer; harmless at any later time. Errors: `timeout` (outcome unknown). */
  announce(entries: readonly Published[]): Promise<void>;
  /** Before the rows of these videos are deleted, in the same transaction. */
  withdraw(tx: Sql, videoIds: readonly string[]): Promise<void>;
}

export interface PublisherDeps {
  readonly db: Database;
  readonly jobs: JobQueue;
  readonly ids: Ids;
  readonly tell: TellOwnChanges;
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly log: Logger;
}

/** Makes videos visible when they can be watched and their time has come. */
export class Publisher {
  readonly #deps: PublisherDeps;

  constructor(deps: PublisherDeps) {
    this.#deps = deps;
    deps.jobs.handle(publishKind, ({ payload, signal }) => this.#publishOnTime(payload.videoId, signal));
    // For jobs lost with their queue, and for clocks that were set.
    deps.jobs.schedule('videos-publish', '* * * * *', (signal) => this.sweep(signal));
  }

  /** Makes sure that the video is looked at again at its time. */
  async schedule(tx: Sql, videoId: string, publishAt: Date): Promise<void> {
    const key = `publish:${videoId}:${publishAt.getTime()}`;
    await this.#deps.jobs.enqueue(tx, publishKind, { videoId }, { startAfter: publishAt, key });
  }

  /**
   * Runs a change of one locked row, and publishes the video when it has no feed key yet and everything is there: every
   * transaction that could complete the conditions is such a change. It keeps the author's count of videos right. What it
   * answers became visible just now, and is to be announced after the commit.
   */
  async change(
    tx: Sql,
    videoId: string,
    authorId: string,
    work: () => Promise<void>,
  ): Promise<readonly Published[]> {
    const wasListed = (await tx`select from video v where v.id = ${videoId} and ${listed(tx)}`).length;
    await work();
    const { ids, clock, outbox } = this.#deps;
    return await tx<Published>`
      with made as (
        update video set feed_key = ${ids.next()}
        where id = ${videoId} and feed_key is null and status in ('playable', 'ready') and taken_down_at is null
          and visibility in ('public', 'followers')
          and (publish_at is null or publish_at <= ${new Date(clock.nowMs())})
        returning feed_key as key, author_id, id as video_id),
      recorded as (${outbox.recording(tx, tx`made`)}),
      counted as (
        update account_counts set videos = videos + now.listed - ${wasListed}
        from (select (
          select count(*)::int from (
            -- What is made here shows in no other part of the statement.
            select video_id from made union select v.id from video v where v.id = ${videoId} and ${listed(tx)}) as either
        ) as listed) as now
        where account_id = ${authorId} and now.listed <> ${wasListed})
      select key, author_id as "authorId", video_id as "videoId" from made`;
  }

  /** Where nobody waits for the answer: what cannot be announced now is announced by the fan-out. */
  async announceLater(entries: readonly Published[]): Promise<void> {
    try {
      await this.#deps.outbox.announce(entries);
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'a new video was not announced; its fan-out will');
    }
  }

  async sweep(signal: AbortSignal): Promise<void> {
    const { db, clock } = this.#deps;
    const rows = await db.sql<{ id: string }>`
      select id from video where feed_key is null and publish_at <= ${new Date(clock.nowMs())}
        and status in ('playable', 'ready') and visibility in ('public', 'followers') and taken_down_at is null
      order by publish_at limit ${sweepLimit}`;
    for (const { id } of rows) {
      signal.throwIfAborted();
      await this.#publish(id);
    }
  }

  async #publishOnTime(videoId: string, signal: AbortSignal): Promise<void> {
    const { db, clock } = this.#deps;
    const [row] = await db.sql<{ publishAt: Date | null }>`
      select publish_at as "publishAt" from video where id = ${videoId} and feed_key is null`;
    const waitMs = (row?.publishAt?.getTime() ?? 0) - clock.nowMs();
    // Postponed since: another job waits for the new time.
    if (!row || waitMs > earlyMs) return;
    if (waitMs > 0) await clock.sleep(waitMs, { signal });
    await this.#publish(videoId);
  }

  async #publish(videoId: string): Promise<void> {
    const entries = await this.#deps.db.transaction(async (tx) => {
      const [row] = await tx<{ authorId: string }>`
        select author_id as "authorId" from video where id = ${videoId} for update`;
      return row ? this.change(tx, videoId, row.authorId, async () => {}) : [];
    });
    await this.announceLater(entries);
    await this.#deps.tell([{ table: 'video', after: { id: videoId } }]);
  }
}
