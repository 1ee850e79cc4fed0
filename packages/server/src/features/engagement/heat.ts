import type { Sql } from '../../ports/database/port.ts';
import { METRICS } from '../counters/index.ts';

/**
 * What comments are ordered by: likes, and twice the replies. Runs with every change of these totals, in the same
 * transaction, so that the order is that of the totals and nobody who likes a comment waits for its row.
 */
export async function refreshHeat(tx: Sql, commentIds: readonly string[]): Promise<void> {
  await tx`
    with hot as (
      select id, sum(case metric when ${METRICS.replies} then 2 * total else total end) as heat from counter
      where id = any(${tx.array(commentIds, 'int8')}) and metric in (${METRICS.commentLikes}, ${METRICS.replies})
      group by id),
    locked as (
      select c.id, hot.heat from comment c join hot on hot.id = c.id
      where c.heat is distinct from hot.heat order by c.id for no key update of c)
    update comment c set heat = locked.heat from locked where c.id = locked.id`;
}
