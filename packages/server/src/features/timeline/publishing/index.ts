import type { Clock } from '../../../kernel/clock.ts';
import type { Ids } from '../../../kernel/ids.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { Metrics } from '../../../kernel/metrics.ts';
import type { Announcements } from '../../../ports/announcements/port.ts';
import type { Database } from '../../../ports/database/port.ts';
import type { TimelineStore } from '../../../ports/timeline-store/port.ts';
import { FanOut, type FanOutDeps } from './fan-out.ts';
import type { Outboxes } from './outboxes.ts';
import { Removals } from './removal.ts';

export interface PublishingDeps {
  readonly db: Database;
  readonly store: TimelineStore;
  readonly announcements: Announcements;
  readonly outboxes: Outboxes;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told what pushes cost. */
  readonly costs?: FanOutDeps['costs'];
  /** Told who has published, once for each entry. */
  readonly notePosts?: FanOutDeps['notePosts'];
  readonly metrics?: Metrics;
}

export type Publishing = ReturnType<typeof createPublishing>;

/** What happens to entries behind the answer: into the timelines, and out of them. */
export function createPublishing(deps: PublishingDeps) {
  const { db, ids, metrics } = deps;
  const worker = ids.next();
  const fanOut = new FanOut({ ...deps, worker });
  const removals = new Removals({ ...deps, worker });
  if (metrics) exportFanOut(metrics, db, fanOut, removals);
  return {
    fanOut,
    removals,
    start(): void {
      fanOut.start();
      removals.start();
    },
    /** Ends with the stretches under way; the rest goes back to the queue. */
    async stop(): Promise<void> {
      await Promise.all([fanOut.stop(), removals.stop()]);
    },
    /** Only where no other process can live, before `start`. */
    async reclaimAll(): Promise<void> {
      await Promise.all([fanOut.reclaimAll(), removals.reclaimAll()]);
    },
  };
}

function exportFanOut(metrics: Metrics, { sql }: Database, fanOut: FanOut, removals: Removals): void {
  const count = async (rows: PromiseLike<{ count: number }[]>) => (await rows)[0]?.count ?? 0;
  metrics.gauge('timeline_in_flight', 'Entries that are not settled', () =>
    count(sql<{ count: number }>`select count(*)::int as count from fanout`),
  );
  metrics.gauge('timeline_removals_waiting', 'Entries to be taken out of inboxes', () =>
    count(sql<{ count: number }>`select count(*)::int as count from timeline_removal`),
  );
  metrics.counter('timeline_writes_total', 'Shelves written, by what was done', ['what'], () => [
    [{ what: 'pushed' }, fanOut.counts.pushes],
    [{ what: 'removed' }, removals.removed],
  ]);
  metrics.counter('timeline_failures_total', 'Entries that were tried again', ['what'], () => [
    [{ what: 'push' }, fanOut.counts.failures],
    [{ what: 'removal' }, removals.failures],
  ]);
  metrics.counter('timeline_settled_total', 'Entries that have arrived everywhere', [], () => [
    [{}, fanOut.counts.settled],
  ]);
  metrics.counter('timeline_turned_to_pull_total', 'Edges that could not be pushed to', [], () => [
    [{}, fanOut.counts.turnedToPull],
  ]);
  fanOut.onLag = metrics
    .durations('timeline_push_seconds', 'From the commit of an entry to the inboxes it goes to', 'readers')
    .of('active');
}
