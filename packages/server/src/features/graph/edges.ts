import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Announcements } from '../../ports/announcements/port.ts';
import { type Database, ForeignKeyViolation, type Idempotency, type Sql } from '../../ports/database/port.ts';
import type { OwnChange, TellOwnChanges } from '../../ports/own-changes/port.ts';
import type { Accounts } from '../accounts/index.ts';
import type { Counters, Increment, Recorded } from '../counters/index.ts';
import { announceEpochs, bumpEpochs, currentEpochs, type GraphEpoch } from './epochs.ts';
import { blockBetween } from './relations.ts';

export const MAX_FOLLOWING = 7_500;

export interface EdgeDeps {
  readonly db: Database;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly accounts: Pick<Accounts, 'profiles'>;
  readonly announcements: Pick<Announcements, 'announce'>;
  readonly counters: Counters;
  readonly tell: TellOwnChanges;
  readonly log: Logger;
}

/** A change of edges under way: the accounts whose number of follows it changes are locked. */
interface Change {
  readonly tx: Sql;
  /** How many the viewer follows. */
  readonly following: number;
  readonly increments: Increment[];
  /** An edge was made or ended, and not found as it should be. */
  hasChanged: boolean;
}

/**
 * Follow, mute and block: all idempotent. Changes of the same two people come one after another (an advisory lock on the
 * pair). Nobody locks a row of the one who is followed: their followers are a combined counter, so that a rush of
 * follows on one account is no queue.
 */
export class Edges {
  readonly #deps: EdgeDeps;

  constructor(deps: EdgeDeps) {
    this.#deps = deps;
  }

