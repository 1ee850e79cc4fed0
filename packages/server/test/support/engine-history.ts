import type { VideoVisibility } from '@hvideo/protocol';
import { FanOut } from '../../src/features/timeline/publishing/fan-out.ts';
import type { Stage } from '../../src/features/timeline/publishing/queue.ts';
import { Removals } from '../../src/features/timeline/publishing/removal.ts';
import { OutboxShelves } from '../../src/features/timeline/reading/outbox-shelves.ts';
import { EDGE_MODES } from '../../src/features/timeline/tuning/edge-mode.ts';
import { type Edge, Flips } from '../../src/features/timeline/tuning/flips.ts';
import { Inboxes } from '../../src/features/timeline/tuning/inbox.ts';
import { systemClock as clock } from '../../src/kernel/clock.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { smallestIdAt } from '../../src/kernel/ids.ts';
import type { Idempotency } from '../../src/ports/database/port.ts';
import { testLog as log } from './database.ts';
import type { EngineWorld } from './engine-world.ts';
import { FeedModel, type ModelVideo } from './feed-model.ts';

export const PEOPLE = 4;
/** Small, so that inboxes are cut and readers go on below them. */
const capacities = [1, 2, 5, 30];
/** Every follower is a stretch of its own. */
const settings = { small: 1, chunk: 1, stride: 1, retryMs: 0 };
const dayMs = 86_400_000;

export type Change =
  | { readonly kind: 'publish'; readonly by: number; readonly visibility: VideoVisibility }
  | { readonly kind: 'delete' | 'takedown'; readonly video: number }
  | { readonly kind: 'change'; readonly video: number; readonly visibility: VideoVisibility }
  | { readonly kind: 'repost' | 'unrepost'; readonly by: number; readonly video: number }
  | { readonly kind: EdgeChange; readonly pair: readonly [number, number] }
  | { readonly kind: 'suspend' | 'unsuspend'; readonly by: number };
type EdgeChange = 'follow' | 'unfollow' | 'mute' | 'unmute' | 'block' | 'unblock';

export type Work =
  | { readonly kind: 'promote' | 'demote'; readonly reader: number; readonly author?: number }
  | { readonly kind: 'rebuild'; readonly reader: number }
  | { readonly kind: 'share'; readonly author: number }
  | { readonly kind: 'turn'; readonly stage: Stage; readonly worker: number }
  | { readonly kind: 'remove'; readonly worker: number };

/** What a change has done, for a model; known when it is acknowledged. */
export type Effect = (model: FeedModel) => void;

/** A change that is begun: what it touches, so that nothing else touches it meanwhile. */
export interface Begun {
  readonly touches: string;
  readonly run: () => Promise<Effect>;
}

const nothing: Effect = () => {};

/** Some people, what they do, and the workers behind it. */
export class History {
  readonly people: readonly string[];
  /** What was acknowledged. */
  model = new FeedModel();
  readonly #world: EngineWorld;
  readonly #workers: { fanOut: FanOut; removals: Removals }[];

  private constructor(world: EngineWorld, people: readonly string[]) {
    this.#world = world;
    this.people = people;
    this.#workers = [0, 1].map((at) => this.#newWorker(at));
  }

  /** People who all follow each other, and have read lately or long ago. */
  static async begin(world: EngineWorld): Promise<History> {
    const [{ graph }] = world.nodes;
    world.trouble.refused = 0;
    const people = await Promise.all(Array.from({ length: PEOPLE }, () => graph.person()));
    const history = new History(world, people);
    for (const [at, id] of people.entries()) {
      await world.rows.sql`
        insert into feed_reader (account_id, reads_per_day, rated_at, last_read_at, inbox_capacity)
        values (${id}, 1, now(), now() - ${at} * interval '20 hours', ${capacities[at % capacities.length]!})`;
      await world.rows.sql`
        insert into feed_creator (account_id, rated_at, level, level_at) values (${id}, now(), 1, now())`;
      for (const [other, otherId] of people.entries()) {
        if (other === at) continue;
        await graph.follow(id, otherId);
        history.model.follows.add(`${at}-${other}`);
      }
    }
    return history;
  }

