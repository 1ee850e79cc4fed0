import type { Clock } from '../../../kernel/clock.ts';
import { remembered } from '../../../kernel/remembered.ts';
import type { Database, Sql, SqlQuery } from '../../../ports/database/port.ts';
import type { Costs } from './costs.ts';
import { CORE_WINDOW_MS, EDGE_MODES, type EdgeFacts, INACTIVE_MS } from './edge-mode.ts';
import type { Edge } from './flips.ts';
import type { Level } from './levels.ts';
import { decayed, POSTS, READS } from './rates.ts';

/** An edge with everything that decides how it is served. */
export type KnownEdge = Edge & EdgeFacts & { readonly lastReadAt: Date | null };

export interface EdgesDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly costs: Pick<Costs, 'ratio'>;
}

interface EdgeRow {
  readonly readerId: string;
  readonly authorId: string;
  readonly mode: number;
  readonly version: string;
  readonly reads: number | null;
  readonly readsAt: Date | null;
  readonly lastReadAt: Date | null;
  readonly posts: number | null;
  readonly postsAt: Date | null;
  readonly level: number | null;
}

const medianTtlMs = 10 * 60_000;
/** Readers whose rates stand for all. */
const medianSample = 20_000;

/** Reads edges and what is known of both ends. */
export class EdgeReads {
  readonly #deps: EdgesDeps;
  /** Of those who have read within a week. */
  readonly medianReadsPerDay: () => Promise<number>;

  constructor(deps: EdgesDeps) {
    this.#deps = deps;
    this.medianReadsPerDay = remembered(deps.clock, medianTtlMs, () => this.#median());
  }

  /** All edges of one reader: at most as many as one may follow. */
  ofReader(readerId: string, signal?: AbortSignal): Promise<KnownEdge[]> {
    const { sql } = this.#deps.db;
    return this.#known(this.#rows(sql`f.follower_id = ${readerId}`), 2, signal);
  }

  /** Edges of one author, by follower; `pushed`: only those that are not pulled. */
  ofAuthor(authorId: string, after: string, limit: number, pushed: boolean, signal?: AbortSignal) {
    const { sql } = this.#deps.db;
    const which = pushed ? sql`and f.mode > 0` : sql``;
    const range = sql`f.followee_id = ${authorId} and f.follower_id > ${after} ${which}
      order by f.follower_id limit ${limit}`;
    return this.#known(this.#rows(range), 2, signal);
  }

  /** Undefined when the reader does not follow the author. */
  async between(readerId: string, authorId: string): Promise<KnownEdge | undefined> {
    const { sql } = this.#deps.db;
    const one = sql`f.followee_id = ${authorId} and f.follower_id = ${readerId}`;
    return (await this.#known(this.#rows(one), 0))[0];
  }

  #rows(which: SqlQuery<unknown[]>): SqlQuery<EdgeRow[]> {
    return this.#deps.db.sql<EdgeRow>`
      select f.follower_id as "readerId", f.followee_id as "authorId", f.mode, f.xmin::text as version,
        r.reads_per_day as reads, r.rated_at as "readsAt", r.last_read_at as "lastReadAt",
        c.posts_per_day as posts, c.rated_at as "postsAt", c.level
      from follow f left join feed_reader r on r.account_id = f.follower_id
        left join feed_creator c on c.account_id = f.followee_id
      where ${which}`;
  }

  /** What was watched matters, and is looked up, from this level on. */
  async #known(query: SqlQuery<EdgeRow[]>, fromLevel: number, signal?: AbortSignal): Promise<KnownEdge[]> {
    const rows = await query.withSignal(signal);
    const large = rows.filter(({ level }) => (level ?? 0) >= fromLevel);
    const watched = await videosWatched(this.#deps.db.sql, large, this.#deps.clock.nowMs(), signal);
    const shared = { costRatio: this.#deps.costs.ratio, medianReadsPerDay: await this.medianReadsPerDay() };
    const nowMs = this.#deps.clock.nowMs();
    return rows.map((row) => ({
      ...shared,
      ...{ readerId: row.readerId, authorId: row.authorId, version: row.version, lastReadAt: row.lastReadAt },
      mode: EDGE_MODES[row.mode]!,
      readsPerDay: row.readsAt ? decayed(READS, row.reads ?? 0, row.readsAt.getTime(), nowMs) : 0,
      idleMs: row.lastReadAt ? nowMs - row.lastReadAt.getTime() : Number.POSITIVE_INFINITY,
      postsPerDay: row.postsAt ? decayed(POSTS, row.posts ?? 0, row.postsAt.getTime(), nowMs) : 0,
      level: (row.level ?? 0) as Level,
      videosWatched: watched.get(`${row.readerId}:${row.authorId}`) ?? 0,
    }));
  }

  async #median(): Promise<number> {
    const { clock, db } = this.#deps;
    const now = new Date(clock.nowMs());
    const since = new Date(clock.nowMs() - INACTIVE_MS);
    const { sql } = db;
    const [size] = await sql<{ rows: number }>`
      select reltuples::float8 as rows from pg_class where oid = 'feed_reader'::regclass`;
    // Whole pages of the table, so many that they hold about as many rows as the sample should have.
    const percent = Math.min(100, (100 * medianSample) / Math.max(1, size?.rows ?? 1));
    const rows = await sql<{ reads: number; at: Date }>`
      select reads_per_day as reads, rated_at as at from feed_reader tablesample system (${percent}::float4)
      where last_read_at > ${since} and rated_at <= ${now} limit ${2 * medianSample}`;
    const rates = rows
      .map(({ reads, at }) => decayed(READS, reads, at.getTime(), now.getTime()))
      .sort((a, b) => a - b);
    // A little less, so that whoever is the middle, and has faded since, counts to the more active ones.
    return 0.99 * (rates[Math.floor(rates.length / 2)] ?? 0);
  }
}

/** How many videos of the author each reader has watched lately. Whoever pauses the history is no core follower. */
async function videosWatched(
  sql: Sql,
  edges: readonly Pick<Edge, 'readerId' | 'authorId'>[],
  nowMs: number,
  signal: AbortSignal | undefined,
): Promise<Map<string, number>> {
  if (edges.length === 0) return new Map();
  const rows = await sql<{ readerId: string; authorId: string; videos: number }>`
    select h.account_id as "readerId", v.author_id as "authorId", count(*)::int4 as videos
    from watch_history h join video v on v.id = h.video_id
    where h.account_id = any(${sql.array([...new Set(edges.map(({ readerId }) => readerId))], 'int8')})
      and h.watched_at > ${new Date(nowMs - CORE_WINDOW_MS)}
      and v.author_id = any(${sql.array([...new Set(edges.map(({ authorId }) => authorId))], 'int8')})
    group by h.account_id, v.author_id`.withSignal(signal);
  return new Map(rows.map(({ readerId, authorId, videos }) => [`${readerId}:${authorId}`, videos]));
}
