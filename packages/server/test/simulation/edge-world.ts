import { announceEpochs, bumpEpochs, readEpoch } from '../../src/features/graph/index.ts';
import { EDGE_MODES } from '../../src/features/timeline/tuning/edge-mode.ts';
import { type Edge, Flips } from '../../src/features/timeline/tuning/flips.ts';
import { Inboxes } from '../../src/features/timeline/tuning/inbox.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { compareIds } from '../../src/kernel/ids.ts';
import type { Announcement } from '../../src/ports/announcements/port.ts';
import type { Database, Sql, SqlQuery } from '../../src/ports/database/port.ts';
import type { Entry, Merge, Shelf } from '../../src/ports/timeline-store/port.ts';
import { testLog } from '../support/database.ts';
import type { Graph } from '../support/graph.ts';
import { MemoryTimelineStore } from '../support/memory-timeline-store.ts';
import type { Snowflakes } from '../support/snowflakes.ts';

/** What is left out, to see that the checks notice. */
export type Fault = 'no-copy' | 'pull-before-announced' | 'begin-after-reading' | 'any-version';

export type Action =
  | { kind: 'promote' | 'demote' | 'follow' | 'unfollow'; reader: number; author: number }
  | { kind: 'promoteAll' | 'demoteAll' | 'rebuild'; reader: number }
  | { kind: 'publish' | 'repost'; author: number }
  | { kind: 'loseStore' };

export const READERS = 2;
export const AUTHORS = 2;
/** Small, so that floors rise. */
const capacity = 4;

interface Gate {
  readonly task: number;
  readonly label: string;
  open(): void;
}

/**
 * The real steps over real rows, in a world in which nothing happens by itself: every statement, transaction, call of the
 * store and announcement waits at a gate, and the test opens one at a time. After each, what a page could see is checked.
 */
export class EdgeWorld {
  readonly #db: Database;
  readonly #graph: Graph;
  readonly #ids: Snowflakes;
  readonly #fault: Fault | undefined;
  readonly #store = new MemoryTimelineStore();
  readonly #gates: Gate[] = [];
  readonly #inFlight = new Set<string>();
  readonly #acknowledged: Entry[] = [];
  /** Of each reader, the edges as a node has read them last; gone when a newer epoch was heard. */
  readonly #graphs = new Map<string, Map<string, { id: string; mode: number }>>();
  #readers: string[] = [];
  #authors: string[] = [];
  #tasks = 0;
  /** Tasks that run now: neither at a gate nor done. */
  #active = 0;
  #whenQuiet: (() => void) | undefined;
  readonly failures: unknown[] = [];
  readonly trace: string[] = [];

  constructor(db: Database, graph: Graph, ids: Snowflakes, fault?: Fault) {
    this.#db = db;
    this.#graph = graph;
    this.#ids = ids;
    this.#fault = fault;
  }

