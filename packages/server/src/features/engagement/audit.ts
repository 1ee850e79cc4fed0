import type { Database, Sql, SqlQuery } from '../../ports/database/port.ts';
import { type Increment, METRICS } from '../counters/index.ts';

export interface Drift {
  readonly id: string;
  readonly metric: Increment['metric'];
  /** How many rows there are, and what is counted. */
  readonly rows: number;
  readonly counted: number;
}

const maxDrifts = 1_000;

/** What is counted by rows: the rows as `(id)`, one for each that counts. */
const facts: readonly [Increment['metric'], (sql: Sql) => SqlQuery<unknown[]>][] = [
  ['likes', (sql) => sql`select video_id as id from video_like`],
  ['favorites', (sql) => sql`select video_id as id from favorite`],
  ['reposts', (sql) => sql`select video_id as id from repost`],
  ['shares', (sql) => sql`select video_id as id from video_share`],
  ['comments', (sql) => sql`select video_id as id from comment`],
  ['replies', (sql) => sql`select root_id as id from comment where root_id is not null`],
  ['commentLikes', (sql) => sql`select comment_id as id from comment_like`],
  ['followers', (sql) => sql`select followee_id as id from follow`],
];

/**
 * Recounts from the rows whatever has rows, and answers where the counters differ: nowhere, unless there is a fault.
 * Each metric is one statement, which sees rows, totals and unfolded increments of the same moment: it is exact under
 * load. At most 1,000 for each metric.
 */
export async function auditCounters(db: Database): Promise<Drift[]> {
  const drifts: Drift[] = [];
  for (const [metric, rowsOf] of facts) {
    drifts.push(...(await auditOne(db, metric, rowsOf)));
  }
  return drifts;
}

async function auditOne(
  db: Database,
  metric: Increment['metric'],
  rowsOf: (sql: Sql) => SqlQuery<unknown[]>,
): Promise<Drift[]> {
  return await db.transaction(async (tx) => {
    // Every row of a large community takes longer than a request may.
    await tx`set local statement_timeout = '10min'`;
    const rows = await tx<{ id: string; rows: string; counted: string }>`
      with facts as (select id, count(*) as rows from (${rowsOf(tx)}) as each group by id),
      pending as (
        select id, sum(delta) as delta from counter_batch, unnest(ids, metrics, deltas) as each (id, metric, delta)
        where metric = ${METRICS[metric]} group by id),
      counted as (
        select id, sum(value) as counted from (
          select id, total as value from counter where metric = ${METRICS[metric]}
          union all select id, delta from pending) as each
        where not exists (select 1 from counter_gone where counter_gone.id = each.id) group by id)
      select id, coalesce(rows, 0) as rows, coalesce(counted, 0) as counted
      from facts full join counted using (id)
      where coalesce(rows, 0) <> coalesce(counted, 0) order by id limit ${maxDrifts}`;
    return rows.map(({ id, rows: found, counted }) => ({
      ...{ id, metric },
      rows: Number(found),
      counted: Number(counted),
    }));
  });
}
