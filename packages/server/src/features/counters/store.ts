import { estimate, withObservations } from '../../kernel/hyperloglog.ts';
import type { CounterKey, CounterTotal } from '../../ports/counter-store/port.ts';
import type { Database, Sql, SqlQuery } from '../../ports/database/port.ts';
import type { Packed } from './combiner.ts';
import { type FoldedSum, METRICS } from './types.ts';

export type StoredTotal = CounterKey & CounterTotal;

export interface FoldState {
  readonly folded: number;
  readonly copied: number;
}

export interface Fold {
  readonly revision: number;
  /** What `counter_fold` said before. */
  readonly before: FoldState;
  readonly totals: readonly StoredTotal[];
  /** Of the metrics whose changes are asked for. */
  readonly sums: readonly FoldedSum[];
  /** Batches are left for another fold. */
  readonly hasMore: boolean;
}

/** Somebody who keeps something that follows from totals, in the transaction that changes them. */
export interface TotalFollower {
  readonly metrics: readonly number[];
  run(tx: Sql, ids: readonly string[]): Promise<void>;
}

/** Batches folded by one transaction. */
const maxBatches = 500;
/** A sketch has 4 KiB. */
const sketchesAtOnce = 500;

interface TotalRow {
  readonly id: string;
  readonly metric: number;
  readonly total: string;
  readonly revision: string;
}

const storedTotal = ({ id, metric, total, revision }: TotalRow): StoredTotal => ({
  ...{ id, metric },
  total: Number(total),
  revision: Number(revision),
});

/** A packed row within the caller's transaction. Answers the transaction's number. */
export async function insertBatch(tx: Sql, packed: Packed): Promise<number> {
  const [row] = await tx<{ xid: string }>`
    insert into counter_batch (ids, metrics, deltas, sighted_ids, observations) values (${columnsOf(tx, packed)})
    returning xid::text as xid`;
  return Number(row?.xid);
}

/** The same as a part of the caller's statement: written if `when` has a row. */
export function batchInsert(sql: Sql, packed: Packed, when: SqlQuery<unknown[]>): SqlQuery<unknown[]> {
  return sql`
    insert into counter_batch (ids, metrics, deltas, sighted_ids, observations)
    select ${columnsOf(sql, packed)} from ${when} returning xid::text as xid`;
}

/** The same in a transaction of its own. Undefined when `seq` was written before. */
export async function insertPacked(
  { sql }: Database,
  source: string,
  seq: number,
  packed: Packed,
): Promise<number | undefined> {
  const [row] = await sql<{ xid: string }>`
    with turn as (
      insert into counter_source (source, seq, used_at) values (${source}, ${seq}, now())
      on conflict (source) do update set seq = excluded.seq, used_at = excluded.used_at
      where counter_source.seq < excluded.seq
      returning 1)
    insert into counter_batch (ids, metrics, deltas, sighted_ids, observations)
    select ${columnsOf(sql, packed)} from turn
    returning xid::text as xid`;
  return row && Number(row.xid);
}

function columnsOf(sql: Sql, { increments, sightings }: Packed) {
  const ids = increments.map(({ id }) => id);
  const metrics = increments.map(({ metric }) => METRICS[metric]);
  const deltas = increments.map(({ delta }) => delta);
  const sighted = sightings.map(({ id }) => id);
  const observations = sightings.map(({ observation }) => observation);
  return sql`${sql.array(ids, 'int8')}, ${sql.array(metrics, 'int4')}, ${sql.array(deltas, 'int4')},
    ${sql.array(sighted, 'int8')}, ${sql.array(observations, 'int4')}`;
}

export async function readTotals(
  { sql }: Database,
  keys: readonly CounterKey[],
  signal: AbortSignal | undefined,
): Promise<StoredTotal[]> {
  const rows = await sql<TotalRow>`
    select id, metric, total, revision from counter
    where (id, metric) in (select * from unnest(
      ${sql.array(
        keys.map(({ id }) => id),
        'int8',
      )}, ${sql.array(
        keys.map(({ metric }) => metric),
        'int4',
      )}))`.withSignal(signal);
  return rows.map(storedTotal);
}

