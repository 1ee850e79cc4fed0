import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { Metrics } from '../../../kernel/metrics.ts';
import { Occasionally } from '../../../kernel/occasionally.ts';
import type { ChangeBatch, ChangeConsumer } from '../../../ports/change-feed/port.ts';
import type { Database } from '../../../ports/database/port.ts';
import { type Counters, METRICS } from '../../counters/index.ts';
import {
  largeCreators,
  type Measured,
  recountPosts,
  setLevels,
  unratedCreators,
  writeEvents,
} from './creator-rows.ts';
import { HEAT_WEIGHTS, nextLevel } from './levels.ts';
import { decayed, HEAT } from './rates.ts';

const flushEveryMs = 5_000;
const maxAtOnce = 5_000;
/** Accounts and videos that may wait for the next statement. What comes beyond that is not counted. */
const maxWaiting = 50_000;
const walkAtOnce = 1_000;

export interface CreatorsDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: Pick<Counters, 'onChanges'>;
}

interface Events {
  posts: number;
  weight: number;
}

/**
 * Who publishes how often, how much attention they draw, and the level that follows.
 *
 * Follows and views come from the folds of the counters: those have already combined a rush into one number for each
 * account and video, whereas the change feed would bring each row, and views have none. Mentions are in no counter; the
 * change feed reads comments anyway. Posts are told by whoever announces them. All is added up in the process
 * and written every few seconds, one row for each creator: a crash forgets that much of rates that fade within hours.
 */
export class Creators implements ChangeConsumer {
  readonly name = 'timeline-creators';
  readonly tables = [{ table: 'comment' }];
  readonly #deps: CreatorsDeps;
  readonly #said: Occasionally;
  #accounts = new Map<string, Events>();
  #views = new Map<string, number>();
  #timer: Disposable | undefined;
  #writing: Promise<void> = Promise.resolve();
  #uncounted = 0;
  #steps = 0;

  constructor(deps: CreatorsDeps) {
    this.#deps = deps;
    this.#said = new Occasionally(deps.clock, 60_000);
    deps.counters.onChanges(['followers', 'views'], (folded) => {
      for (const { id, metric, delta } of folded) {
        if (delta <= 0) continue;
        if (metric === METRICS.views) this.#noteViews(id, delta);
        else this.#note(id, 0, delta * HEAT_WEIGHTS.follow);
      }
    });
  }

  /** After the commit of what these accounts have published: one for each entry. */
  notePosts(authorIds: Iterable<string>): void {
    for (const id of authorIds) this.#note(id, 1, 0);
  }

  /** A comment that is handled twice after a crash makes its mentions a little hotter. */
  async handle({ rows }: ChangeBatch): Promise<void> {
    for (const { operation, after } of rows) {
      const mentions = after?.['mentions'];
      if (operation !== 'insert' || !Array.isArray(mentions)) continue;
      for (const id of mentions) this.#note(String(id), 0, HEAT_WEIGHTS.mention);
    }
  }

  /** Heat that was missed has passed by itself soon; posts and followers are counted from their rows. */
  async rebuild(signal: AbortSignal): Promise<void> {
    await recountPosts(this.#deps.db, new Date(this.#deps.clock.nowMs()), signal);
    await this.#step(await unratedCreators(this.#deps.db, signal));
  }

  start(): void {
    const { clock, log } = this.#deps;
    this.#timer ??= clock.every(flushEveryMs, () =>
      this.flush().catch((error: unknown) =>
        this.#said.say('flush', () => log.warn({ err: error }, 'rates of creators were not written')),
      ),
    );
  }

  /** Writes what waits, and lets those rise who have become larger. */
  flush(): Promise<void> {
    const writing = this.#writing.then(() => this.#flush());
    this.#writing = writing.catch(() => undefined);
    return writing;
  }

  async stop(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    await this.flush();
  }

  /** Large creators whose heat has faded, or whose followers went. On one node, each minute. */
  async walkLevels(signal: AbortSignal): Promise<void> {
    let after = '0';
    for (;;) {
      const creators = await largeCreators(this.#deps.db, after, walkAtOnce, signal);
      await this.#step(creators);
      const last = creators.at(-1);
      if (!last || creators.length < walkAtOnce) return;
      after = last.accountId;
    }
  }

  exportTo(metrics: Metrics): void {
    metrics.counter('timeline_level_steps_total', 'Levels of creators changed by this process', [], () => [
      [{}, this.#steps],
    ]);
    metrics.counter(
      'timeline_creator_events_uncounted_total',
      'Posts, follows, views and mentions not counted because too many waited',
      [],
      () => [[{}, this.#uncounted]],
    );
  }

  #note(accountId: string, posts: number, weight: number): void {
    const events = this.#accounts.get(accountId);
    if (events) {
      events.posts += posts;
      events.weight += weight;
    } else if (this.#accounts.size < maxWaiting) this.#accounts.set(accountId, { posts, weight });
    else this.#uncounted += 1;
  }

  #noteViews(videoId: string, views: number): void {
    const before = this.#views.get(videoId);
    if (before === undefined && this.#views.size >= maxWaiting) this.#uncounted += views;
    else this.#views.set(videoId, (before ?? 0) + views);
  }

  async #flush(): Promise<void> {
    while (this.#accounts.size + this.#views.size > 0) {
      const accounts = takeSome(this.#accounts);
      const views = takeSome(this.#views);
      try {
        await this.#step(
          await writeEvents(this.#deps.db, new Date(this.#deps.clock.nowMs()), {
            accounts: accounts.map(([id, events]) => ({ id, ...events })),
            views: views.map(([id, count]) => ({ id, weight: count * HEAT_WEIGHTS.view })),
          }),
        );
      } catch (error) {
        for (const [id, { posts, weight }] of accounts) this.#note(id, posts, weight);
        for (const [id, count] of views) this.#noteViews(id, count);
        throw error;
      }
    }
  }

  async #step(creators: readonly Measured[]): Promise<void> {
    const nowMs = this.#deps.clock.nowMs();
    const steps = creators.flatMap((creator) => {
      const heat = decayed(HEAT, creator.heat, creator.ratedAt.getTime(), nowMs);
      const to = nextLevel(
        creator.level,
        { followers: creator.followers, heat },
        nowMs - creator.levelAt.getTime(),
      );
      return to === creator.level ? [] : [{ accountId: creator.accountId, from: creator.level, to }];
    });
    if (steps.length > 0) this.#steps += await setLevels(this.#deps.db, steps, new Date(nowMs));
  }
}

function takeSome<V>(map: Map<string, V>): [string, V][] {
  const some: [string, V][] = [];
  for (const entry of map) {
    if (some.length >= maxAtOnce) break;
    some.push(entry);
  }
  for (const [id] of some) map.delete(id);
  return some;
}
