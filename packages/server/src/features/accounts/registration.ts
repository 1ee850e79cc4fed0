import { type Locale, type Role, USERNAME_PATTERN } from '@hvideo/protocol';
import { AppError } from '../../kernel/errors.ts';
import type { MacKeys } from '../../kernel/mac.ts';
import type { Sql } from '../../ports/database/port.ts';
import type { Invitations } from './invitations.ts';
import { checkPassword, type PasswordHasher } from './passwords.ts';
import type { PhoneCodes } from './phone-codes.ts';
import type { Sessions, Tokens } from './sessions.ts';
import { refuseRetiredName, translateTaken } from './store.ts';
import type { AccountDeps, Caller, NewAccount } from './types.ts';
import { checkUsername } from './usernames.ts';

export interface RegisterInput {
  readonly username: string;
  readonly password: string;
  readonly displayName?: string | undefined;
  readonly locale?: Locale | undefined;
  readonly phone?: string | undefined;
  readonly phoneCode?: string | undefined;
  readonly invitation?: string | undefined;
}

export interface SetupInput {
  readonly username: string;
  readonly password: string;
  readonly displayName?: string | undefined;
  readonly locale?: Locale | undefined;
  readonly instanceName?: string | undefined;
  readonly code?: string | undefined;
}

export interface InstanceState {
  readonly name: string;
  readonly registration: 'open' | 'invitation' | 'closed';
  readonly setupRequired: boolean;
  readonly demo: boolean;
}

/** Ways into the community. */
export class Registration {
  readonly #deps: AccountDeps;
  readonly #passwords: PasswordHasher;
  readonly #codes: PhoneCodes;
  readonly #sessions: Sessions;
  readonly #invitations: Invitations;
  /** Asked for from visitors who are not on this machine; the same on every node and after a restart. */
  readonly setupCode: string;

  constructor(
    deps: AccountDeps,
    parts: {
      macs: MacKeys;
      passwords: PasswordHasher;
      codes: PhoneCodes;
      sessions: Sessions;
      invitations: Invitations;
    },
  ) {
    this.#deps = deps;
    this.#passwords = parts.passwords;
    this.#codes = parts.codes;
    this.#sessions = parts.sessions;
    this.#invitations = parts.invitations;
    this.setupCode = parts.macs
      .sign('setup-code', 'instance')
      .replaceAll(/[^A-Za-z0-9]/g, '')
      .slice(0, 16);
  }

