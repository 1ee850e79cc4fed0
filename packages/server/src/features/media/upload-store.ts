import type { Sql } from '../../ports/database/port.ts';
import type { MediaProbe } from '../../ports/transcoder/port.ts';

export interface UploadRow {
  readonly id: string;
  readonly accountId: string;
  readonly size: number;
  readonly filename: string;
  readonly filetype: string;
  readonly state: 'receiving' | 'complete' | 'used';
  readonly probe: MediaProbe | null;
  readonly expiresAt: Date;
}

type StoredRow = Omit<UploadRow, 'size'> & { size: string };

const columns = (sql: Sql) =>
  sql`id, account_id as "accountId", size, filename, filetype, state, probe, expires_at as "expiresAt"`;

const toRow = (row: StoredRow | undefined): UploadRow | undefined =>
  row && { ...row, size: Number(row.size) };

/** Another person's upload is not found: nobody learns which ids exist. */
export async function findUpload(sql: Sql, accountId: string, id: string): Promise<UploadRow | undefined> {
  const [row] = await sql<StoredRow>`
    select ${columns(sql)} from upload where id = ${id} and account_id = ${accountId}`;
  return toRow(row);
}

export async function lockUpload(tx: Sql, accountId: string, id: string): Promise<UploadRow | undefined> {
  const [row] = await tx<StoredRow>`
    select ${columns(tx)} from upload where id = ${id} and account_id = ${accountId} for update`;
  return toRow(row);
}

/** What an account has stored. The lock makes concurrent uploads of one account count one after the other. */
export async function lockUsage(tx: Sql, accountId: string): Promise<{ bytes: number; unfinished: number }> {
  await tx`select 1 from account where id = ${accountId} for no key update`;
  const [row] = await tx<{ bytes: string; unfinished: number }>`
    select coalesce(sum(size), 0) as bytes, (count(*) filter (where state <> 'used'))::int4 as unfinished
    from upload where account_id = ${accountId}`;
  return { bytes: Number(row?.bytes ?? 0), unfinished: row?.unfinished ?? 0 };
}

export async function insertUpload(
  tx: Sql,
  row: { id: string; accountId: string; size: number; filename: string; filetype: string; expiresAt: Date },
): Promise<void> {
  await tx`
    insert into upload (id, account_id, size, filename, filetype, expires_at)
    values (${row.id}, ${row.accountId}, ${row.size}, ${row.filename}, ${row.filetype}, ${row.expiresAt})`;
}

export async function extendUpload(sql: Sql, id: string, expiresAt: Date): Promise<void> {
  await sql`update upload set expires_at = ${expiresAt} where id = ${id} and state <> 'used'`;
}

export async function completeUpload(
  sql: Sql,
  id: string,
  probe: MediaProbe,
  expiresAt: Date,
): Promise<void> {
  await sql`
    update upload set state = 'complete', probe = ${JSON.stringify(probe)}::text::jsonb, expires_at = ${expiresAt}
    where id = ${id} and state = 'receiving'`;
}

/** False when there is no such upload, or a video has it. */
export async function deleteUnusedUpload(tx: Sql, id: string): Promise<boolean> {
  const rows = await tx`delete from upload where id = ${id} and state <> 'used' returning id`;
  return rows.length > 0;
}

export async function expiredUploads(sql: Sql, now: Date, limit: number): Promise<string[]> {
  const rows = await sql<{ id: string }>`
    select id from upload where state <> 'used' and expires_at <= ${now} order by expires_at limit ${limit}`;
  return rows.map((row) => row.id);
}
