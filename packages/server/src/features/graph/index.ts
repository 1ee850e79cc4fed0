/**
 * Who follows, mutes and blocks whom.
 *
 *     const graph = createGraph({ db, ids, clock, cursors, accounts, announcements, counters, tell, log });
 *     graph.edges / graph.lists / graph.relations(viewerId, ids) / graph.resolve(reference, viewerId)
 */
import type { UserProfile } from '@hvideo/protocol';
import type { CursorCodec } from '../../kernel/cursor.ts';
import { AppError } from '../../kernel/errors.ts';
import type { AccountPart } from '../accounts/index.ts';
import { type EdgeDeps, Edges } from './edges.ts';
import { PeopleLists } from './lists.ts';
import { blockBetween, readRelations } from './relations.ts';

export { MAX_FOLLOWING } from './edges.ts';
export {
  announceEpochs,
  bumpEpochs,
  GRAPH_KIND,
  type GraphEpoch,
  graphFact,
  graphOf,
  readEpoch,
} from './epochs.ts';

export interface GraphDeps extends EdgeDeps {
  readonly cursors: CursorCodec;
}

export type Graph = ReturnType<typeof createGraph>;

export function createGraph(deps: GraphDeps) {
  const { db, accounts } = deps;
  const edges = new Edges(deps);
  const relations = (viewerId: string, ids: readonly string[]) => readRelations(db.sql, viewerId, ids);

  /** An id or @name of somebody whom the viewer may see. Errors: `not-found`. */
  const resolve = async (reference: string, viewerId: string | undefined): Promise<string> => {
    const id = await accounts.profiles.resolve(reference);
    if (viewerId !== undefined && viewerId !== id && (await blockBetween(db.sql, viewerId, id)).byOther)
      throw new AppError('not-found');
    return id;
  };

  /**
   * An id or @name of anybody, also of one who is suspended or blocks the viewer: a block has to be answerable by a
   * block, and what one has done to somebody has to stay revocable. Errors: `not-found`.
   */
  const resolveAnybody = (reference: string) =>
    accounts.profiles.resolve(reference, { includeSuspended: true });

  const profile = async (reference: string, viewerId: string | undefined): Promise<UserProfile> => {
    const id = await resolve(reference, viewerId);
    const [shown, relation] = await Promise.all([
      accounts.profiles.profile(id),
      viewerId === undefined ? null : relations(viewerId, [id]).then((found) => found.get(id) ?? null),
    ]);
    return { ...shown, relation };
  };

  const accountPart: AccountPart = {
    name: 'graph',
    async *exportData(accountId) {
      const { sql } = db;
      const following = await sql`
        select followee_id as id, username, f.created_at as since from follow f join account a on a.id = followee_id
        where follower_id = ${accountId} order by f.id`;
      const muted =
        await sql`select muted_id as id, created_at as since from mute where muter_id = ${accountId} order by id`;
      const blocked = await sql`
        select blocked_id as id, created_at as since from block where blocker_id = ${accountId} order by id`;
      yield { path: 'graph.json', body: { following, muted, blocked } };
    },
    erase: async (tx, accountId, afterCommit) => afterCommit(await edges.erase(tx, accountId)),
  };

  return { edges, lists: new PeopleLists(deps), relations, resolve, resolveAnybody, profile, accountPart };
}