  /** Errors: `cannot-target-self`, `not-found`, `blocked` (the viewer blocks the other), `too-many-follows`. */
  async follow(viewerId: string, otherId: string, idempotency?: Idempotency): Promise<void> {
    await this.#change(viewerId, otherId, idempotency, async (change) => {
      const { tx } = change;
      const { byViewer, byOther } = await blockBetween(tx, viewerId, otherId);
      // Who is blocked does not learn it here: the other is not there.
      if (byOther) throw new AppError('not-found');
      if (byViewer) throw new AppError('blocked');
      const [made] = await tx`
        insert into follow (id, follower_id, followee_id, created_at)
        values (${this.#deps.ids.next()}, ${viewerId}, ${otherId}, ${this.#now()})
        on conflict do nothing returning 1 as one`;
      if (!made) return;
      if (change.following >= MAX_FOLLOWING) throw new AppError('too-many-follows');
      change.hasChanged = true;
      await this.#count(change, viewerId, otherId, 1);
    });
  }

  async unfollow(viewerId: string, otherId: string, idempotency?: Idempotency): Promise<void> {
    await this.#change(viewerId, otherId, idempotency, (change) => this.#remove(change, viewerId, otherId));
  }

  async mute(viewerId: string, otherId: string, idempotency?: Idempotency): Promise<void> {
    await this.#change(viewerId, otherId, idempotency, async (change) => {
      const made = await change.tx`
        insert into mute (id, muter_id, muted_id, created_at)
        values (${this.#deps.ids.next()}, ${viewerId}, ${otherId}, ${this.#now()})
        on conflict do nothing returning 1 as one`;
      change.hasChanged = made.length > 0;
    });
  }

  async unmute(viewerId: string, otherId: string, idempotency?: Idempotency): Promise<void> {
    await this.#change(viewerId, otherId, idempotency, async (change) => {
      const ended = await change.tx`
        delete from mute where muter_id = ${viewerId} and muted_id = ${otherId} returning 1 as one`;
      change.hasChanged = ended.length > 0;
    });
  }

  /** Ends the follows in both directions. */
  async block(viewerId: string, otherId: string, idempotency?: Idempotency): Promise<void> {
    await this.#change(
      viewerId,
      otherId,
      idempotency,
      async (change) => {
        const made = await change.tx`
          insert into block (id, blocker_id, blocked_id, created_at)
          values (${this.#deps.ids.next()}, ${viewerId}, ${otherId}, ${this.#now()})
          on conflict do nothing returning 1 as one`;
        change.hasChanged = made.length > 0;
        await this.#remove(change, viewerId, otherId);
        await this.#remove(change, otherId, viewerId);
      },
      [viewerId, otherId],
    );
  }

  async unblock(viewerId: string, otherId: string, idempotency?: Idempotency): Promise<void> {
    await this.#change(
      viewerId,
      otherId,
      idempotency,
      async (change) => {
        const ended = await change.tx`
          delete from block where blocker_id = ${viewerId} and blocked_id = ${otherId} returning 1 as one`;
        change.hasChanged = ended.length > 0;
      },
      [viewerId, otherId],
    );
  }

  /**
   * For an account that goes: the people at the other ends of its edges are one fewer, and who followed it has another feed.
   * Call what it answers at the commit.
   */
  async erase(tx: Sql, accountId: string): Promise<() => Promise<void>> {
    const { announcements, counters, log } = this.#deps;
    const followed = await tx<{ followee_id: string }>`
      delete from follow where follower_id = ${accountId} returning followee_id`;
    const followers = await tx<{ id: string }>`
      with locked as (
        select c.account_id from account_counts c
        where c.account_id in (select follower_id from follow where followee_id = ${accountId})
        order by c.account_id for update),
      as_followee as (delete from follow where followee_id = ${accountId} returning follower_id)
      update account_counts c set following = following - 1
      from locked join as_followee on follower_id = locked.account_id where c.account_id = locked.account_id
      returning c.account_id as id`;
    const epochs = await bumpEpochs(
      tx,
      followers.map(({ id }) => id),
    );
    const recorded = await counters.record(
      tx,
      followed.map(({ followee_id: id }) => ({ id, metric: 'followers', delta: -1 })),
    );
    await counters.forget(tx, [accountId]);
    return async () => {
      counters.committed(recorded);
      // The account is gone whatever happens; the change feed announces what is left.
      await announceEpochs(announcements, epochs).catch((error: unknown) =>
        log.warn({ err: error }, 'epochs were not announced'),
      );
    };
  }

  /** `touched`: whose feeds may show something else after it; their numbers of follows are locked. */
  async #change(
    viewerId: string,
    otherId: string,
    idempotency: Idempotency | undefined,
    work: (change: Change) => Promise<void>,
    touched: readonly string[] = [viewerId],
  ): Promise<void> {
    if (viewerId === otherId) throw new AppError('cannot-target-self');
    const { accounts, announcements, counters, db, tell } = this.#deps;
    let recorded: Recorded | undefined;
    let epochs: readonly GraphEpoch[] = [];
    await db
      .write(idempotency, async (tx) => {
        recorded = undefined;
        epochs = [];
        await lockPair(tx, viewerId, otherId);
        const counts = await accounts.profiles.lockCounts(tx, touched);
        const own = counts.get(viewerId);
        const [other] = await tx`select 1 as one from account where id = ${otherId}`;
        if (!own || !other) throw new AppError('not-found');
        const change: Change = { tx, following: own.following, increments: [], hasChanged: false };
        await work(change);
        if (change.hasChanged) epochs = await bumpEpochs(tx, touched);
        recorded = await counters.record(tx, change.increments);
      })
      .catch((error: unknown) => {
        // One of the two went meanwhile.
        throw error instanceof ForeignKeyViolation ? new AppError('not-found', { cause: error }) : error;
      });
    if (recorded) counters.committed(recorded);
    // Nothing to change: it may be a second try, after one that was made and could not be announced.
    if (epochs.length === 0) epochs = await currentEpochs(db.sql, touched);
    // In this order: whoever hears of it reads it anew, and must not find the old again.
    await tell(edgesBetween(viewerId, otherId));
    await announceEpochs(announcements, epochs);
  }

  async #remove(change: Change, followerId: string, followeeId: string): Promise<void> {
    const [removed] = await change.tx`
      delete from follow where follower_id = ${followerId} and followee_id = ${followeeId} returning 1 as one`;
    if (!removed) return;
    change.hasChanged = true;
    await this.#count(change, followerId, followeeId, -1);
  }

  async #count(change: Change, followerId: string, followeeId: string, delta: 1 | -1): Promise<void> {
    await this.#deps.accounts.profiles.addToFollowing(change.tx, followerId, delta);
    change.increments.push({ id: followeeId, metric: 'followers', delta });
  }

  #now(): Date {
    return new Date(this.#deps.clock.nowMs());
  }
}

/** Whichever of them has changed. */
function edgesBetween(one: string, other: string): OwnChange[] {
  return [
    { table: 'follow', after: { follower_id: one, followee_id: other } },
    { table: 'follow', after: { follower_id: other, followee_id: one } },
    { table: 'mute', after: { muter_id: one, muted_id: other } },
    { table: 'block', after: { blocker_id: one, blocked_id: other } },
  ];
}

/** Held until the transaction ends. */
async function lockPair(tx: Sql, one: string, other: string): Promise<void> {
  const pair = BigInt(one) < BigInt(other) ? `${one}:${other}` : `${other}:${one}`;
  await tx`select pg_advisory_xact_lock(hashtextextended(${`edges of ${pair}`}, 0))`;
}
