import { dependency } from '../../cache/index.ts';
import { type Announcement, type Announcements, MAX_ANNOUNCED } from '../../ports/announcements/port.ts';
import type { Sql } from '../../ports/database/port.ts';

/** Of the announcements that an account's graph has changed. */
export const GRAPH_KIND = 'graph';

export interface GraphEpoch {
  readonly accountId: string;
  /** Grows with every change of whom the account follows, mutes or blocks, or how its edges are served. */
  readonly epoch: string;
}

/** What a node keeps of an account's graph, by its name in the cache: outdated when the node hears of another epoch. */
export const graphOf = dependency('graph_epoch', 'account_id');

/** In the transaction of the change; the rows stay locked until it ends, in the order of the accounts. */
export async function bumpEpochs(tx: Sql, accountIds: readonly string[]): Promise<GraphEpoch[]> {
  const rows = await tx<{ id: string; epoch: string }>`
    insert into graph_epoch (account_id, epoch)
    select each.id, 1 from unnest(${tx.array([...new Set(accountIds)], 'int8')}) as each (id) order by each.id
    on conflict (account_id) do update set epoch = graph_epoch.epoch + 1
    returning account_id as id, epoch`;
  return rows.map(({ id, epoch }) => ({ accountId: id, epoch }));
}

/** As they are: for a change that was made before, and perhaps not announced. An account without one has not changed. */
export async function currentEpochs(sql: Sql, accountIds: readonly string[]): Promise<GraphEpoch[]> {
  return sql<GraphEpoch>`
    select account_id as "accountId", epoch from graph_epoch
    where account_id = any(${sql.array(accountIds, 'int8')}) order by account_id`;
}

export const graphFact = ({ accountId, epoch }: GraphEpoch): Announcement => ({
  kind: GRAPH_KIND,
  text: `${accountId}:${epoch}`,
});

/** After the commit and before the answer. Errors: `timeout` (outcome unknown). */
export async function announceEpochs(
  announcements: Pick<Announcements, 'announce'>,
  epochs: readonly GraphEpoch[],
): Promise<void> {
  for (let start = 0; start < epochs.length; start += MAX_ANNOUNCED)
    await announcements.announce(epochs.slice(start, start + MAX_ANNOUNCED).map(graphFact));
}

/** The text of an announcement, read back. */
export function readEpoch(text: string): GraphEpoch {
  const at = text.indexOf(':');
  return { accountId: text.slice(0, at), epoch: text.slice(at + 1) };
}
