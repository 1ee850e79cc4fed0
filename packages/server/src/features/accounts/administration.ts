import type { Role } from '@hvideo/protocol';
import { AppError } from '../../kernel/errors.ts';
import { randomToken } from '../../kernel/random.ts';
import type { Idempotency, Sql } from '../../ports/database/port.ts';
import type { Authentication } from './authentication.ts';
import type { PasswordHasher } from './passwords.ts';
import type { Sessions } from './sessions.ts';
import { findByName, lockAccount } from './store.ts';
import type { AccountDeps, Viewer } from './types.ts';

const rank: Readonly<Record<Role, number>> = { user: 0, moderator: 1, admin: 2 };
const GENERATED_PASSWORD_BYTES = 12;

export class Administration {
  readonly #deps: AccountDeps;
  readonly #passwords: PasswordHasher;
  readonly #sessions: Sessions;
  readonly #authentication: Authentication;

  constructor(
    deps: AccountDeps,
    parts: { passwords: PasswordHasher; sessions: Sessions; authentication: Authentication },
  ) {
    this.#deps = deps;
    this.#passwords = parts.passwords;
    this.#sessions = parts.sessions;
    this.#authentication = parts.authentication;
  }

  /**
   * Ends the account's logins as well. Nobody suspends an equal: a moderator only users, an admin everyone but admins.
   * Errors: `forbidden`, `cannot-target-self`, `not-found`, `invalid-request` (an end that has passed).
   */
  async suspend(
    viewer: Viewer,
    accountId: string,
    { reason, until }: { reason: string; until: Date | null },
    idempotency: Idempotency | undefined,
  ): Promise<void> {
    const now = new Date(this.#deps.clock.nowMs());
    if (until !== null && until.getTime() <= now.getTime())
      throw new AppError('invalid-request', { fields: { until: 'must be in the future' } });
    const ended = await this.#deps.db.write(idempotency, async (tx) => {
      await this.#lockSubordinate(tx, viewer, accountId);
      await tx`
        update account
        set suspended_at = ${now}, suspended_until = ${until}, suspension_reason = ${reason},
          suspended_by = ${viewer.accountId}
        where id = ${accountId}`;
      return this.#sessions.endAll(tx, accountId);
    });
    this.#authentication.forget(ended);
    await this.#deps.tell([{ table: 'account', after: { id: accountId } }]);
  }

  /** Idempotent. Errors: as `suspend`. */
  async unsuspend(viewer: Viewer, accountId: string, idempotency: Idempotency | undefined): Promise<void> {
    await this.#deps.db.write(idempotency, async (tx) => {
      await this.#lockSubordinate(tx, viewer, accountId);
      await tx`
        update account
        set suspended_at = null, suspended_until = null, suspension_reason = null, suspended_by = null
        where id = ${accountId}`;
    });
    await this.#deps.tell([{ table: 'account', after: { id: accountId } }]);
  }

  /** Errors: `not-found`, `last-admin`. */
  async setRole(accountId: string, role: Role, idempotency?: Idempotency | undefined): Promise<void> {
    const sessions = await this.#deps.db.write(idempotency, async (tx) => {
      await lockAdmins(tx, 'exclusive');
      const account = await lockAccount(tx, accountId);
      if (!account) throw new AppError('not-found');
      if (role !== 'admin') await refuseLastAdmin(tx, accountId);
      await tx`update account set role = ${role} where id = ${accountId}`;
      const rows = await tx<{ id: string }>`select id from session where account_id = ${accountId}`;
      return rows.map(({ id }) => id);
    });
    this.#authentication.forget(sessions);
  }

  /** For the command line: whoever runs it owns the instance. Errors: `not-found`. */
  async setRoleByName(username: string, role: Role): Promise<void> {
    await this.setRole(await this.#idOf(username), role);
  }

  /** Answers the new password, ends every login. Errors: `not-found`. */
  async resetPassword(username: string): Promise<string> {
    const accountId = await this.#idOf(username);
    const password = randomToken(this.#deps.random, GENERATED_PASSWORD_BYTES);
    const hash = await this.#passwords.hash(password);
    const ended = await this.#deps.db.transaction(async (tx) => {
      await lockAccount(tx, accountId);
      await tx`update account set password_hash = ${hash} where id = ${accountId}`;
      return this.#sessions.endAll(tx, accountId);
    });
    this.#authentication.forget(ended);
    return password;
  }

  async #idOf(username: string): Promise<string> {
    const account = await findByName(this.#deps.db.sql, username.trim().toLowerCase().replace(/^@/, ''));
    if (!account) throw new AppError('not-found', { detail: 'No account has this username' });
    return account.id;
  }

  async #lockSubordinate(tx: Sql, viewer: Viewer, accountId: string): Promise<void> {
    if (accountId === viewer.accountId) throw new AppError('cannot-target-self');
    const account = await lockAccount(tx, accountId);
    if (!account) throw new AppError('not-found');
    if (rank[account.role] >= rank[viewer.role]) throw new AppError('forbidden');
  }
}

/** Any number: the advisory lock that orders what changes the set of admins. */
const ADMINS_LOCK = 727_401_911;

/** `shared` keeps roles as they are until the end of the transaction; `exclusive` is for changing them. */
export async function lockAdmins(tx: Sql, mode: 'shared' | 'exclusive'): Promise<void> {
  if (mode === 'shared') await tx`select pg_advisory_xact_lock_shared(${ADMINS_LOCK}::int8)`;
  else await tx`select pg_advisory_xact_lock(${ADMINS_LOCK}::int8)`;
}

/** Errors: `last-admin`. Two admins who leave at once wait here for each other, in the order of their ids. */
export async function refuseLastAdmin(tx: Sql, accountId: string): Promise<void> {
  const admins = await tx<{ id: string }>`
    select id from account where role = 'admin' order by id for no key update`;
  if (admins.length === 1 && admins[0]?.id === accountId) throw new AppError('last-admin');
}
