import { type Cache, dependency } from '../../../cache/index.ts';
import type { Clock } from '../../../kernel/clock.ts';
import type { CursorCodec } from '../../../kernel/cursor.ts';
import type { Logger } from '../../../kernel/log.ts';
import { Occasionally } from '../../../kernel/occasionally.ts';
import type { Announcements } from '../../../ports/announcements/port.ts';
import type { Database } from '../../../ports/database/port.ts';
import type { Fences } from '../../../ports/fences/port.ts';
import type { TellOwnChanges } from '../../../ports/own-changes/port.ts';
import type { TimelineStore } from '../../../ports/timeline-store/port.ts';
import type { CardState, CountTexts } from '../../engagement/index.ts';
import type { Presenter, VideoPages, VideoReads } from '../../videos/index.ts';
import type { Positions } from '../position.ts';
import { CardTexts } from './cards.ts';
import { Following } from './following.ts';
import { ReaderGraphs } from './graphs.ts';
import { InFlight } from './in-flight.ts';
import { InboxViews } from './inbox-views.ts';
import { OutboxShelves } from './outbox-shelves.ts';
import { HotOutboxes } from './outboxes.ts';
import { Prefetch } from './prefetch.ts';
import { defineOwnReactions } from './reactions.ts';
import { ReadyCards } from './ready-cards.ts';
import { defineRepostCaches } from './reposts.ts';
import { Rules } from './rules.ts';

export interface ReadingDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly cursors: CursorCodec;
  readonly cache: Cache;
  readonly announcements: Announcements;
  readonly fences: Pick<Fences, 'hasHeard' | 'heardTimes'>;
  readonly store: TimelineStore;
  readonly tell: TellOwnChanges;
  readonly videos: VideoReads;
  readonly pages: VideoPages;
  readonly presenter: Presenter;
  readonly cardState: Pick<CardState, 'viewer'>;
  readonly countTexts: CountTexts;
  readonly positions: Positions;
  /** An inbox is not there, though some edges of its reader are pushed. */
  readonly onCold?: (readerId: string) => void;
  readonly onRead?: (readerId: string) => void;
  /** So many outboxes were had for one page. */
  readonly onPulled?: (outboxes: number, tookMs: number) => void;
  /** Entries held in this process over all hot outboxes. */
  readonly maxOutboxEntries?: number;
}

const repostsOf = dependency('repost', 'video_id');
const reconcileEveryMs = 30_000;
const shareEveryMs = 5_000;
const shareWithinMs = 10_000;

/** Builds what pages are read with. */
export function createReading(deps: ReadingDeps) {
  const { db, clock, log, cache, announcements, store } = deps;
  const failures = new Occasionally(clock);
  const onFailure = (error: unknown) =>
    failures.say('timeline', (times) => log.warn({ err: error, times }, 'a timeline is read another way'));
  const inFlight = new InFlight({
    ...{ db, clock, announcements },
    onEntry: (entry) => {
      outboxes.hear(entry);
      // A repost: what is known of the video's appearances is outdated.
      void cache.invalidate([repostsOf(entry.videoId)], { isLocalOnly: true });
    },
    onReset: () => outboxes.forget(),
  });
  const shelves = new OutboxShelves({ db, store });
  const outboxes: HotOutboxes = new HotOutboxes({
    ...{ db, store, clock, onFailure },
    inFlightOf: (authorId) => inFlight.of(authorId),
    isCrowded: (authorId) => inFlight.crowded.has(authorId),
    onMissed: (authorIds) => shelves.noteMissed(authorIds),
    ...(deps.maxOutboxEntries !== undefined && { maxEntries: deps.maxOutboxEntries }),
  });
  const graphs = new ReaderGraphs({ db, cache, clock, announcements });
  const cards = new CardTexts(deps.presenter);
  const prefetch = new Prefetch({ outboxes, onFailure });
  const following = new Following({
    ...deps,
    ...{ graphs, onFailure },
    rules: new Rules({ ...deps, reposts: defineRepostCaches({ db, cache }) }),
    ...{ cards, ready: new ReadyCards({ ...deps, cards }) },
    reactions: defineOwnReactions({ db, cache }),
    position: (readerId) => deps.positions.read(readerId),
    onRead: deps.onRead ?? (() => {}),
    walk: {
      ...{ db, store, inFlight, outboxes, onFailure, views: new InboxViews() },
      onCold: deps.onCold ?? (() => {}),
      onPulled: deps.onPulled ?? (() => {}),
      onNearFloor: (readerId, followeeIds) => prefetch.begin(readerId, followeeIds),
      onBelowFloor: (readerId) => prefetch.noteUse(readerId),
    },
  });
  const sharing = clock.every(shareEveryMs, () =>
    shelves.turn(AbortSignal.timeout(shareWithinMs)).catch(onFailure),
  );
  const reconciling = clock.every(reconcileEveryMs, () => inFlight.reconcile().catch(onFailure));
  return {
    ...{ following, graphs, inFlight, outboxes, shelves, prefetch },
    [Symbol.dispose]: () => {
      reconciling[Symbol.dispose]();
      sharing[Symbol.dispose]();
    },
  };
}
