import { afterAll, beforeAll, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Stage } from '../../src/features/timeline/publishing/queue.ts';
import type { Entry } from '../../src/ports/timeline-store/port.ts';
import { type FanOutWorld, openFanOutWorld, type Process } from '../support/fan-out-world.ts';

/**
 * Random histories of publishing, deleting, following, turning edges, losing inboxes and building them anew, and of
 * workers that fail or die between any two steps, alone or two at a time. After each step: what is out of flight is in
 * every inbox that is trusted. At the end everything is out of flight.
 */
let w: FanOutWorld;
beforeAll(async () => {
  w = await openFanOutWorld();
}, 60_000);
afterAll(() => w[Symbol.asyncDispose]());

const readerCount = 6;
const authorCount = 2;
const settings = { small: 1, chunk: 2, stride: 2, keepMs: 0, freshAtOnce: 2, largeAtOnce: 2, maxAttempts: 3 };

const edge = fc.record({ reader: fc.nat(readerCount - 1), author: fc.nat(authorCount - 1) });
/** After so many steps of the process it fails, or dies. */
const trouble = fc.option(fc.record({ after: fc.nat(12), dies: fc.boolean() }), { nil: undefined });
const work = fc.record({
  what: fc.constantFrom<Stage | 'removal'>('fresh', 'fresh', 'large', 'rest', 'done', 'removal'),
  times: fc.integer({ min: 1, max: 4 }),
  trouble,
});

type Work = { what: Stage | 'removal'; times: number; trouble: { after: number; dies: boolean } | undefined };
type Act =
  | { kind: 'publish'; author: number }
  | { kind: 'delete'; which: number }
  | { kind: 'work'; works: Work[] }
  | { kind: 'pass' | 'read' | 'cut' | 'lose' | 'beginRebuild' | 'endRebuild'; reader: number }
  | {
      kind: 'follow' | 'unfollow' | 'promote1' | 'promote2' | 'promote3' | 'demote1' | 'demote2';
      edge: { reader: number; author: number };
    };

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('publish' as const), author: fc.nat(authorCount - 1) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), which: fc.nat(20) }) },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('work' as const),
      works: fc.array(work, { minLength: 1, maxLength: 2 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        ...(['pass', 'pass', 'pass', 'read', 'read', 'read', 'cut'] as const),
        ...(['lose', 'beginRebuild', 'endRebuild', 'endRebuild'] as const),
      ),
      reader: fc.nat(readerCount - 1),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        ...(['follow', 'unfollow', 'promote1', 'promote2', 'promote3', 'demote1', 'demote2'] as const),
      ),
      edge,
    }),
  },
);

class Killed extends Error {}

/** One history. The rows and the store are the truth; what is kept here is what somebody in the middle of a change knows. */
class History {
  readonly readers: string[] = [];
  readonly authors: string[] = [];
  readonly published: Entry[] = [];
  readonly deleted = new Set<string>();
  readonly #promotions = new Map<string, { version: string; isCopied: boolean }>();
  readonly #rebuilds = new Map<number, { token: string; entries: Entry[] }>();
  #processes: Process[] = [];
  #troubles: { left: number; dies: boolean; isDead: boolean }[] = [];

  static async begin(modes: readonly number[]): Promise<History> {
    const history = new History();
    await w.db.sql`delete from fanout`;
    await w.db.sql`delete from timeline_removal`;
    w.cut.clear();
    w.announced.length = 0;
    for (let i = 0; i < authorCount; i++) history.authors.push(await w.person());
    for (const author of history.authors) await w.begin('outbox', author);
    for (let i = 0; i < readerCount; i++) {
      const id = await w.person();
      history.readers.push(id);
      await w.begin('inbox', id);
      if (i % 2 === 0) await w.readAt(id, 2);
      for (const [at, author] of history.authors.entries())
        await w.follow(id, author, (modes[i * authorCount + at] ?? 0) as 0 | 1 | 2);
    }
    history.#processes = [history.#process(0), history.#process(1)];
    return history;
  }

