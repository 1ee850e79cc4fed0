import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Database, Idempotency, Sql } from '../../ports/database/port.ts';
import type { Accounts } from '../accounts/index.ts';
import { blockBetween } from './relations.ts';

export const MAX_FOLLOWING = 7_500;

export interface EdgeDeps {
  readonly db: Database;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly accounts: Pick<Accounts, 'profiles'>;
}

/**
 * Follow, mute and block: all idempotent. Every change of an edge first locks the counts of both accounts in the order of
 * their ids, so that follows and blocks of the same pair come one after another and counts stay right.
 */
export class Edges {
  readonly #deps: EdgeDeps;

  constructor(deps: EdgeDeps) {
    this.#deps = deps;
  }

  /** Errors: `cannot-target-self`, `not-found`, `blocked` (the viewer blocks the other), `too-many-follows`. */
  async follow(viewerId: string, otherId: string, idempotency?: Idempotency): Promise<void> {
    await this.#change(viewerId, otherId, idempotency, async (tx, following) => {
      const { byViewer, byOther } = await blockBetween(tx, viewerId, otherId);
      // Who is blocked does not learn it here: the other is not there.
      if (byOther) throw new AppError('not-found');
      if (byViewer) throw new AppError('blocked');
      const [made] = await tx`
        insert into follow (id, follower_id, followee_id, created_at)
        values (${this.#deps.ids.next()}, ${viewerId}, ${otherId}, ${this.#now()})
        on conflict do nothing returning 1 as one`;
      if (!made) return;
      if (following >= MAX_FOLLOWING) throw new AppError('too-many-follows');
      await this.#count(tx, viewerId, otherId, 1);
    });
  }

  async unfollow(viewerId: string, otherId: string, idempotency?: Idempotency): Promise<void> {
    await this.#change(viewerId, otherId, idempotency, (tx) => this.#remove(tx, viewerId, otherId));
  }

  async mute(viewerId: string, otherId: string, idempotency?: Idempotency): Promise<void> {
    await this.#change(viewerId, otherId, idempotency, async (tx) => {
      await tx`
        insert into mute (id, muter_id, muted_id, created_at)
        values (${this.#deps.ids.next()}, ${viewerId}, ${otherId}, ${this.#now()}) on conflict do nothing`;
    });
  }

  async unmute(viewerId: string, otherId: string, idempotency?: Idempotency): Promise<void> {
    await this.#change(viewerId, otherId, idempotency, async (tx) => {
      await tx`delete from mute where muter_id = ${viewerId} and muted_id = ${otherId}`;
    });
  }

  /** Ends the follows in both directions. */
  async block(viewerId: string, otherId: string, idempotency?: Idempotency): Promise<void> {
    await this.#change(viewerId, otherId, idempotency, async (tx) => {
      await tx`
        insert into block (id, blocker_id, blocked_id, created_at)
        values (${this.#deps.ids.next()}, ${viewerId}, ${otherId}, ${this.#now()}) on conflict do nothing`;
      await this.#remove(tx, viewerId, otherId);
      await this.#remove(tx, otherId, viewerId);
    });
  }

  async unblock(viewerId: string, otherId: string, idempotency?: Idempotency): Promise<void> {
    await this.#change(viewerId, otherId, idempotency, async (tx) => {
      await tx`delete from block where blocker_id = ${viewerId} and blocked_id = ${otherId}`;
    });
  }

  /** For an account that goes: the people at the other ends of its edges are one fewer. */
  async erase(tx: Sql, accountId: string): Promise<void> {
    await tx`
      with locked as (
        select c.account_id from account_counts c
        where c.account_id in (select followee_id from follow where follower_id = ${accountId})
          or c.account_id in (select follower_id from follow where followee_id = ${accountId})
        order by c.account_id for update),
      as_follower as (delete from follow where follower_id = ${accountId} returning followee_id),
      as_followee as (delete from follow where followee_id = ${accountId} returning follower_id)
      update account_counts c set
        followers = followers - (select count(*) from as_follower where followee_id = c.account_id)::int4,
        following = following - (select count(*) from as_followee where follower_id = c.account_id)::int4
      from locked where c.account_id = locked.account_id`;
  }

  async #change(
    viewerId: string,
    otherId: string,
    idempotency: Idempotency | undefined,
    work: (tx: Sql, following: number) => Promise<void>,
  ): Promise<void> {
    if (viewerId === otherId) throw new AppError('cannot-target-self');
    await this.#deps.db.write(idempotency, async (tx) => {
      const counts = await this.#deps.accounts.profiles.lockCounts(tx, [viewerId, otherId]);
      if (!counts.has(otherId)) throw new AppError('not-found');
      await work(tx, counts.get(viewerId)?.following ?? 0);
    });
  }

  async #remove(tx: Sql, followerId: string, followeeId: string): Promise<void> {
    const [removed] = await tx`
      delete from follow where follower_id = ${followerId} and followee_id = ${followeeId} returning 1 as one`;
    if (removed) await this.#count(tx, followerId, followeeId, -1);
  }

  async #count(tx: Sql, followerId: string, followeeId: string, delta: 1 | -1): Promise<void> {
    await this.#deps.accounts.profiles.addToCounts(tx, followerId, { following: delta });
    await this.#deps.accounts.profiles.addToCounts(tx, followeeId, { followers: delta });
  }

  #now(): Date {
    return new Date(this.#deps.clock.nowMs());
  }
}