  async open(): Promise<void> {
    for (let at = 0; at < READERS; at++) this.#readers.push(await this.#graph.person());
    for (let at = 0; at < AUTHORS; at++) this.#authors.push(await this.#graph.person());
    for (const reader of this.#readers) {
      await this.#db.sql`
        insert into feed_reader (account_id, reads_per_day, rated_at, last_read_at, inbox_capacity)
        values (${reader}, 1, now(), now(), ${capacity})`;
      for (const author of this.#authors) await this.#graph.follow(reader, author);
    }
  }

  get waiting(): number {
    return this.#gates.length;
  }

  async begin(action: Action): Promise<void> {
    if (action.kind === 'loseStore') {
      this.trace.push('lose the store');
      this.#store.lose();
      return;
    }
    this.#tasks += 1;
    const task = this.#tasks;
    this.trace.push(`begin ${task}: ${JSON.stringify(action)}`);
    this.#active += 1;
    this.#carryOut(action, new Node(this, task))
      .catch((error: unknown) => this.failures.push(error))
      .finally(() => this.#rest());
    await this.#quiet();
  }

  /** Lets one step happen. */
  async step(which: number): Promise<void> {
    const [gate] = this.#gates.splice(which % this.#gates.length, 1);
    if (!gate) return;
    this.trace.push(`${gate.task} ${gate.label}`);
    this.#active += 1;
    gate.open();
    await this.#quiet();
  }

  /** Lets one task go on to its end, while all others stand still. */
  async through(which: number): Promise<void> {
    const task = this.#gates[which % this.#gates.length]?.task;
    for (;;) {
      const at = this.#gates.findIndex((gate) => gate.task === task);
      if (at < 0) return;
      await this.step(at);
      await this.check();
    }
  }

  /** The process of a flip or a rebuild dies before its next step. */
  crash(which: number): void {
    const at = this.#gates.findIndex(
      ({ label }, index) => index >= which % this.#gates.length && !label.startsWith('fan-out'),
    );
    const [gate] = at >= 0 ? this.#gates.splice(at, 1) : [];
    if (gate) this.trace.push(`crash of ${gate.task} before ${gate.label}`);
  }

  /** Every entry that was acknowledged and that a page takes from the inbox is there, or in flight. */
  async check(): Promise<void> {
    if (this.failures.length > 0) throw this.failures[0];
    for (const reader of this.#readers) {
      const graph = this.#graphs.get(reader) ?? (await this.#edgesOf(reader));
      this.#graphs.set(reader, graph);
      const [page] = await this.#store.read([{ shelf: { kind: 'inbox', ownerId: reader }, limit: 1_000 }]);
      if (page?.state !== 'ready') continue;
      const there = new Set(page.entries.map(({ key }) => key));
      for (const { key, authorId } of this.#acknowledged) {
        const edge = graph.get(authorId);
        if (edge?.mode !== 2 || compareIds(key, page.floor) < 0) continue;
        if (there.has(key) || this.#inFlight.has(key)) continue;
        // An unfollowing that is not announced yet may count or not.
        if ((await this.#edgesOf(reader)).get(authorId)?.id !== edge.id) continue;
        throw new Error(`lost ${key} of ${authorId} for ${reader}:\n${this.trace.join('\n')}`);
      }
    }
  }

  async #edgesOf(reader: string): Promise<Map<string, { id: string; mode: number }>> {
    const rows = await this.#db.sql<{ id: string; author: string; mode: number }>`
      select id, followee_id as author, mode from follow where follower_id = ${reader}`;
    return new Map(rows.map(({ author, ...edge }) => [author, edge]));
  }

  async pushedEdges(): Promise<number> {
    const [row] = await this.#db.sql<{ pushed: number }>`
      select count(*)::int4 as pushed from follow
      where follower_id = any(${this.#db.sql.array(this.#readers, 'int8')}) and mode = 2`;
    return row?.pushed ?? 0;
  }

  async edgeCount(): Promise<number> {
    const [row] = await this.#db.sql<{ edges: number }>`
      select count(*)::int4 as edges from follow
      where follower_id = any(${this.#db.sql.array(this.#readers, 'int8')})`;
    return row?.edges ?? 0;
  }

  async pass(task: number, label: string): Promise<void> {
    const opened = Promise.withResolvers<void>();
    this.#gates.push({ task, label, open: opened.resolve });
    this.#rest();
    await opened.promise;
  }

  async hear(records: readonly Announcement[]): Promise<void> {
    for (const { text } of records) this.#graphs.delete(readEpoch(text).accountId);
  }

  get db(): Database {
    return this.#db;
  }

  get store(): MemoryTimelineStore {
    return this.#store;
  }

  get fault(): Fault | undefined {
    return this.#fault;
  }

  #rest(): void {
    this.#active -= 1;
    if (this.#active === 0) this.#whenQuiet?.();
  }

  async #quiet(): Promise<void> {
    while (this.#active > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#whenQuiet = resolve;
      await promise;
    }
  }

  async #carryOut(action: Action, node: Node): Promise<void> {
    const reader = 'reader' in action ? this.#readers[action.reader]! : '';
    const author = 'author' in action ? this.#authors[action.author]! : '';
    switch (action.kind) {
      case 'promote':
      case 'promoteAll':
        return void (await node.flips.promote(await node.edges(reader, author)));
      case 'demote':
      case 'demoteAll':
        return void (await node.flips.demote(await node.edges(reader, author)));
      case 'rebuild':
        return void (await node.inboxes.rebuild(reader));
      case 'follow':
      case 'unfollow':
        return this.#changeFollow(action.kind, reader, author, node);
      case 'publish':
      case 'repost':
        return this.#publish(action.kind, author, node);
    }
  }

  async #changeFollow(
    kind: 'follow' | 'unfollow',
    reader: string,
    author: string,
    node: Node,
  ): Promise<void> {
    const epochs = await node.db.transaction(async (tx) => {
      if (kind === 'unfollow')
        await tx`delete from follow where follower_id = ${reader} and followee_id = ${author}`;
      else
        await tx`
          insert into follow (id, follower_id, followee_id, created_at)
          values (${this.#ids.next()}, ${reader}, ${author}, now()) on conflict do nothing`;
      return bumpEpochs(tx, [reader]);
    });
    await announceEpochs(node.announcements, epochs);
  }

  /** What publishing and the worker of the fan-out do. Keys are taken before the commit, so that they commit in any order. */
  async #publish(kind: 'publish' | 'repost', author: string, node: Node): Promise<void> {
    const key = this.#ids.next();
    const videoId = kind === 'publish' ? key : await this.#someVideo();
    await this.pass(node.task, 'fan-out: commit');
    if (kind === 'publish') await this.#insertVideo(videoId, author);
    else
      await this.#db.sql`
        insert into repost (id, account_id, video_id, created_at) values (${key}, ${author}, ${videoId}, now())`;
    const entry = { key, authorId: author, videoId };
    await this.pass(node.task, 'fan-out: announce');
    this.#inFlight.add(key);
    this.#acknowledged.push(entry);
    for (const chunk of this.#readers.map((each) => [each])) {
      await this.pass(node.task, 'fan-out: select');
      const rows = await this.#db.sql<{ id: string }>`
        select follower_id as id from follow
        where followee_id = ${author} and mode > 0 and follower_id = any(${this.#db.sql.array(chunk, 'int8')})`;
      await this.pass(node.task, 'fan-out: push');
      await this.#store.push(rows.map(({ id }) => ({ shelf: { kind: 'inbox', ownerId: id }, entry })));
    }
    await this.pass(node.task, 'fan-out: settle');
    this.#inFlight.delete(key);
  }

  async #someVideo(): Promise<string> {
    const id = this.#ids.next();
    await this.#insertVideo(id, await this.#graph.person());
    return id;
  }

  async #insertVideo(id: string, author: string): Promise<void> {
    await this.#db.sql`
      insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
      values (${id}, ${author}, 't', '', '{}', 'public', 'ready', ${id}, 1000, 10, 10)`;
  }

  /** A step of its own, later: what the fault lets go by. */
  async announceLater(records: readonly Announcement[], task: number): Promise<void> {
    this.#active += 1;
    void this.pass(task, 'late announcement').then(() => {
      void this.hear(records);
      this.#rest();
    });
  }
}

/** A process that carries out one task, with everything that it reaches behind gates. */
class Node {
  readonly task: number;
  readonly db: Database;
  readonly announcements;
  readonly flips: Flips;
  readonly inboxes: Inboxes;
  readonly #world: EdgeWorld;

  constructor(world: EdgeWorld, task: number) {
    this.#world = world;
    this.task = task;
    this.db = this.#gatedDatabase();
    this.announcements = {
      announce: async (records: readonly Announcement[]) => {
        if (world.fault === 'pull-before-announced') return world.announceLater(records, task);
        await world.pass(task, `announce ${records.length}`);
        await world.hear(records);
      },
    };
    const store = this.#gatedStore();
    this.flips = new Flips({ db: this.db, store, announcements: this.announcements });
    this.inboxes = new Inboxes({ db: this.db, store, clock: systemClock, log: testLog });
  }

  async edges(reader: string, author: string): Promise<Edge[]> {
    const { sql } = this.db;
    const rows = await sql<{ readerId: string; authorId: string; mode: number; version: string }>`
      select follower_id as "readerId", followee_id as "authorId", mode, xmin::text as version from follow
      where follower_id = ${reader} and (${author === ''} or followee_id = ${author === '' ? '0' : author})`;
    return rows.map(({ mode, ...rest }) => ({ ...rest, mode: EDGE_MODES[mode]! }));
  }

  #gatedStore() {
    const world = this.#world;
    const begun = new Map<string, number>();
    return {
      read: async (reads: Parameters<MemoryTimelineStore['read']>[0]) => {
        await world.pass(this.task, 'store: read');
        return world.store.read(reads);
      },
      begin: async (shelf: Shelf, size: number) => {
        await world.pass(this.task, 'store: begin');
        if (world.fault !== 'begin-after-reading') return world.store.begin(shelf, size);
        begun.set(shelf.ownerId, size);
        return 'later';
      },
      merge: async (shelf: Shelf, merge: Merge) => {
        await world.pass(this.task, 'store: merge');
        if (world.fault === 'no-copy' && merge.token === undefined) return true;
        const token =
          merge.token === 'later' ? await world.store.begin(shelf, begun.get(shelf.ownerId)!) : merge.token;
        return world.store.merge(shelf, { ...merge, token });
      },
    };
  }

  #gatedDatabase(): Database {
    const { db, fault } = this.#world;
    const pass = (label: string) => this.#world.pass(this.task, label);
    const gated = <T>(query: SqlQuery<T>): SqlQuery<T> =>
      new Proxy(query, {
        get(target, name) {
          if (name === 'then')
            return (...then: Parameters<PromiseLike<T>['then']>) =>
              pass('statement')
                .then(() => target)
                .then(...then);
          if (name === 'withSignal') return (signal: AbortSignal) => gated(target.withSignal(signal));
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    const sql = new Proxy(db.sql, { apply: (tag, self, parts) => gated(Reflect.apply(tag, self, parts)) });
    return {
      sql,
      write: db.write.bind(db),
      transaction: async (work, options) => {
        await pass('transaction');
        return db.transaction((tx) => work(fault === 'any-version' ? withoutVersions(tx) : tx), options);
      },
    };
  }
}

/** As if a step were taken from whatever is there. */
function withoutVersions(tx: Sql): Sql {
  const patched = new Map<TemplateStringsArray, TemplateStringsArray>();
  return new Proxy(tx, {
    apply(tag, self, [strings, ...values]: [TemplateStringsArray, ...unknown[]]) {
      const known =
        patched.get(strings) ??
        Object.defineProperty(
          strings.map((text) => text.replace('f.xmin::text = each.version', 'each.version is not null')),
          'raw',
          { value: strings.raw },
        );
      patched.set(strings, known as TemplateStringsArray);
      return Reflect.apply(tag, self, [known, ...values]);
    },
  });
}
