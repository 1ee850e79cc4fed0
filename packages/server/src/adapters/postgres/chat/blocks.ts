import type { Sql, SqlQuery } from '../../../ports/database/port.ts';

/** By conversation, the two of a direct chat. */
export type Pairs = ReadonlyMap<string, readonly [string, string] | null | undefined>;

/**
 * What follows `from`: a row `direct` with the id of each direct chat among them in which one has blocked the other. Undefined: there
 * is no direct chat among them.
 */
export function blockedDirects(sql: Sql, pairs: Pairs): SqlQuery<unknown[]> | undefined {
  const directs = [...pairs].flatMap(([id, pair]) => (pair ? [{ id, a: pair[0], b: pair[1] }] : []));
  if (directs.length === 0) return undefined;
  const all = (value: (direct: (typeof directs)[number]) => string) => sql.array(directs.map(value), 'int8');
  return sql`
    unnest(${all(({ id }) => id)}, ${all(({ a }) => a)}, ${all(({ b }) => b)}) as direct (id, a, b)
    cross join ${blockBetween(sql, sql`direct.a`, sql`direct.b`)}`;
}

/** To be joined: a row for each of the two that has blocked the other. Looked up through an index, whatever is known of the table. */
export const blockBetween = (sql: Sql, one: SqlQuery<unknown[]>, other: SqlQuery<unknown[]>) => sql`lateral (
  (select from block where blocker_id = ${one} and blocked_id = ${other} limit 1)
  union all
  (select from block where blocker_id = ${other} and blocked_id = ${one} limit 1)
) block`;
