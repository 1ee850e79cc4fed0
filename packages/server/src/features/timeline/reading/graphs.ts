import { type Cache, type CachedReader, dependency } from '../../../cache/index.ts';
import type { Clock } from '../../../kernel/clock.ts';
import { compareIds } from '../../../kernel/ids.ts';
import type { Announcements } from '../../../ports/announcements/port.ts';
import type { Database } from '../../../ports/database/port.ts';
import { GRAPH_KIND, graphOf, readEpoch } from '../../graph/index.ts';

/** How an edge is served; see `tuning/edge-mode.ts`. */
export const PULL = 0;
export const BOTH = 1;
export const PUSH = 2;

/** Whom a reader follows, and whom they do not want to see. */
export interface ReaderGraph {
  readonly epoch: string;
  /** Followees and how each edge is served. */
  readonly modes: ReadonlyMap<string, number>;
  /** Followees whose outboxes have to be read beside the inbox. */
  readonly pulled: readonly string[];
  readonly hasPushed: boolean;
  readonly muted: ReadonlySet<string>;
  /** In either direction. */
  readonly blocked: ReadonlySet<string>;
}

interface StoredGraph {
  readonly epoch: string;
  readonly followees: readonly string[];
  /** Of each followee, a digit. */
  readonly modes: string;
  readonly muted: readonly string[];
  readonly blocked: readonly string[];
}

const freshMs = 10 * 60_000;
const maxHeard = 500_000;
const maxHidden = 20_000;

const followsOf = dependency('follow', 'follower_id');
const mutesOf = dependency('mute', 'muter_id');
const blocksBy = dependency('block', 'blocker_id');
const blocksOf = dependency('block', 'blocked_id');

/**
 * Readers' graphs, kept in this process.
 *
 * Guarantees: a graph answered after `catchUp` is that of the newest epoch that was announced before, or a later one;
 * never a stale one.
 * Cost: a look-up; one statement for a reader who was not here lately.
 */
export class ReaderGraphs {
  readonly #db: Database;
  readonly #cache: Cache;
  readonly #clock: Clock;
  readonly #graphs: CachedReader<ReaderGraph>;
  /** The newest epochs announced, for as long as an older graph may be in some cache. */
  readonly #heard = new Map<string, { readonly epoch: string; readonly untilMs: number }>();
  /** Read from the truth, or compared with it, since this node began anew. */
  #compared = new WeakSet<ReaderGraph>();
  /** Until then the shared level may hold graphs whose end this node has missed. */
  #compareUntilMs = Number.POSITIVE_INFINITY;

