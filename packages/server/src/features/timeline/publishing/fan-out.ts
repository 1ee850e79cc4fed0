import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { Announcements } from '../../../ports/announcements/port.ts';
import type { Database } from '../../../ports/database/port.ts';
import { type Entry, MAX_PUSHES, type Push, type TimelineStore } from '../../../ports/timeline-store/port.ts';
import { entryFact, SETTLE_GRACE_MS, settledFact } from '../facts.ts';
import { nextFollowers, type Stretch } from './followers.ts';
import { GivingUp } from './giving-up.ts';
import { Lane } from './lane.ts';
import type { Outboxes } from './outboxes.ts';
import { FanOutQueue, type Leased, type QueueSettings, type Stage } from './queue.ts';

export interface FanOutDeps {
  readonly db: Database;
  readonly store: Pick<TimelineStore, 'push' | 'drop' | 'remove'>;
  readonly announcements: Pick<Announcements, 'announce'>;
  readonly outboxes: Outboxes;
  /** An id: names this worker's leases. */
  readonly worker: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly costs?: { notePushes(count: number, tookMs: number): void } | undefined;
  /** Told of each entry once, when it has arrived everywhere. */
  readonly notePosts?: ((authorIds: readonly string[]) => void) | undefined;
  readonly settings?: Partial<FanOutSettings>;
}

export interface FanOutSettings extends QueueSettings {
  /** Entries begun with at once. */
  readonly freshAtOnce: number;
  /** Followers up to which an entry is served with others; beyond that it goes on in a lane of its own. */
  readonly small: number;
  /** Followers looked at by one statement of a large one. */
  readonly chunk: number;
  readonly largeAtOnce: number;
  /** Chunks of a large one before others have their turn. */
  readonly stride: number;
  /** How often its place is kept, and it is noticed that it was deleted: well within the delay of removals. */
  readonly keepMs: number;
}

const defaults: FanOutSettings = {
  leaseMs: 30_000,
  graceMs: SETTLE_GRACE_MS,
  maxAttempts: 10,
  retryMs: 250,
  maxRetryMs: 60_000,
  freshAtOnce: 100,
  small: 256,
  chunk: 4_000,
  largeAtOnce: 4,
  stride: 32,
  keepMs: 500,
};

const settledAtOnce = 500;
const polls: Readonly<Record<Stage, number>> = { fresh: 200, large: 1_000, rest: 1_000, done: 1_000 };

/** What it has done since the start, in plain numbers. */
export interface FanOutCounts {
  pushes: number;
  settled: number;
  failures: number;
  turnedToPull: number;
}

/**
 * Brings what was recorded into its author's outbox and its followers' inboxes. Every step may be repeated: followers are
 * pushed to in the order of their ids, the place is kept every now and then, and who takes over a dead worker's entry
 * goes on from there. Followers are selected after the commit of the entry, so that an edge which is pushed to since has
 * copied it.
 *
 * Four lanes, so that one creator with a million followers stands before nobody: `fresh` begins with many entries at a
 * time and ends most of them, `large` goes on with the active readers of the others, `rest` with everybody else, `done`
 * takes out of flight what no page can miss any more.
 */
export class FanOut {
  readonly counts: FanOutCounts = { pushes: 0, settled: 0, failures: 0, turnedToPull: 0 };
  /** Seconds from the commit to the end of what active readers wait for. */
  onLag: (seconds: number) => void = () => {};
  readonly #deps: FanOutDeps;
  readonly #settings: FanOutSettings;
  readonly #queue: FanOutQueue;
  readonly #givingUp: GivingUp;
  readonly #lanes: Readonly<Record<Stage, Lane>>;

  constructor(deps: FanOutDeps) {
    this.#deps = deps;
    this.#settings = { ...defaults, ...deps.settings };
    this.#queue = new FanOutQueue(deps.db, deps.worker, this.#settings);
    this.#givingUp = new GivingUp(deps);
    const lane = (name: Stage) =>
      new Lane({
        ...{ name, clock: deps.clock, log: deps.log, pollMs: polls[name] },
        turn: (signal) => this.turn(name, signal),
      });
    this.#lanes = { fresh: lane('fresh'), large: lane('large'), rest: lane('rest'), done: lane('done') };
  }