  async instance(): Promise<InstanceState> {
    const [row] = await this.#deps.db.sql<{ name: string | null; demo: boolean; empty: boolean }>`
      select name, demo, set_up_at is null and not exists (select 1 from account) as empty from instance`;
    const demo = row?.demo === true || (this.#deps.settings.demo && row?.empty === true);
    return {
      name: row?.name ?? this.#deps.settings.instanceName,
      registration: this.#deps.settings.registration,
      setupRequired: row?.empty === true && !demo,
      demo,
    };
  }

  /**
   * Makes an empty instance a demo and gives it all its people, in one transaction: never half of them, and never beside
   * others. Nobody can log in as one of them. Answers whether the instance is a demo, now or since before.
   */
  async beginDemo(people: readonly Omit<NewAccount, 'password'>[]): Promise<boolean> {
    return this.#deps.db.transaction(async (tx) => {
      // Whoever comes second waits here for the first, and then finds it done.
      const [begun] = await tx`
        update instance set demo = true
        where not demo and set_up_at is null and not exists (select 1 from account) returning 1 as one`;
      if (begun) for (const person of people) await this.#insert(tx, person, null);
      const [row] = await tx<{ demo: boolean }>`select demo from instance`;
      return row?.demo === true;
    });
  }

  /** Whether everything of the demo has been made once: what goes missing later was taken away on purpose. */
  async isDemoComplete(): Promise<boolean> {
    const [row] = await this.#deps.db.sql`select 1 as one from instance where demo_completed_at is not null`;
    return row !== undefined;
  }

  async completeDemo(): Promise<void> {
    const now = new Date(this.#deps.clock.nowMs());
    await this.#deps.db.sql`update instance set demo_completed_at = ${now} where demo_completed_at is null`;
  }

  async register(input: RegisterInput, caller: Caller): Promise<Tokens> {
    const { db, settings } = this.#deps;
    if ((await this.instance()).setupRequired) throw new AppError('setup-required');
    if (settings.registration === 'closed') throw new AppError('registration-closed');
    const invitation = settings.registration === 'invitation' ? input.invitation : undefined;
    if (settings.registration === 'invitation') await this.#invitations.check(invitation);
    checkUsername(input.username);
    checkPassword(input.password, input.username);
    if (input.phone !== undefined && input.phoneCode === undefined)
      throw new AppError('invalid-request', { fields: { phoneCode: 'must prove the phone number' } });
    const proof =
      input.phone === undefined ? undefined : await this.#codes.prove(input.phone, input.phoneCode ?? '');
    const passwordHash = await this.#passwords.hash(input.password);
    const opened = await db
      .transaction(async (tx) => {
        const id = await this.#insert(tx, { ...input, phone: proof?.phone, role: 'user' }, passwordHash);
        if (proof) await this.#codes.use(tx, proof);
        if (invitation !== undefined) await this.#invitations.use(tx, invitation);
        return this.#sessions.open(tx, { id, role: 'user' }, caller);
      })
      .catch(translateTaken);
    return this.#sessions.seal(opened);
  }

  /** `local`: the visitor sits at this machine. Errors: `setup-done`, `bad-code`, and those of `register`. */
  async setup(input: SetupInput, caller: Caller & { readonly local: boolean }): Promise<Tokens> {
    const { db, clock } = this.#deps;
    if (!(await this.instance()).setupRequired) throw new AppError('setup-done');
    if (!caller.local && input.code?.trim() !== this.setupCode) throw new AppError('bad-code');
    checkPassword(input.password, input.username);
    const passwordHash = await this.#passwords.hash(input.password);
    const opened = await db
      .transaction(async (tx) => {
        // Whoever comes second waits here for the first, and then finds the time set.
        const [first] = await tx`
          update instance
          set set_up_at = ${new Date(clock.nowMs())}, name = coalesce(${input.instanceName ?? null}, name)
          where set_up_at is null and not exists (select 1 from account)
          returning 1 as one`;
        if (!first) throw new AppError('setup-done');
        const id = await this.#insert(tx, { ...input, role: 'admin' }, passwordHash);
        return this.#sessions.open(tx, { id, role: 'admin' }, caller);
      })
      .catch(translateTaken);
    return this.#sessions.seal(opened);
  }

  /**
   * For the command line and the seed: without limits, invitations and reserved names. Answers the id.
   * Errors: `invalid-request`, `weak-password`, `username-taken`.
   */
  async create(account: NewAccount): Promise<string> {
    if (!USERNAME_PATTERN.test(account.username))
      throw new AppError('invalid-request', {
        fields: { username: 'must be 3 to 30 of a-z, 0-9 and _, with a letter or digit at both ends' },
      });
    if (account.password !== null) checkPassword(account.password, account.username);
    const hash = account.password === null ? null : await this.#passwords.hash(account.password);
    return this.#deps.db.transaction((tx) => this.#insert(tx, account, hash)).catch(translateTaken);
  }

  async #insert(
    tx: Sql,
    account: Omit<NewAccount, 'password'> & { readonly role?: Role | undefined },
    passwordHash: string | null,
  ): Promise<string> {
    const { ids, clock } = this.#deps;
    const now = new Date(clock.nowMs());
    const id = ids.next();
    await tx`
      insert into account (id, username, display_name, bio, locale, phone, password_hash, role, created_at)
      values (${id}, ${account.username}, ${account.displayName ?? account.username}, ${account.bio ?? ''},
        ${account.locale ?? null}, ${account.phone ?? null}, ${passwordHash}, ${account.role ?? 'user'}, ${now})`;
    await tx`insert into account_counts (account_id) values (${id})`;
    await refuseRetiredName(tx, account.username, id, now);
    return id;
  }
}