  constructor({
    db,
    cache,
    clock,
    announcements,
  }: { db: Database; cache: Cache; clock: Clock; announcements: Announcements }) {
    this.#db = db;
    this.#cache = cache;
    this.#clock = clock;
    this.#graphs = cache.define<ReaderGraph>({
      name: 'reader-graph',
      isResident: true,
      freshMs,
      staleMs: 0,
      maxBatch: 20,
      dependencies: [followsOf, mutesOf, blocksBy, blocksOf, graphOf],
      owner: (id) => followsOf(id),
      contains: (_graph, id) => [mutesOf(id), blocksBy(id), blocksOf(id), graphOf(id)],
      load: async (ids, signal) => {
        const compared = this.#compared;
        const graphs = await loadGraphs(db, ids, signal);
        for (const graph of graphs.values()) compared.add(graph);
        return graphs;
      },
      encode: (graph) => new TextEncoder().encode(JSON.stringify(toStored(graph))),
      decode: (bytes) => fromStored(JSON.parse(new TextDecoder().decode(bytes)) as StoredGraph),
      weigh: ({ modes, muted, blocked, pulled }) =>
        500 + 110 * (modes.size + muted.size + blocked.size) + 8 * pulled.length,
    });
    announcements.follow(GRAPH_KIND, {
      hear: (texts) => this.#hear(texts),
      // Whose graph has changed meanwhile is not known.
      reset: async () => {
        this.#compared = new WeakSet();
        this.#compareUntilMs = clock.monotonicMs() + freshMs;
        cache.forgetHere();
      },
    });
  }

  /** Undefined when it is not in this process: ask `get` then. */
  getIfHere(readerId: string, nowMs = this.#clock.monotonicMs()): ReaderGraph | undefined {
    const graph = this.#graphs.getIfHot(readerId, nowMs)?.value;
    return graph && this.#isCompared(graph) && this.#isCurrent(readerId, graph) ? graph : undefined;
  }

  async get(readerId: string, signal?: AbortSignal): Promise<ReaderGraph> {
    for (let attempt = 0; ; attempt++) {
      const { value } = await this.#graphs.get(readerId, { signal, stale: 'refuse' });
      if (value === null) return nobodyFollowed;
      if (!this.#isCompared(value)) await this.#compare(readerId, value, signal);
      if (this.#isCurrent(readerId, value)) return value;
      // What the shared level holds was filled before a change that it was not told of.
      if (attempt > 0) throw new Error(`the graph of ${readerId} stays behind its epoch`);
      await this.#cache.invalidate([followsOf(readerId)]);
    }
  }

  #isCompared(graph: ReaderGraph): boolean {
    return this.#compared.has(graph) || this.#clock.monotonicMs() > this.#compareUntilMs;
  }

  /** Another node has filled the shared level, maybe before a change that was announced while this one did not listen. */
  async #compare(readerId: string, graph: ReaderGraph, signal: AbortSignal | undefined): Promise<void> {
    const compared = this.#compared;
    const [row] = await this.#db.sql<{ epoch: string }>`
      select epoch from graph_epoch where account_id = ${readerId}`.withSignal(signal);
    if (row && compareIds(row.epoch, graph.epoch) > 0) this.#note(readerId, row.epoch);
    else compared.add(graph);
  }

  #isCurrent(readerId: string, { epoch }: ReaderGraph): boolean {
    const heard = this.#heard.get(readerId);
    return heard === undefined || compareIds(epoch, heard.epoch) >= 0;
  }

  #hear(texts: readonly string[]): void {
    const nowMs = this.#clock.monotonicMs();
    const epochs = texts.map(readEpoch);
    void this.#cache.invalidate(
      epochs.map(({ accountId }) => graphOf(accountId)),
      { isLocalOnly: true },
    );
    for (const { accountId, epoch } of epochs) this.#note(accountId, epoch);
    for (const [accountId, { untilMs }] of this.#heard) {
      if (untilMs > nowMs && this.#heard.size <= maxHeard) break;
      this.#heard.delete(accountId);
    }
  }

  #note(accountId: string, epoch: string): void {
    const known = this.#heard.get(accountId);
    this.#heard.delete(accountId);
    const newest = known && compareIds(known.epoch, epoch) > 0 ? known.epoch : epoch;
    this.#heard.set(accountId, { epoch: newest, untilMs: this.#clock.monotonicMs() + freshMs });
  }
}

const nobodyFollowed: ReaderGraph = {
  epoch: '0',
  modes: new Map(),
  pulled: [],
  hasPushed: false,
  muted: new Set(),
  blocked: new Set(),
};

async function loadGraphs(
  { sql }: Database,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, ReaderGraph>> {
  const rows = await sql<StoredGraph & { id: string }>`
    select each.id, coalesce((select epoch from graph_epoch where account_id = each.id), 0)::text as epoch,
      f.followees, f.modes,
      array(select muted_id::text from mute where muter_id = each.id limit ${maxHidden}) as muted,
      array(select blocked_id::text from block where blocker_id = each.id
        union select blocker_id::text from block where blocked_id = each.id limit ${maxHidden}) as blocked
    from unnest(${sql.array(ids, 'int8')}) as each (id) cross join lateral (
      select coalesce(array_agg(followee_id::text order by followee_id), '{}') as followees,
        coalesce(string_agg(mode::text, '' order by followee_id), '') as modes
      from follow where follower_id = each.id) f`.withSignal(signal);
  return new Map(rows.map(({ id, ...stored }) => [id, fromStored(stored)]));
}

function fromStored({ epoch, followees, modes: digits, muted, blocked }: StoredGraph): ReaderGraph {
  const modes = new Map<string, number>();
  const pulled: string[] = [];
  for (const [at, followee] of followees.entries()) {
    const mode = digits.charCodeAt(at) - 48;
    modes.set(followee, mode);
    if (mode !== PUSH) pulled.push(followee);
  }
  return {
    ...{ epoch, modes, pulled },
    hasPushed: /[12]/.test(digits),
    muted: new Set(muted),
    blocked: new Set(blocked),
  };
}

function toStored({ epoch, modes, muted, blocked }: ReaderGraph): StoredGraph {
  return {
    epoch,
    followees: [...modes.keys()],
    modes: [...modes.values()].join(''),
    muted: [...muted],
    blocked: [...blocked],
  };
}
