import { createHash } from 'node:crypto';
import type { ViewReport } from '@hvideo/protocol';
import { Batcher } from '../../kernel/batcher.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { observationOf } from '../../kernel/hyperloglog.ts';
import { type Database, ForeignKeyViolation, type Sql } from '../../ports/database/port.ts';
import { addressKey } from '../accounts/index.ts';
import type { Counters, Recorded } from '../counters/index.ts';
import { visibleTo } from '../videos/index.ts';
import type { SegmentEvidence } from './evidence.ts';

export interface Viewing {
  readonly accountId: string | undefined;
  readonly address: string;
}

export interface ViewsDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly evidence: Pick<SegmentEvidence, 'has'>;
}

interface View {
  readonly videoId: string;
  readonly accountId: string | undefined;
  /** A 64-bit hash of whoever watches. */
  readonly viewer: bigint;
  readonly isCounted: boolean;
  readonly positionMs: number | undefined;
  readonly completed: boolean;
}

const windowMs = 20;
const maxItems = 1_000;
const maxWaiting = 50_000;
const halfHourMs = 1_800_000;

/**
 * Counts a view once for each viewer, video and half hour, and keeps where somebody was. Reports of the same moment
 * share a transaction: the claims, the increments and the history commit together, so that a report that is repeated
 * after a crash counts what it did not count, and nothing twice.
 *
 * Cost: one statement a report, and four for all reports of 20 ms.
 */
export class Views {
  readonly #deps: ViewsDeps;
  readonly #batcher: Batcher<View>;

  constructor(deps: ViewsDeps) {
    this.#deps = deps;
    this.#batcher = new Batcher({
      ...{ clock: deps.clock, windowMs, maxItems, maxWaiting },
      run: (views) => this.#write(views),
    });
  }

  /** Errors: `not-found` for what the viewer may not see, `overloaded`. */
  async report(videoId: string, { accountId, address }: Viewing, report: ViewReport): Promise<void> {
    const { clock, db, evidence } = this.#deps;
    const [visible] = await db.sql`
      select 1 as one from video v
      where v.id = ${videoId} and ${visibleTo(db.sql, accountId, new Date(clock.nowMs()))}`;
    if (!visible) throw new AppError('not-found');
    const network = addressKey(address);
    await this.#batcher.add({
      ...{ videoId, accountId },
      viewer: hashOf(accountId === undefined ? `address ${network}` : `account ${accountId}`),
      isCounted: evidence.has(videoId, network),
      positionMs: report.positionMs,
      completed: report.completed,
    });
  }

  drain(): Promise<void> {
    return this.#batcher.drain();
  }

  async clean(): Promise<void> {
    const { clock, db } = this.#deps;
    await db.sql`delete from view_claim where half_hour < ${this.#halfHour(clock) - 1}`;
  }

  #halfHour({ nowMs }: Clock): number {
    return Math.floor(nowMs() / halfHourMs);
  }

  async #write(views: readonly View[]): Promise<void> {
    const { counters, db } = this.#deps;
    let recorded: Recorded | undefined;
    try {
      await db.transaction(async (tx) => {
        const counted = await this.#claim(
          tx,
          views.filter(({ isCounted }) => isCounted),
        );
        const increments = [...sumsOf(counted)].map(([id, delta]) => ({
          id,
          metric: 'views' as const,
          delta,
        }));
        const sightings = counted.map(({ videoId, viewer }) => ({
          id: videoId,
          observation: observationOf(viewer),
        }));
        recorded = await counters.record(tx, increments, sightings);
        await this.#remember(tx, views);
      });
    } catch (error) {
      // A video or an account went while its report waited; the reports of others go on without it.
      if (!(error instanceof ForeignKeyViolation) || views.length === 0) throw error;
      if (views.length === 1) return;
      for (const view of views) await this.#write([view]);
      return;
    }
    if (recorded) counters.committed(recorded);
  }

  /** Those that had not been counted in this half hour. */
  async #claim(tx: Sql, views: readonly View[]): Promise<{ videoId: string; viewer: bigint }[]> {
    if (views.length === 0) return [];
    // In one order everywhere, so that no two transactions wait for each other.
    const ordered = [...views].sort((a, b) =>
      a.videoId === b.videoId ? Number(a.viewer - b.viewer) : Number(BigInt(a.videoId) - BigInt(b.videoId)),
    );
    const rows = await tx<{ video_id: string; viewer: string }>`
      insert into view_claim (half_hour, video_id, viewer)
      select ${this.#halfHour(this.#deps.clock)}::int4, * from unnest(
        ${tx.array(
          ordered.map(({ videoId }) => videoId),
          'int8',
        )}, ${tx.array(
          ordered.map(({ viewer }) => String(viewer)),
          'int8',
        )})
      on conflict do nothing returning video_id, viewer`;
    return rows.map(({ video_id, viewer }) => ({ videoId: video_id, viewer: BigInt(viewer) }));
  }

  async #remember(tx: Sql, views: readonly View[]): Promise<void> {
    // The last report of one viewer and video wins.
    const last = new Map<string, View & { accountId: string; positionMs: number }>();
    for (const view of views) {
      const { accountId, positionMs } = view;
      if (accountId === undefined || positionMs === undefined) continue;
      last.set(`${accountId} ${view.videoId}`, { ...view, accountId, positionMs });
    }
    if (last.size === 0) return;
    const kept = [...last.values()];
    await tx`
      insert into watch_history (account_id, video_id, position_ms, completed, watched_at)
      select account_id, video_id, position_ms, completed = 1, ${new Date(this.#deps.clock.nowMs())}
      from unnest(
        ${tx.array(
          kept.map(({ accountId }) => accountId),
          'int8',
        )}, ${tx.array(
          kept.map(({ videoId }) => videoId),
          'int8',
        )}, ${tx.array(
          kept.map(({ positionMs }) => positionMs),
          'int4',
        )}, ${tx.array(
          kept.map(({ completed }) => Number(completed)),
          'int4',
        )}) as each (account_id, video_id, position_ms, completed)
      where not exists (select 1 from history_paused where history_paused.account_id = each.account_id)
      order by account_id, video_id
      on conflict (account_id, video_id) do update
      set position_ms = excluded.position_ms, completed = excluded.completed, watched_at = excluded.watched_at`;
  }
}

function sumsOf(views: readonly { videoId: string }[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { videoId } of views) sums.set(videoId, (sums.get(videoId) ?? 0) + 1);
  return sums;
}

const hashOf = (text: string): bigint => createHash('sha256').update(text).digest().readBigInt64BE();