  /** Undefined when there is nothing to change. */
  prepare(change: Change, at: number): Begun | undefined {
    if ('pair' in change) return this.#edge(change.kind, change.pair, at);
    if (change.kind === 'publish')
      return { touches: 'nothing', run: () => this.#publish(change.by, change.visibility, at) };
    if (!('video' in change))
      return {
        touches: `person ${change.by}`,
        run: () => this.#suspend(change.by, change.kind === 'suspend', at),
      };
    const alive = this.model.videos.filter(({ gone }) => !gone);
    const video = alive[change.video % Math.max(1, alive.length)];
    if (!video) return undefined;
    return { touches: `video ${video.id}`, run: () => this.#video(change, video, at) };
  }

  /** Carries out a change while nothing else happens. */
  async change(change: Change, at: number): Promise<void> {
    const effect = await this.prepare(change, at)?.run();
    effect?.(this.model);
  }

  /** What could not be announced ends there, as by a crash. */
  work(work: Work, at: number): Promise<void> {
    return this.#work(work, at).catch((error: unknown) => {
      if (!isRefusal(error)) throw error;
    });
  }

  async #work(work: Work, at: number): Promise<void> {
    const { db, store, nodes } = this.#world;
    const { announcements } = nodes[at % 2]!;
    if (work.kind === 'turn') await this.#workers[work.worker]!.fanOut.turn(work.stage);
    else if (work.kind === 'remove') await this.#workers[work.worker]!.removals.turn();
    else if (work.kind === 'share') {
      const shelves = new OutboxShelves({ db, store });
      shelves.noteMissed([this.people[work.author]!]);
      await shelves.turn();
    } else if (work.kind === 'rebuild')
      await new Inboxes({ db, store, clock, log }).rebuild(this.people[work.reader]!);
    else {
      const flips = new Flips({ db, store, announcements });
      const edges = await this.#edges(this.people[work.reader]!, this.people[work.author ?? -1]);
      await (work.kind === 'promote' ? flips.promote(edges) : flips.demote(edges));
    }
  }

  /** What the worker holds is nobody's until its leases end. */
  replaceWorker(worker: number): void {
    this.#workers[worker] = this.#newWorker(worker);
  }

  /** Until everything has arrived, and nothing is in flight on any node. */
  async finish(): Promise<void> {
    const { rows, pass, nodes } = this.#world;
    const isLeft = async () =>
      (await rows.sql`select 1 from fanout union all select 1 from timeline_removal limit 1`).length > 0;
    for (let turns = 0; await isLeft(); turns++) {
      if (turns > 300) throw new Error('it does not end');
      await pass();
      for (const stage of ['fresh', 'large', 'rest', 'done'] as const)
        await this.work({ kind: 'turn', stage, worker: 0 }, 0);
      await this.work({ kind: 'remove', worker: 0 }, 0);
    }
    for (const { announcements, timeline } of nodes) {
      await announcements.catchUp();
      if (timeline.reading.inFlight.size > 0) throw new Error('something stays in flight');
    }
  }

  #newWorker(at: number) {
    const { db, store, nodes } = this.#world;
    const { announcements, outboxes, ids } = nodes[at % 2]!;
    const deps = { db, store, announcements, outboxes, worker: ids.next(), clock, log };
    return {
      fanOut: new FanOut({ ...deps, settings }),
      removals: new Removals({ ...deps, settings: { retryMs: 0 } }),
    };
  }

  async #edges(readerId: string, authorId: string | undefined): Promise<Edge[]> {
    const { sql } = this.#world.rows;
    const rows = await sql<{ readerId: string; authorId: string; mode: number; version: string }>`
      select follower_id as "readerId", followee_id as "authorId", mode, xmin::text as version from follow
      where follower_id = ${readerId} and (${authorId === undefined} or followee_id = ${authorId ?? '0'})`;
    return rows.map(({ mode, ...rest }) => ({ ...rest, mode: EDGE_MODES[mode]! }));
  }

  #edge(kind: EdgeChange, [a, b]: readonly [number, number], at: number): Begun | undefined {
    const { blocks } = this.model;
    const edge = `${a}-${b}`;
    // A follow across a block is refused by the graph.
    if (kind === 'follow' && (blocks.has(edge) || blocks.has(`${b}-${a}`))) return undefined;
    const run = async (): Promise<Effect> => {
      const { graph } = this.#world.nodes[at % 2]!;
      await acknowledged(this.people[a]!, () => graph[kind](this.people[a]!, this.people[b]!));
      return (model) => {
        if (kind === 'follow') model.follows.add(edge);
        if (kind === 'unfollow') model.follows.delete(edge);
        if (kind === 'mute') model.mutes.add(edge);
        if (kind === 'unmute') model.mutes.delete(edge);
        if (kind === 'unblock') model.blocks.delete(edge);
        if (kind === 'block') model.block(a, b);
      };
    };
    return { touches: `pair ${Math.min(a, b)}-${Math.max(a, b)}`, run };
  }

  async #suspend(by: number, isSuspended: boolean, at: number): Promise<Effect> {
    const { graph } = this.#world.nodes[at % 2]!;
    await acknowledged(this.people[by]!, () => graph.suspend(this.people[by]!, isSuspended));
    return ({ suspended }) => {
      if (isSuspended) suspended.add(by);
      else suspended.delete(by);
    };
  }

  /** A public video of long ago, which arrived everywhere then. */
  async publishAt(by: number, timeMs: number): Promise<void> {
    const key = smallestIdAt(timeMs);
    await this.#world.rows.sql`
      insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
      values (${key}, ${this.people[by]!}, 'T', '', '{}', 'public', 'ready', ${key}, 1000, 320, 180)`;
    const published = { playable: true, due: true, gone: false, visibility: 'public' } as const;
    this.model.videos.push({ id: key, by, key: BigInt(key), ...published });
  }

  /** By the change that makes a scheduled video due at once. */
  async #publish(by: number, visibility: VideoVisibility, at: number): Promise<Effect> {
    const { ids, videos } = this.#world.nodes[at % 2]!;
    const id = ids.next();
    const author = this.people[by]!;
    await this.#world.rows.sql`
      insert into video (id, author_id, title, description, tags, visibility, status, publish_at, duration_ms, width, height)
      values (${id}, ${author}, 'T', '', '{}', ${visibility}, 'playable', ${new Date(Date.now() + dayMs)}, 1000, 320, 180)`;
    await acknowledged(author, (once) => videos.writes.update(author, id, { publishAt: null }, once));
    const key = await this.#feedKey(id);
    return ({ videos: all }) => {
      all.push({ id, by, visibility, playable: true, due: true, gone: false, key });
    };
  }

  async #video(
    change: Extract<Change, { video: number }>,
    { id, by }: ModelVideo,
    at: number,
  ): Promise<Effect> {
    const { engagement, videos } = this.#world.nodes[at % 2]!;
    const of = (model: FeedModel) => model.videos.find((video) => video.id === id)!;
    switch (change.kind) {
      case 'delete':
      case 'takedown':
        if (change.kind === 'delete')
          await acknowledged(this.people[by]!, (once) => videos.writes.delete(this.people[by]!, id, once));
        else
          await acknowledged(this.people[0]!, (once) =>
            videos.writes.takedown(this.people[0]!, id, 'No', once),
          );
        return (model) => {
          of(model).gone = true;
        };
      case 'change': {
        await acknowledged(this.people[by]!, (once) =>
          videos.writes.update(this.people[by]!, id, { visibility: change.visibility }, once),
        );
        const key = await this.#feedKey(id);
        return (model) => Object.assign(of(model), { visibility: change.visibility, key });
      }
      case 'unrepost':
        await acknowledged(this.people[change.by]!, (once) =>
          engagement.reposts.remove(this.people[change.by]!, id, once),
        );
        return (model) => model.unrepost(change.by, of(model));
      case 'repost': {
        const viewer = this.people[change.by]!;
        if (
          !(await isDone(acknowledged(viewer, (once) => engagement.reposts.add(viewer, id, undefined, once))))
        )
          return nothing;
        const [row] = await this.#world.rows.sql<{ id: string }>`
          select id from repost where video_id = ${id} and account_id = ${viewer}`;
        return (model) => {
          model.unrepost(change.by, of(model));
          model.reposts.push({ by: change.by, video: of(model), key: BigInt(row!.id) });
        };
      }
    }
  }

  async #feedKey(id: string): Promise<bigint | undefined> {
    const [row] = await this.#world.rows.sql<{ key: string | null }>`
      select feed_key as key from video where id = ${id}`;
    return row?.key ? BigInt(row.key) : undefined;
  }
}

let requests = 0;

/** Whoever is answered that the outcome is unknown asks again, under the same key. */
async function acknowledged(
  accountId: string,
  request: (once: Idempotency) => Promise<unknown>,
): Promise<void> {
  const once = { accountId, key: `request-${requests++}`, requestHash: '' };
  for (;;) {
    try {
      await request(once);
      return;
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }
}

const isRefusal = (error: unknown): boolean => error instanceof AppError && error.code === 'timeout';

/** False when what it is about is not there for them. */
async function isDone(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'not-found') return false;
    throw error;
  }
}
