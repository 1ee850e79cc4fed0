import type { Relation } from '@hvideo/protocol';
import type { Sql } from '../../ports/database/port.ts';

interface RelationRow extends Omit<Relation, 'self'> {
  readonly id: string;
}

/** What the viewer is to each of these people, in one statement. */
export async function readRelations(
  sql: Sql,
  viewerId: string,
  ids: readonly string[],
): Promise<Map<string, Relation>> {
  const others = [...new Set(ids)];
  if (others.length === 0) return new Map();
  const rows = await sql<RelationRow>`
    select other.id,
      exists (select 1 from follow where follower_id = ${viewerId} and followee_id = other.id) as following,
      exists (select 1 from follow where follower_id = other.id and followee_id = ${viewerId}) as "followedBy",
      exists (select 1 from mute where muter_id = ${viewerId} and muted_id = other.id) as muted,
      exists (select 1 from block where blocker_id = ${viewerId} and blocked_id = other.id) as blocked
    from unnest(${sql.array(others, 'int8')}) as other (id)`;
  return new Map(rows.map(({ id, ...relation }) => [id, { self: id === viewerId, ...relation }]));
}

/** Who blocks whom, if anybody does. */
export async function blockBetween(
  sql: Sql,
  viewerId: string,
  otherId: string,
): Promise<{ byViewer: boolean; byOther: boolean }> {
  const rows = await sql<{ blocker_id: string }>`
    select blocker_id from block
    where (blocker_id = ${viewerId} and blocked_id = ${otherId}) or (blocker_id = ${otherId} and blocked_id = ${viewerId})`;
  return {
    byViewer: rows.some((row) => row.blocker_id === viewerId),
    byOther: rows.some((row) => row.blocker_id === otherId),
  };
}
