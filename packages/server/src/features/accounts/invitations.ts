import type { Invitation, Page } from '@hvideo/protocol';
import { pageOfRows } from '../../kernel/cursor.ts';
import { AppError } from '../../kernel/errors.ts';
import { randomToken } from '../../kernel/random.ts';
import type { Idempotency, Sql } from '../../ports/database/port.ts';
import type { AccountDeps, Viewer } from './types.ts';

const DAY_MS = 86_400_000;
const CODE_BYTES = 15;
const CURSOR = 'invitations';

interface InvitationRow {
  readonly id: string;
  readonly code: string;
  readonly uses_left: number;
  readonly created_at: Date;
  readonly expires_at: Date;
}

export class Invitations {
  readonly #deps: AccountDeps;

  constructor(deps: AccountDeps) {
    this.#deps = deps;
  }

  async create(
    viewer: Viewer,
    { uses, validDays }: { uses: number; validDays: number },
    idempotency: Idempotency | undefined,
  ): Promise<Invitation> {
    const { db, ids, clock, random } = this.#deps;
    const now = new Date(clock.nowMs());
    const expiresAt = new Date(now.getTime() + validDays * DAY_MS);
    return db.write(idempotency, async (tx) => {
      const code = randomToken(random, CODE_BYTES);
      await tx`
        insert into invitation (id, code, uses_left, created_by, created_at, expires_at)
        values (${ids.next()}, ${code}, ${uses}, ${viewer.accountId}, ${now}, ${expiresAt})`;
      return { code, usesLeft: uses, createdAt: now.toISOString(), expiresAt: expiresAt.toISOString() };
    });
  }

  /** Those that still work, newest first. */
  async list({ cursor, limit }: { cursor?: string | undefined; limit: number }): Promise<Page<Invitation>> {
    const { db, clock, cursors } = this.#deps;
    const [before = null] = cursor ? cursors.decode(CURSOR, cursor) : [];
    const rows = await db.sql<InvitationRow>`
      select * from invitation
      where uses_left > 0 and expires_at > ${new Date(clock.nowMs())}
        and (${before}::int8 is null or id < ${before}::int8)
      order by id desc limit ${limit + 1}`;
    const page = pageOfRows(rows, limit, (last) => cursors.encode(CURSOR, [last.id]));
    return { items: page.rows.map(toInvitation), nextCursor: page.nextCursor };
  }

  /** Errors: `not-found`. */
  async revoke(code: string, idempotency: Idempotency | undefined): Promise<void> {
    await this.#deps.db.write(idempotency, async (tx) => {
      const [gone] = await tx`delete from invitation where code = ${code} returning 1 as one`;
      if (!gone) throw new AppError('not-found');
    });
  }

  /** A look before the costly work; `use` decides. Errors: `invitation-required`, `invitation-invalid`. */
  async check(code: string | undefined): Promise<void> {
    if (code === undefined || code === '') throw new AppError('invitation-required');
    const { db, clock } = this.#deps;
    const [valid] = await db.sql`
      select 1 as one from invitation
      where code = ${code} and uses_left > 0 and expires_at > ${new Date(clock.nowMs())}`;
    if (!valid) throw new AppError('invitation-invalid');
  }

  /** Errors: `invitation-invalid`. */
  async use(tx: Sql, code: string): Promise<void> {
    const [used] = await tx`
      update invitation set uses_left = uses_left - 1
      where code = ${code} and uses_left > 0 and expires_at > ${new Date(this.#deps.clock.nowMs())}
      returning 1 as one`;
    if (!used) throw new AppError('invitation-invalid');
  }
}

function toInvitation(row: InvitationRow): Invitation {
  return {
    code: row.code,
    usesLeft: row.uses_left,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
  };
}
