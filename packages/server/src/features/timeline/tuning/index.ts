/**
 * Decides which edges are pushed into inboxes and which are pulled by pages, and turns them without losing an entry.
 *
 *     const tuning = createTuning({ db, store, announcements, counters, clock, log, metrics });
 *     changes.follow(tuning.creators)                       // before the feed starts; mentions
 *     tuning.creators.notePosts(authorIds)                  // whoever announces what was published
 *     tuning.activity.noteRead(readerId)                    // each first page
 *     tuning.costs.notePushes(count, ms) / .notePulls(count, ms)
 *     tuning.inboxes.request(readerId)                      // a page that finds the inbox cold
 *     jobs.schedule('timeline-tune', '* * * * *', (signal) => tuning.turn(signal))
 *     tuning.start(); await tuning.stop()
 */
import type { FeedExplanation } from '@hvideo/protocol';
import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { Metrics } from '../../../kernel/metrics.ts';
import type { Announcements } from '../../../ports/announcements/port.ts';
import type { Database } from '../../../ports/database/port.ts';
import type { TimelineStore } from '../../../ports/timeline-store/port.ts';
import type { Counters } from '../../counters/index.ts';
import { Activity } from './activity.ts';
import { Costs } from './costs.ts';
import { Creators } from './creators.ts';
import { EdgeReads } from './edges.ts';
import { explainEdge } from './explain.ts';
import { Flips } from './flips.ts';
import { Inboxes } from './inbox.ts';
import { Retuner, type RetunerBudget } from './retuner.ts';

export interface TuningDeps {
  readonly db: Database;
  readonly store: TimelineStore;
  readonly announcements: Pick<Announcements, 'announce'>;
  readonly counters: Pick<Counters, 'onChanges'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
  readonly budget?: RetunerBudget;
}

export type Tuning = ReturnType<typeof createTuning>;

export function createTuning(deps: TuningDeps) {
  const costs = new Costs();
  const activity = new Activity(deps);
  const creators = new Creators(deps);
  const edges = new EdgeReads({ ...deps, costs });
  const flips = new Flips(deps);
  const inboxes = new Inboxes(deps);
  const retuner = new Retuner({ ...deps, edges, flips, inboxes, creators });
  if (deps.metrics) {
    for (const part of [costs, activity, creators, inboxes, retuner]) part.exportTo(deps.metrics);
  }
  return {
    ...{ activity, costs, creators, flips, inboxes },
    /** A turn of the retuner, at most three quarters of a minute. */
    turn: (signal: AbortSignal) => retuner.turn(signal),
    explain: (readerId: string, authorId: string): Promise<FeedExplanation> =>
      explainEdge(edges, readerId, authorId),
    start(): void {
      activity.start();
      creators.start();
    },
    /** Writes what waits; rebuilds under way are given up. */
    async stop(): Promise<void> {
      await Promise.all([activity.stop(), creators.stop(), inboxes.stop()]);
    },
  };
}