  start(): void {
    for (const lane of Object.values(this.#lanes)) lane.start();
    this.#deps.outboxes.onEntries(() => this.#lanes.fresh.wake());
  }

  async stop(): Promise<void> {
    this.#deps.outboxes.onEntries(() => {});
    await Promise.all(Object.values(this.#lanes).map((lane) => lane.stop()));
    await this.#queue.release();
  }

  /** Takes over what an earlier process was at, at once. Only where no other can live, before `start`. */
  reclaimAll(): Promise<void> {
    return this.#queue.reclaimAll();
  }

  /** One turn of a lane. True: there may be more at once. */
  async turn(stage: Stage, signal?: AbortSignal): Promise<boolean> {
    const limit = {
      fresh: this.#settings.freshAtOnce,
      large: this.#settings.largeAtOnce,
      ...{ rest: 1, done: settledAtOnce },
    }[stage];
    const leased = await this.#queue.lease(stage, limit);
    if (leased.length === 0) return false;
    if (stage === 'fresh') await this.#guard(leased, () => this.#begin(leased));
    else if (stage === 'done') await this.#guard(leased, () => this.#settle(leased));
    else await Promise.all(leased.map((each) => this.#guard([each], () => this.#goOn(each, signal))));
    return stage === 'fresh' || stage === 'done' ? leased.length === limit : true;
  }

  /** Many at once, each to its first followers; for most of them those are all. */
  async #begin(leased: readonly Leased[]): Promise<void> {
    const { announcements, db, outboxes } = this.#deps;
    // Whoever recorded them may have died before it told anybody.
    const untold = leased.filter(({ key }) => !outboxes.takeNoted(key));
    if (untold.length > 0) await announcements.announce(untold.map(entryFact));
    const stretches = await nextFollowers(db, leased, this.#settings.small, 'all');
    const entries = new Map(leased.map((entry) => [entry.key, entry]));
    await this.#push([
      ...leased.map(outboxPush),
      ...stretches.flatMap((stretch) => inboxPushes(entries.get(stretch.key), stretch)),
    ]);
    const moves = stretches.flatMap(({ key, isLast, lastId }) =>
      isLast || lastId === undefined ? [] : [{ key, afterFollower: lastId }],
    );
    const ended = stretches.filter(({ isLast }) => isLast).map(({ key }) => key);
    this.#told(await this.#queue.move(ended, 'done'));
    await this.#queue.advance(moves, { release: true });
    if (moves.length > 0) this.#lanes.large.wake();
  }

  /**
   * Some stretches of one. While one is pushed, the next is looked up. The place is kept now and then: that is a write to disk, which
   * takes longer than a stretch, and whoever takes over pushes at most what came after it once more.
   */
  async #goOn(entry: Leased, signal: AbortSignal | undefined): Promise<void> {
    if (entry.attempts >= this.#settings.maxAttempts) return this.#crawl(entry);
    const { key } = entry;
    const { clock, db } = this.#deps;
    const { chunk, keepMs, stride } = this.#settings;
    const readers = entry.stage === 'large' ? 'active' : 'others';
    const look = (afterFollower: string) => nextFollowers(db, [{ ...entry, afterFollower }], chunk, readers);
    let keptAtMs = clock.monotonicMs();
    let [stretch] = await look(entry.afterFollower);
    for (let count = 1; stretch; count++) {
      const { isLast, lastId } = stretch;
      const [next] = await Promise.all([
        isLast || lastId === undefined ? undefined : look(lastId),
        this.#push(inboxPushes(entry, stretch)),
      ]);
      if (isLast || lastId === undefined) return this.#end(entry);
      const release = count >= stride || signal?.aborted === true;
      if (release || clock.monotonicMs() - keptAtMs >= keepMs) {
        const kept = await this.#queue.advance([{ key, afterFollower: lastId }], { release });
        // Deleted meanwhile, or another worker has taken it over.
        if (release || !kept.has(key)) return;
        keptAtMs = clock.monotonicMs();
      }
      stretch = next?.[0];
    }
  }

  async #end({ key, stage }: Leased): Promise<void> {
    const seconds = await this.#queue.move([key], stage === 'large' ? 'rest' : 'done');
    if (stage !== 'large') return;
    this.#told(seconds);
    this.#lanes.rest.wake();
  }

  /** The tries are used up: what cannot be pushed is pulled from now on. */
  async #crawl(entry: Leased): Promise<void> {
    const { isLast, lastId, turnedToPull } = await this.#givingUp.crawl(entry);
    this.counts.turnedToPull += turnedToPull;
    if (isLast || lastId === undefined) await this.#queue.move([entry.key], 'done');
    else await this.#queue.crawl(entry.key, lastId);
  }

  /** Told before it is forgotten, so that whoever dies in between has it told twice and not never. */
  async #settle(leased: readonly Leased[]): Promise<void> {
    const keys = leased.map(({ key }) => key);
    await this.#deps.announcements.announce(keys.map(settledFact));
    const authorIds = await this.#queue.remove(keys);
    this.counts.settled += authorIds.length;
    this.#deps.notePosts?.(authorIds);
  }

  async #push(pushes: readonly Push[]): Promise<void> {
    const { clock, costs, store } = this.#deps;
    for (let at = 0; at < pushes.length; at += MAX_PUSHES) {
      const slice = pushes.slice(at, at + MAX_PUSHES);
      const startedAtMs = clock.monotonicMs();
      await store.push(slice);
      costs?.notePushes(slice.length, clock.monotonicMs() - startedAtMs);
      this.counts.pushes += slice.length;
    }
  }

  async #guard(leased: readonly Leased[], work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.counts.failures += leased.length;
      const keys = leased.map(({ key }) => key);
      this.#deps.log.warn({ err: error, entries: keys.length, key: keys[0] }, 'a fan-out is tried again');
      await this.#queue.fail(keys);
    }
  }

  #told(lags: readonly number[]): void {
    for (const seconds of lags) this.onLag(seconds);
  }
}

const entryOf = ({ key, authorId, videoId }: Entry): Entry => ({ key, authorId, videoId });

const outboxPush = (entry: Entry): Push => ({
  shelf: { kind: 'outbox', ownerId: entry.authorId },
  entry: entryOf(entry),
});

/** All of one entry, so that a store puts it into bytes once. */
function inboxPushes(leased: Entry | undefined, { followerIds }: Stretch): Push[] {
  if (!leased) return [];
  const entry = entryOf(leased);
  return followerIds.map((ownerId) => ({ shelf: { kind: 'inbox', ownerId }, entry }));
}
