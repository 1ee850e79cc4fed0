import type { Locale, Role, User } from '@hvideo/protocol';
import { AppError } from '../../kernel/errors.ts';
import { type Sql, UniqueViolation } from '../../ports/database/port.ts';

export interface AccountRow {
  readonly id: string;
  readonly username: string;
  readonly display_name: string;
  readonly bio: string;
  readonly avatar_key: string | null;
  readonly locale: Locale | null;
  readonly phone: string | null;
  readonly password_hash: string | null;
  readonly role: Role;
  readonly suspended_at: Date | null;
  readonly suspended_until: Date | null;
  readonly suspension_reason: string | null;
  readonly created_at: Date;
}

type Suspension = Pick<AccountRow, 'suspended_at' | 'suspended_until'>;

export function isSuspended(row: Suspension, nowMs: number): boolean {
  return row.suspended_at !== null && (row.suspended_until === null || row.suspended_until.getTime() > nowMs);
}

/** Said only to somebody who has proven to be the owner. */
export function refuseSuspended(row: AccountRow, nowMs: number): void {
  if (!isSuspended(row, nowMs)) return;
  const end =
    row.suspended_until === null ? '' : ` The suspension ends at ${row.suspended_until.toISOString()}.`;
  throw new AppError('suspended', { detail: `Reason: ${row.suspension_reason ?? 'none was given'}.${end}` });
}

export type UserColumns = Pick<AccountRow, 'id' | 'username' | 'display_name' | 'avatar_key'>;

export function toUser(row: UserColumns): User {
  return {
    id: row.id,
    username: row.username,
    displayName: row.display_name,
    avatarUrl: row.avatar_key === null ? null : `/media/${row.avatar_key}`,
  };
}

export async function findById(sql: Sql, id: string): Promise<AccountRow | undefined> {
  const [row] = await sql<AccountRow>`select * from account where id = ${id}`;
  return row;
}

export async function findByName(sql: Sql, username: string): Promise<AccountRow | undefined> {
  const [row] = await sql<AccountRow>`select * from account where username = ${username}`;
  return row;
}

export async function findByPhone(sql: Sql, phone: string): Promise<AccountRow | undefined> {
  const [row] = await sql<AccountRow>`select * from account where phone = ${phone}`;
  return row;
}

/** Until the end of the transaction nobody else changes this account's row; references to it may still be made. */
export async function lockAccount(tx: Sql, id: string): Promise<AccountRow | undefined> {
  const [row] = await tx<AccountRow>`select * from account where id = ${id} for no key update`;
  return row;
}

/** Says which of the unique values was taken. */
export function translateTaken(error: unknown): never {
  if (error instanceof UniqueViolation && error.constraint === 'account_username_key')
    throw new AppError('username-taken', { fields: { username: 'is taken' } });
  if (error instanceof UniqueViolation && error.constraint === 'account_phone_key')
    throw new AppError('phone-taken', { fields: { phone: 'belongs to another account' } });
  throw error;
}

/**
 * Refuses a name that somebody else gave up a while ago. Called after the name was written: if its owner was leaving at
 * the same time, the unique index has waited for that transaction, and only then is its entry here to be seen.
 */
export async function refuseRetiredName(
  tx: Sql,
  username: string,
  accountId: string,
  now: Date,
): Promise<void> {
  const [retired] = await tx`
    select 1 as one from retired_username
    where username = ${username} and account_id <> ${accountId} and until > ${now}`;
  if (retired) throw new AppError('username-taken', { fields: { username: 'is taken' } });
}

export async function retireName(tx: Sql, username: string, accountId: string, until: Date): Promise<void> {
  await tx`
    insert into retired_username (username, account_id, until) values (${username}, ${accountId}, ${until})
    on conflict (username) do update set account_id = excluded.account_id, until = excluded.until`;
}
