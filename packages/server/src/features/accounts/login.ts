import { AppError } from '../../kernel/errors.ts';
import type { Idempotency, Sql } from '../../ports/database/port.ts';
import type { Attempts } from './attempts.ts';
import type { Authentication } from './authentication.ts';
import { checkPassword, type PasswordHasher } from './passwords.ts';
import type { PhoneCodes } from './phone-codes.ts';
import type { Sessions, Tokens } from './sessions.ts';
import { type AccountRow, findById, findByName, findByPhone, lockAccount, refuseSuspended } from './store.ts';
import type { AccountDeps, Caller, Viewer } from './types.ts';

/** Proofs of who somebody is: a password, or a code sent to a phone. */
export class Login {
  readonly #deps: AccountDeps;
  readonly #attempts: Attempts;
  readonly #passwords: PasswordHasher;
  readonly #codes: PhoneCodes;
  readonly #sessions: Sessions;
  readonly #authentication: Authentication;

  constructor(
    deps: AccountDeps,
    parts: {
      attempts: Attempts;
      passwords: PasswordHasher;
      codes: PhoneCodes;
      sessions: Sessions;
      authentication: Authentication;
    },
  ) {
    this.#deps = deps;
    this.#attempts = parts.attempts;
    this.#passwords = parts.passwords;
    this.#codes = parts.codes;
    this.#sessions = parts.sessions;
    this.#authentication = parts.authentication;
  }

  /** `login`: a username, with or without its @, or a phone number. Errors: `bad-credentials`, `suspended`. */
  async byPassword(login: string, password: string, caller: Caller): Promise<Tokens> {
    const name = login.trim().toLowerCase().replace(/^@/, '');
    this.#attempts.login(name, caller.address);
    const { sql } = this.#deps.db;
    const account = name.startsWith('+') ? await findByPhone(sql, name) : await findByName(sql, name);
    const proven = await this.#passwords.verify(password, account?.password_hash ?? null);
    if (!account || !proven) throw new AppError('bad-credentials');
    this.#attempts.loginSucceeded(name, caller.address);
    const opened = await this.#deps.db.transaction(async (tx) => {
      const locked = await this.#stillWelcome(tx, account.id);
      // The password was changed while the old one was being checked.
      if (locked.password_hash !== account.password_hash) throw new AppError('bad-credentials');
      return this.#sessions.open(tx, locked, caller);
    });
    return this.#sessions.seal(opened);
  }

  /** Errors: `bad-code`; `bad-credentials` to the owner of a number that has no account; `suspended`. */
  async byCode(phone: string, code: string, caller: Caller): Promise<Tokens> {
    this.#attempts.login(phone, caller.address);
    const proof = await this.#codes.prove(phone, code);
    this.#attempts.loginSucceeded(phone, caller.address);
    const account = await findByPhone(this.#deps.db.sql, phone);
    // The code stays good, so that the same person can join with it.
    if (!account) throw new AppError('bad-credentials', { detail: 'No account has this phone number' });
    const opened = await this.#deps.db.transaction(async (tx) => {
      const locked = await this.#stillWelcome(tx, account.id);
      await this.#codes.use(tx, proof);
      return this.#sessions.open(tx, locked, caller);
    });
    return this.#sessions.seal(opened);
  }

  /** Ends all other logins. Errors: `bad-credentials`, `weak-password`. */
  async changePassword(
    viewer: Viewer,
    passwords: { readonly currentPassword: string; readonly newPassword: string },
    options: { address: string; idempotency: Idempotency | undefined },
  ): Promise<void> {
    const account = await this.provePassword(viewer, passwords.currentPassword, options.address);
    checkPassword(passwords.newPassword, account.username);
    const hash = await this.#passwords.hash(passwords.newPassword);
    const ended = await this.#deps.db.write(options.idempotency, async (tx) => {
      const locked = await this.#stillWelcome(tx, account.id);
      if (locked.password_hash !== account.password_hash) throw new AppError('bad-credentials');
      await tx`update account set password_hash = ${hash} where id = ${account.id}`;
      return this.#sessions.endAll(tx, account.id, viewer.sessionId);
    });
    this.#authentication.forget(ended);
  }

  /** Asks again before something that cannot be undone. Errors: `bad-credentials`, `rate-limited`. */
  async provePassword(viewer: Viewer, password: string, address: string): Promise<AccountRow> {
    const key = `id ${viewer.accountId}`;
    this.#attempts.login(key, address);
    const account = await findById(this.#deps.db.sql, viewer.accountId);
    if (!account) throw new AppError('token-invalid');
    if (!(await this.#passwords.verify(password, account.password_hash)))
      throw new AppError('bad-credentials');
    this.#attempts.loginSucceeded(key, address);
    return account;
  }

  async #stillWelcome(tx: Sql, accountId: string): Promise<AccountRow> {
    const account = await lockAccount(tx, accountId);
    if (!account) throw new AppError('bad-credentials');
    refuseSuspended(account, this.#deps.clock.nowMs());
    return account;
  }
}