  #process(at: number): Process {
    const state = { left: Number.POSITIVE_INFINITY, dies: false, isDead: false };
    this.#troubles[at] = state;
    return w.process(() => {
      if (state.isDead) throw new Killed();
      if (state.left-- > 0) return;
      state.left = Number.POSITIVE_INFINITY;
      state.isDead = state.dies;
      throw new Killed();
    }, settings);
  }

  async do(act: Act): Promise<void> {
    switch (act.kind) {
      case 'publish':
        this.published.push(await w.publish(this.authors[act.author]!));
        return;
      case 'delete':
        return this.#delete(this.published[act.which % Math.max(1, this.published.length)]);
      case 'work':
        await Promise.all(act.works.map((work, at) => this.#work(at, work)));
        return;
      case 'pass':
        return w.pass();
      case 'read':
        return w.readAt(this.readers[act.reader]!, 0);
      case 'cut':
        return this.#cut(this.readers[act.reader]!);
      case 'lose':
        return w.store.drop([{ kind: 'inbox', ownerId: this.readers[act.reader]! }]);
      case 'beginRebuild':
        return this.#beginRebuild(act.reader);
      case 'endRebuild':
        return this.#endRebuild(act.reader);
      default:
        return this.#turn(act.kind, this.readers[act.edge.reader]!, this.authors[act.edge.author]!);
    }
  }

  async #work(at: number, { what, times, trouble }: Work): Promise<void> {
    const state = this.#troubles[at]!;
    state.left = trouble?.after ?? Number.POSITIVE_INFINITY;
    state.dies = trouble?.dies ?? false;
    const { fanOut, removals } = this.#processes[at]!;
    try {
      const turn = () => (what === 'removal' ? removals.turn() : fanOut.turn(what));
      for (let time = 0; time < times && (await turn()); time++);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
    if (state.isDead) this.#processes[at] = this.#process(at);
    else state.left = Number.POSITIVE_INFINITY;
  }

  #cut(reader: string): void {
    if (!w.cut.delete(reader)) w.cut.add(reader);
  }

  async #delete(entry: Entry | undefined): Promise<void> {
    if (!entry || this.deleted.has(entry.key)) return;
    this.deleted.add(entry.key);
    await w.db.transaction(async (tx) => {
      await this.#processes[0]!.outboxes.withdraw(tx, [entry.videoId]);
      await tx`delete from video where id = ${entry.videoId}`;
    });
  }

  async #entriesOf(authorIds: readonly string[]): Promise<Entry[]> {
    const { sql } = w.db;
    return sql<Entry>`
      select feed_key as key, author_id as "authorId", id as "videoId" from video
      where author_id = any(${sql.array(authorIds, 'int8')}) order by feed_key desc`;
  }

  async #beginRebuild(reader: number): Promise<void> {
    const ownerId = this.readers[reader]!;
    const token = await w.store.begin({ kind: 'inbox', ownerId }, 1_000);
    const edges = await w.db.sql<{ id: string }>`
      select followee_id as id from follow where follower_id = ${ownerId} and mode > 0`;
    this.#rebuilds.set(reader, { token, entries: await this.#entriesOf(edges.map(({ id }) => id)) });
  }

  async #endRebuild(reader: number): Promise<void> {
    const rebuild = this.#rebuilds.get(reader);
    if (!rebuild) return;
    this.#rebuilds.delete(reader);
    const { token, entries } = rebuild;
    const shelf = { kind: 'inbox' as const, ownerId: this.readers[reader]! };
    await w.store.merge(shelf, { entries, completeDownTo: '0', token, isLast: true });
  }

  async #turn(kind: string, reader: string, author: string): Promise<void> {
    const { sql } = w.db;
    const name = `${reader} ${author}`;
    const known = this.#promotions.get(name);
    if (kind === 'follow')
      await sql`
      insert into follow (id, follower_id, followee_id, created_at) values (${w.ids.next()}, ${reader}, ${author}, now())
      on conflict do nothing`;
    if (kind === 'unfollow')
      await sql`delete from follow where follower_id = ${reader} and followee_id = ${author}`;
    if (kind === 'demote1') await this.#mode(reader, author, 2, 1);
    if (kind === 'demote2') await this.#mode(reader, author, 1, 0);
    if (kind === 'promote1') {
      const version = await this.#mode(reader, author, 0, 1);
      if (version) this.#promotions.set(name, { version, isCopied: false });
    }
    if (kind === 'promote2' && known) {
      const entries = await this.#entriesOf([author]);
      const merged = await w.store.merge(
        { kind: 'inbox', ownerId: reader },
        { entries, completeDownTo: '0' },
      );
      this.#promotions.set(name, { ...known, isCopied: merged });
    }
    if (kind === 'promote3' && known?.isCopied) {
      this.#promotions.delete(name);
      await this.#mode(reader, author, 1, 2, known.version);
    }
  }

  /** One step, of the row that was read if a version is given. Answers the new row's. */
  async #mode(reader: string, author: string, from: number, to: number, version?: string) {
    const { sql } = w.db;
    const [row] = await sql<{ version: string }>`
      update follow set mode = ${to} where follower_id = ${reader} and followee_id = ${author} and mode = ${from}
        and (${version ?? null}::text is null or xmin::text = ${version ?? null})
      returning xmin::text as version`;
    return row?.version;
  }

  /** What is out of flight is in the outbox, and in every inbox that is trusted for its author. */
  async check(): Promise<void> {
    const inFlight = new Set(await w.inFlight());
    const settled = this.published.filter(({ key }) => !inFlight.has(key) && !this.deleted.has(key));
    const edges = await w.db.sql<{ reader: string; author: string }>`
      select follower_id as reader, followee_id as author from follow where mode = 2
        and followee_id = any(${w.db.sql.array(this.authors, 'int8')})`;
    const wanted = [
      ...edges.map(({ reader, author }) => ({ shelf: { kind: 'inbox' as const, ownerId: reader }, author })),
      ...this.authors.map((author) => ({ shelf: { kind: 'outbox' as const, ownerId: author }, author })),
    ];
    const pages = await w.store.read(wanted.map(({ shelf }) => ({ shelf, limit: 1_000 })));
    for (const [at, { shelf, author }] of wanted.entries()) {
      if (pages[at]!.state !== 'ready') continue;
      const held = new Set(pages[at]!.entries.map(({ key }) => key));
      const missing = settled.filter(({ key, authorId }) => authorId === author && !held.has(key));
      expect({ shelf, missing }).toEqual({ shelf, missing: [] });
    }
  }

  /** Workers that nothing happens to any more. */
  async end(): Promise<void> {
    const { fanOut, removals } = this.#process(0);
    const isLeft = async () =>
      (await w.inFlight()).length > 0 || (await w.db.sql`select 1 from timeline_removal`).length > 0;
    for (let turns = 0; await isLeft(); turns++) {
      if (turns > 300) throw new Error('it does not end');
      await w.pass();
      for (const stage of ['fresh', 'large', 'rest', 'done'] as const) await fanOut.turn(stage);
      await removals.turn();
    }
    for (const { key } of this.published) {
      const facts = w.announced.filter(({ text }) => text.split(':')[0] === key);
      expect(facts.at(-1)?.kind).toBe('settled');
      if (!this.deleted.has(key)) expect(facts.at(0)?.kind).toBe('entry');
    }
  }
}

test('nothing leaves flight before it is in every inbox that is trusted', async () => {
  const modes = fc.array(fc.constantFrom(0, 1, 2, 2), {
    minLength: readerCount * authorCount,
    maxLength: readerCount * authorCount,
  });
  await fc.assert(
    fc.asyncProperty(modes, fc.array(act, { minLength: 30, maxLength: 90 }), async (modes, acts) => {
      const history = await History.begin(modes);
      for (const act of acts) {
        await history.do(act);
        await history.check();
      }
      await history.end();
      await history.check();
    }),
    { numRuns: 60, endOnFailure: true },
  );
}, 240_000);
