import { afterAll, beforeAll, expect, test } from 'bun:test';
import fc from 'fast-check';
import { LAST_ORDINAL, positionOf, type RowChange } from '../../src/ports/change-feed/port.ts';
import { type RunningApplication, runApplication } from '../support/application.ts';
import { Snowflakes } from '../support/snowflakes.ts';

/** Changes are handed to the consumer here, in batches of any size, some of them twice; the feed itself is closed. */
let t: RunningApplication;
const ids = new Snowflakes();
const signal = new AbortController().signal;
let turn = 0n;

beforeAll(async () => {
  t = await runApplication();
  await t.features.changes.close();
}, 60_000);
afterAll(() => t[Symbol.asyncDispose]());

const CROWD = 4;
const person = fc.nat(CROWD - 1);
type Step =
  | { kind: 'like' | 'unlike' | 'follow' | 'unfollow'; by: number; to: number }
  | { kind: 'say'; by: number; to: number; mentions: number[]; answers: number | undefined }
  | { kind: 'delete'; which: number }
  | { kind: 'read'; by: number }
  | { kind: 'flush'; twice: boolean }
  | { kind: 'rebuild' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'like' as const,
        'like' as const,
        'unlike' as const,
        'follow' as const,
        'unfollow' as const,
      ),
      by: person,
      to: person,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('say' as const),
      by: person,
      to: person,
      mentions: fc.uniqueArray(person, { maxLength: 2 }),
      answers: fc.option(fc.nat(20), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), which: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), by: person }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('flush' as const), twice: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rebuild' as const) }) },
);

interface Remark {
  readonly id: string;
  readonly by: number;
  readonly video: number;
}

interface Act {
  readonly key: string;
  readonly by: number;
  readonly group: number;
}

interface Group {
  readonly to: number;
  readonly about: string;
  read: boolean;
}

/** What is there, and what has been told, as plain lists. */
class Model {
  /** Likes, follows and comments that are there, with whom they concern and in which group they go. */
  readonly there = new Map<string, { by: number; told: { to: number; about: string }[] }>();
  readonly touched = new Set<string>();
  readonly groups: Group[] = [];
  readonly acts: Act[] = [];

  flush(): void {
    for (const key of this.touched) this.#tell(key);
    this.touched.clear();
  }

  rebuild(): void {
    for (const key of this.there.keys()) this.#tell(key);
  }

  #tell(key: string): void {
    const { by, told } = this.there.get(key) ?? { by: -1, told: [] };
    for (const { to, about } of told) {
      if (to === by || this.acts.some((act) => act.key === key && this.groups[act.group]?.to === to))
        continue;
      let group = this.groups.findIndex((each) => each.to === to && each.about === about && !each.read);
      if (group < 0) group = this.groups.push({ to, about, read: false }) - 1;
      this.acts.push({ key, by, group });
    }
  }

  /** Also what nobody stands in any more is read, and takes no more acts. */
  read(by: number): void {
    for (const group of this.groups) if (group.to === by) group.read = true;
  }

  inbox(to: number): string[] {
    return this.groups
      .flatMap((group, at) => {
        if (group.to !== to) return [];
        const acts = this.acts.filter((act) => act.group === at && this.there.has(act.key));
        const actors = [...new Set(acts.map(({ by }) => by))].toSorted();
        return actors.length === 0 ? [] : [`${group.about} ${actors} ${group.read}`];
      })
      .toSorted();
  }
}

class World {
  readonly model = new Model();
  readonly people: string[] = [];
  readonly videos: string[] = [];
  readonly remarks: Remark[] = [];
  #changes: RowChange[] = [];

  static async create(): Promise<World> {
    const world = new World();
    for (let n = 0; n < CROWD; n++) {
      const username = `p${crypto.randomUUID().slice(0, 12).replaceAll('-', '')}`;
      const id = await t.features.accounts.registration.create({ username, password: null });
      const videoId = ids.next();
      await t.db.sql`
        insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
        values (${videoId}, ${id}, 'A clip', '', '{}', 'public', 'ready', ${videoId}, 1000, 360, 640)`;
      world.people.push(id);
      world.videos.push(videoId);
    }
    return world;
  }

