import type { Account, Locale, User, UserProfile } from '@hvideo/protocol';
import { AppError } from '../../kernel/errors.ts';
import type { Idempotency, Sql } from '../../ports/database/port.ts';
import {
  type AccountRow,
  isSuspended,
  lockAccount,
  refuseRetiredName,
  retireName,
  toUser,
  translateTaken,
  type UserColumns,
} from './store.ts';
import type { AccountDeps } from './types.ts';
import { checkUsername } from './usernames.ts';

const DAY_MS = 86_400_000;
/** A name stays its former owner's for so long: after a change of name, and after the account's end. */
const RENAMED_MS = 30 * DAY_MS;
export const DELETED_MS = 90 * DAY_MS;
/** Bounds how many names one account can keep from others. */
const MAX_RETIRED_NAMES = 3;
const MAX_CARDS = 1_000;

const self = { self: true, following: false, followedBy: false, muted: false, blocked: false } as const;

export interface ProfileChange {
  readonly displayName?: string | undefined;
  readonly bio?: string | undefined;
  readonly locale?: Locale | undefined;
  readonly username?: string | undefined;
}

interface Counts {
  readonly following: number;
  readonly videos: number;
}

type ProfileRow = AccountRow & Counts & { readonly followers: number };

export class Profiles {
  readonly #deps: AccountDeps;

  constructor(deps: AccountDeps) {
    this.#deps = deps;
  }

  /** One's own account. Errors: `not-found`. */
  async account(accountId: string): Promise<Account> {
    const row = await this.#read(accountId);
    return { ...this.#toProfile(row), relation: self, role: row.role, phone: row.phone, locale: row.locale };
  }

  /** As anybody may see it; relations are the graph's. Errors: `not-found`. */
  async profile(accountId: string): Promise<Omit<UserProfile, 'relation'>> {
    return this.#toProfile(await this.#read(accountId));
  }

  /** Unknown ids are absent; at most 1,000 at once. */
  async cards(ids: readonly string[]): Promise<Map<string, User>> {
    if (ids.length > MAX_CARDS) throw new RangeError(`cards of ${ids.length} accounts at once`);
    if (ids.length === 0) return new Map();
    const { sql } = this.#deps.db;
    const rows = await sql<UserColumns>`
      select id, username, display_name, avatar_key from account where id = any(${sql.array([...new Set(ids)], 'int8')})`;
    return new Map(rows.map((row) => [row.id, toUser(row)]));
  }

  /** Those of the ids who are there and not suspended; at most 1,000 at once. */
  async reachable(ids: readonly string[]): Promise<Set<string>> {
    if (ids.length > MAX_CARDS) throw new RangeError(`${ids.length} accounts at once`);
    if (ids.length === 0) return new Set();
    const { clock, db } = this.#deps;
    const rows = await db.sql<{ id: string }>`
      select id from account where id = any(${db.sql.array(ids, 'int8')})
        and (suspended_at is null or suspended_until <= ${new Date(clock.nowMs())})`;
    return new Set(rows.map(({ id }) => id));
  }

  /** An id or @name as the interface takes it. Errors: `not-found`, also for the suspended unless asked for. */
  async resolve(userId: string, options: { includeSuspended?: boolean } = {}): Promise<string> {
    const { sql } = this.#deps.db;
    const name = userId.startsWith('@') ? userId.slice(1).toLowerCase() : undefined;
    if (name === undefined && BigInt(userId) > 9223372036854775807n) throw new AppError('not-found');
    const where = name === undefined ? sql`id = ${userId}` : sql`username = ${name}`;
    const [row] = await sql<Pick<AccountRow, 'id' | 'suspended_at' | 'suspended_until'>>`
      select id, suspended_at, suspended_until from account where ${where}`;
    if (!row || (!options.includeSuspended && isSuspended(row, this.#deps.clock.nowMs())))
      throw new AppError('not-found');
    return row.id;
  }

  /** Errors: `username-taken`, `rate-limited` (too many changes of name). */
  async update(
    accountId: string,
    change: ProfileChange,
    idempotency: Idempotency | undefined,
  ): Promise<Account> {
    await this.#deps.db
      .write(idempotency, async (tx) => {
        const before = await lockAccount(tx, accountId);
        if (!before) throw new AppError('not-found');
        const username = change.username ?? before.username;
        if (username !== before.username) await this.#rename(tx, before, username);
        await tx`
          update account
          set display_name = ${change.displayName ?? before.display_name}, bio = ${change.bio ?? before.bio},
            locale = ${change.locale ?? before.locale}
          where id = ${accountId}`;
      })
      .catch(translateTaken);
    await this.#deps.tell([{ table: 'account', after: { id: accountId } }]);
    return this.account(accountId);
  }

  /** In the transaction that changes the follows. It locks the row until that commits: see `lockCounts`. */
  async addToFollowing(tx: Sql, accountId: string, delta: number): Promise<void> {
    await tx`update account_counts set following = following + ${delta}::int4 where account_id = ${accountId}`;
  }

  /** Locks in the order of ids, so that no two transactions wait for each other. Unknown ids are absent. */
  async lockCounts(tx: Sql, accountIds: readonly string[]): Promise<Map<string, Counts>> {
    const rows = await tx<Counts & { account_id: string }>`
      select account_id, following, videos from account_counts
      where account_id = any(${tx.array(accountIds, 'int8')})
      order by account_id for update`;
    return new Map(rows.map((row) => [row.account_id, row]));
  }

  async #rename(tx: Sql, before: AccountRow, username: string): Promise<void> {
    const now = new Date(this.#deps.clock.nowMs());
    checkUsername(username);
    const retired = await tx<{ until: Date }>`
      select until from retired_username
      where account_id = ${before.id} and until > ${now} and username <> ${username} order by until`;
    const [first] = retired;
    if (first && retired.length >= MAX_RETIRED_NAMES) {
      const retryAfterSeconds = Math.ceil((first.until.getTime() - now.getTime()) / 1000);
      throw new AppError('rate-limited', { detail: 'The name was changed too often', retryAfterSeconds });
    }
    await tx`update account set username = ${username} where id = ${before.id}`;
    await refuseRetiredName(tx, username, before.id, now);
    await tx`delete from retired_username where username = ${username} and account_id = ${before.id}`;
    await retireName(tx, before.username, before.id, new Date(now.getTime() + RENAMED_MS));
  }

  async #read(accountId: string): Promise<ProfileRow> {
    const { counters, db } = this.#deps;
    const [[row], [followers = 0]] = await Promise.all([
      db.sql<AccountRow & Counts>`
        select account.*, following, videos
        from account join account_counts on account_id = id where id = ${accountId}`,
      counters.read([{ id: accountId, metric: 'followers' }]),
    ]);
    if (!row) throw new AppError('not-found');
    return { ...row, followers };
  }

  #toProfile(row: ProfileRow): Omit<UserProfile, 'relation'> {
    return {
      ...toUser(row),
      bio: row.bio,
      createdAt: row.created_at.toISOString(),
      suspended: isSuspended(row, this.#deps.clock.nowMs()),
      counts: { followers: row.followers, following: row.following, videos: row.videos },
    };
  }
}