/** Totals changed since this revision, by key from `after` on. */
export async function changedTotals(
  { sql }: Database,
  revision: number,
  after: CounterKey | undefined,
  limit: number,
): Promise<StoredTotal[]> {
  const rows = await sql<TotalRow>`
    select id, metric, total, revision from counter
    where revision > ${revision} and (id, metric) > (${after?.id ?? '-1'}::int8, ${after?.metric ?? 0})
    order by id, metric limit ${limit}`;
  return rows.map(storedTotal);
}

export async function foldState({ sql }: Database): Promise<FoldState & { hasBatches: boolean }> {
  const [row] = await sql<{ folded: string; copied: string; has_batches: boolean }>`
    select folded, copied, exists (select 1 from counter_batch) as has_batches from counter_fold`;
  return { folded: Number(row?.folded), copied: Number(row?.copied), hasBatches: row?.has_batches ?? false };
}

/**
 * Adds finished batches to the totals and deletes them, in one transaction. Undefined while another process folds.
 */
export async function fold(
  db: Database,
  followers: readonly TotalFollower[],
  summed: readonly number[],
): Promise<Fold | undefined> {
  return await db.transaction(async (tx) => {
    const [state] = await tx<{ folded: string; copied: string }>`
      select folded, copied from counter_fold for update skip locked`;
    if (!state) return undefined;
    const before = { folded: Number(state.folded), copied: Number(state.copied) };
    // Transactions below the horizon have ended, so that none of their batches can turn up later.
    const [row] = await tx<{ horizon: string; more: string | null }>`
      select pg_snapshot_xmin(pg_current_snapshot())::text as horizon,
        (select xid::text from counter_batch order by xid offset ${maxBatches} limit 1) as more`;
    const horizon = Number(row?.horizon);
    const more = row?.more ? Number(row.more) : horizon;
    const revision = Math.min(horizon, more);
    const { totals, sums } = await foldBefore(tx, revision, summed);
    for (const { metrics, run } of followers) {
      const ids = totals.flatMap(({ id, metric }) => (metrics.includes(metric) ? [id] : []));
      if (ids.length > 0) await run(tx, [...new Set(ids)]);
    }
    await tx`update counter_fold set folded = greatest(folded, ${revision})`;
    return { revision, before, totals, sums, hasMore: more < horizon };
  });
}

/** The totals of this fold, and of all before it, are in the read copy. */
export async function markCopied({ sql }: Database, revision: number): Promise<void> {
  await sql`update counter_fold set copied = greatest(copied, ${revision}) where folded >= ${revision}`;
}

async function foldBefore(
  tx: Sql,
  revision: number,
  summed: readonly number[],
): Promise<{ totals: StoredTotal[]; sums: FoldedSum[] }> {
  const rows = await tx<TotalRow & { delta: string | null; observations: Int32Array | null }>`
    with folded as (
      delete from counter_batch where xid < ${String(revision)}::xid8
      returning ids, metrics, deltas, sighted_ids, observations),
    sums as (
      select id, metric, sum(delta) as delta
      from folded, unnest(ids, metrics, deltas) as each (id, metric, delta)
      where not exists (select 1 from counter_gone where counter_gone.id = each.id) group by id, metric),
    written as (
      insert into counter (id, metric, total, revision) select id, metric, delta, ${revision} from sums
      on conflict (id, metric) do update set total = counter.total + excluded.total, revision = excluded.revision
      returning id, metric, total, revision)
    select id, metric, total, revision, null::numeric as delta, null::int4[] as observations from written
    union all
    select id, metric, 0, 0, delta::numeric, null from sums where metric = any(${tx.array(summed, 'int4')})
    union all
    select each.id, ${METRICS.viewers}, 0, 0, null, array_agg(each.observation)
    from folded, unnest(sighted_ids, observations) as each (id, observation)
    where not exists (select 1 from counter_gone where counter_gone.id = each.id) group by each.id`;
  const totals = rows.filter(({ delta, observations }) => !observations && delta === null).map(storedTotal);
  const sightings = rows.flatMap(({ id, observations }) => (observations ? [{ id, observations }] : []));
  const estimates: StoredTotal[] = [];
  for (let at = 0; at < sightings.length; at += sketchesAtOnce) {
    estimates.push(...(await foldSightings(tx, revision, sightings.slice(at, at + sketchesAtOnce))));
  }
  return {
    totals: [...totals, ...estimates],
    sums: rows.flatMap(({ id, metric, delta }) =>
      delta === null ? [] : [{ id, metric, delta: Number(delta) }],
    ),
  };
}