  async take(step: Step): Promise<void> {
    const { sql } = t.db;
    if (step.kind === 'say') return this.#say(step);
    if (step.kind === 'delete') return this.#delete(step.which);
    if (step.kind === 'flush') return this.flush(step.twice);
    if (step.kind === 'rebuild') {
      await t.features.notifications.consumer.rebuild(signal);
      return this.model.rebuild();
    }
    if (step.kind === 'read') {
      await t.features.notifications.inbox.read(this.people[step.by]!, {});
      return this.model.read(step.by);
    }
    const { by, to, kind } = step;
    const [actor, other, video] = [this.people[by]!, this.people[to]!, this.videos[to]!];
    const isLike = kind === 'like' || kind === 'unlike';
    if (!isLike && by === to) return;
    const key = isLike ? `like ${by} ${to}` : `follow ${by} ${to}`;
    if (kind === 'like')
      await sql`
        insert into video_like (id, account_id, video_id, created_at) values (${ids.next()}, ${actor}, ${video}, now())
        on conflict do nothing`;
    else if (kind === 'unlike')
      await sql`delete from video_like where account_id = ${actor} and video_id = ${video}`;
    else if (kind === 'follow')
      await sql`
        insert into follow (id, follower_id, followee_id, created_at) values (${ids.next()}, ${actor}, ${other}, now())
        on conflict do nothing`;
    else await sql`delete from follow where follower_id = ${actor} and followee_id = ${other}`;
    const isThere = kind === 'like' || kind === 'follow';
    if (isThere)
      this.model.there.set(key, { by, told: [{ to, about: isLike ? `like ${video}` : 'follow' }] });
    else this.model.there.delete(key);
    this.model.touched.add(key);
    const row = isLike ? { video_id: video, account_id: actor } : { followee_id: other, follower_id: actor };
    this.#change(isLike ? 'video_like' : 'follow', isThere, row);
  }

  async #say({ by, to, mentions, answers }: Step & { kind: 'say' }): Promise<void> {
    const id = ids.next();
    const onVideo = this.remarks.filter(({ video }) => video === to);
    const answered = answers === undefined ? undefined : onVideo[answers % Math.max(1, onVideo.length)];
    await t.db.sql`
      insert into comment (id, video_id, author_id, reply_to, text, mentions, created_at)
      values (${id}, ${this.videos[to]}, ${this.people[by]}, ${answered?.id ?? null}, 'x',
        ${t.db.sql.array(
          mentions.map((n) => this.people[n]),
          'int8',
        )}, now())`;
    const told = new Map<number, string>();
    if (answered) told.set(answered.by, `reply ${this.videos[to]}-${answered.id}`);
    for (const n of mentions) if (!told.has(n)) told.set(n, `mention ${this.videos[to]}-${id}`);
    if (!told.has(to)) told.set(to, `comment ${this.videos[to]}`);
    const key = `comment ${id}`;
    this.model.there.set(key, { by, told: [...told].map(([to, about]) => ({ to, about })) });
    this.model.touched.add(key);
    this.remarks.push({ id, by, video: to });
    this.#change('comment', true, { id });
  }

  async #delete(which: number): Promise<void> {
    const at = which % Math.max(1, this.remarks.length);
    const remark = this.remarks[at];
    if (!remark) return;
    // Once it is gone nobody can see whom an answer to it concerned: what is pending is told before.
    await this.flush(false);
    await t.db.sql`delete from comment where id = ${remark.id}`;
    this.remarks.splice(at, 1);
    this.model.there.delete(`comment ${remark.id}`);
  }

  #change(table: string, isInsert: boolean, row: Record<string, unknown>): void {
    const ordinal = this.#changes.length;
    this.#changes.push({
      ...{ table, ordinal, operation: isInsert ? 'insert' : 'delete' },
      ...(isInsert ? { before: undefined, after: row } : { before: row, after: undefined }),
    });
  }

  async flush(twice: boolean): Promise<void> {
    const rows = this.#changes;
    this.#changes = [];
    turn += 1n;
    const position = positionOf('9', turn, LAST_ORDINAL);
    const transactions = [{ position, committedAtMs: 0, isLastPart: true, rows }];
    const batch = { position, transactions, rows };
    for (let time = 0; time < (twice ? 2 : 1); time++)
      await t.features.notifications.consumer.handle(batch, signal);
    this.model.flush();
  }

  async inbox(of: number): Promise<string[]> {
    const page = await t.features.notifications.inbox.page(this.people[of]!, { limit: 100 });
    const answered = await t.db.sql<{ id: string; subject: string }>`
      select id, subject_id as subject from notification where recipient_id = ${this.people[of]}`;
    const subjects = new Map(answered.map(({ id, subject }) => [id, subject]));
    return page.items
      .map(({ id, kind, video, actors, count, read }) => {
        const subject = kind === 'reply' || kind === 'mention' ? `-${subjects.get(id)}` : '';
        const about = video ? `${kind} ${video.id}${subject}` : kind;
        const shown = actors.map((actor) => this.people.indexOf(actor.id)).toSorted();
        expect(count).toBe(shown.length);
        return `${about} ${shown} ${read}`;
      })
      .toSorted();
  }
}

test('after any acts, in any batches, everybody is told what a plain list says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const world = await World.create();
      for (const each of steps) await world.take(each);
      await world.flush(true);
      for (let of = 0; of < CROWD; of++)
        expect([of, await world.inbox(of)]).toEqual([of, world.model.inbox(of)]);
    }),
    { numRuns: 25 },
  );
}, 120_000);