async function foldSightings(
  tx: Sql,
  revision: number,
  sightings: readonly { id: string; observations: Int32Array }[],
): Promise<StoredTotal[]> {
  const ids = sightings.map(({ id }) => id);
  const rows = await tx<{ id: string; registers: Uint8Array }>`
    select id, registers from counter_sketch where id = any(${tx.array(ids, 'int8')})`;
  const known = new Map(rows.map(({ id, registers }) => [id, registers]));
  const sketches = sightings.map(({ id, observations }) => {
    const registers = withObservations(known.get(id), observations);
    return { id, registers: Buffer.from(registers), total: estimate(registers) };
  });
  await tx`
    insert into counter_sketch ${tx.rows(sketches.map(({ id, registers }) => ({ id, registers })))}
    on conflict (id) do update set registers = excluded.registers`;
  const totals = sketches.map(({ id, total }) => ({ id, metric: METRICS.viewers, total, revision }));
  await tx`
    insert into counter ${tx.rows(totals)}
    on conflict (id, metric) do update set total = excluded.total, revision = excluded.revision`;
  return totals;
}

/**
 * Revisions are transaction numbers of this PostgreSQL. Data that came from another one (restored, moved) may carry
 * greater ones, which would never be reached: they begin anew.
 */
export async function adopt(db: Database): Promise<void> {
  await db.transaction(async (tx) => {
    const [state] = await tx<{ is_foreign: boolean }>`
      select folded > pg_snapshot_xmax(pg_current_snapshot())::text::int8
        or exists (select 1 from counter_batch where xid >= pg_snapshot_xmax(pg_current_snapshot())) as is_foreign
      from counter_fold for update`;
    if (!state?.is_foreign) return;
    await tx`update counter_batch set xid = pg_current_xact_id()`;
    await tx`update counter set revision = 0 where revision <> 0`;
    await tx`update counter_fold set folded = 0, copied = 0`;
  });
}

/** Nothing is counted about these any more. Their ids are never given to anything else. */
export async function forget(tx: Sql, ids: readonly string[]): Promise<void> {
  const gone = tx.array(ids, 'int8');
  await tx`insert into counter_gone (id) select * from unnest(${gone}) on conflict do nothing`;
  await tx`delete from counter where id = any(${gone})`;
  await tx`delete from counter_sketch where id = any(${gone})`;
}

/** Daily: processes that have ended, and what a fold has put back that had begun before the end of what it is about. */
export async function clean(db: Database): Promise<void> {
  await db.sql`delete from counter_source where used_at < now() - interval '1 day'`;
  await db.transaction(async (tx) => {
    const gone = await tx<{ id: string }>`
      delete from counter_gone where gone_at < now() - interval '1 day' returning id`;
    const ids = tx.array(
      gone.map(({ id }) => id),
      'int8',
    );
    await tx`delete from counter where id = any(${ids})`;
    await tx`delete from counter_sketch where id = any(${ids})`;
  });
}
