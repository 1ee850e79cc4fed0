import type { Page, Session } from '@hvideo/protocol';
import { pageOfRows } from '../../kernel/cursor.ts';
import { AppError } from '../../kernel/errors.ts';
import type { MacKeys } from '../../kernel/mac.ts';
import type { Idempotency, Sql } from '../../ports/database/port.ts';
import type { Authentication } from './authentication.ts';
import { deviceName } from './device-name.ts';
import { type AccountRow, findById, isSuspended, refuseSuspended } from './store.ts';
import { type AccessTokens, readRefreshToken, refreshTokenOf } from './tokens.ts';
import type { AccountDeps, Caller, Viewer } from './types.ts';

/** A further login ends the one that was used longest ago. */
export const MAX_SESSIONS = 50;
const ROTATION_LABEL = 'refresh-rotation';
const CURSOR = 'sessions';

export interface Tokens {
  readonly accountId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresInSeconds: number;
}

/** A login that was opened in a transaction; `seal` makes its tokens once that has committed. */
export interface OpenedSession {
  readonly viewer: Viewer;
  readonly ended: readonly string[];
}

interface SessionRow {
  readonly id: string;
  readonly account_id: string;
  readonly generation: number;
  readonly rotation_key: string | null;
  readonly device: string;
  readonly address: string;
  readonly created_at: Date;
  readonly last_used_at: Date;
  readonly expires_at: Date;
}

type Verdict =
  | { readonly kind: 'issued'; readonly generation: number; readonly account: AccountRow }
  | { readonly kind: 'ended'; readonly error: AppError };

/**
 * Logins. A refresh token names its login and a generation; the row keeps the generation that is valid now. Using it
 * makes the next one. An older one was used before, so that either the owner or a thief holds a copy: the login ends for
 * both. Only the request that made the present generation may be repeated, known by its Idempotency-Key, because its
 * answer may have been lost on the way.
 */
export class Sessions {
  readonly #deps: AccountDeps;
  readonly #tokens: AccessTokens;
  readonly #macs: MacKeys;
  readonly #authentication: Authentication;

  constructor(deps: AccountDeps, tokens: AccessTokens, macs: MacKeys, authentication: Authentication) {
    this.#deps = deps;
    this.#tokens = tokens;
    this.#macs = macs;
    this.#authentication = authentication;
  }

  /** The caller has locked the account's row, so that logins, suspensions and new passwords come one after another. */
  async open(tx: Sql, account: Pick<AccountRow, 'id' | 'role'>, caller: Caller): Promise<OpenedSession> {
    const { ids, clock, settings } = this.#deps;
    const now = new Date(clock.nowMs());
    const ended = await tx<{ id: string }>`
      delete from session where id in (
        select id from session where account_id = ${account.id}
        order by last_used_at desc, id desc offset ${MAX_SESSIONS - 1})
      returning id`;
    const id = ids.next();
    await tx`
      insert into session (id, account_id, device, address, created_at, last_used_at, expires_at)
      values (${id}, ${account.id}, ${deviceName(caller.userAgent)}, ${caller.address}, ${now}, ${now},
        ${new Date(now.getTime() + settings.sessionIdleMs)})`;
    const viewer = { accountId: account.id, role: account.role, sessionId: id };
    return { viewer, ended: ended.map((row) => row.id) };
  }

  async seal({ viewer, ended }: OpenedSession): Promise<Tokens> {
    this.#authentication.forget(ended);
    return this.#issue(viewer, 1);
  }

  /** Errors: `token-invalid`, `token-reused`, `suspended`. */
  async refresh(token: string, idempotencyKey: string | undefined): Promise<Tokens> {
    const { sessionId, generation } = readRefreshToken(this.#macs, token);
    const rotationKey =
      idempotencyKey === undefined ? null : this.#macs.sign(ROTATION_LABEL, `${sessionId}:${idempotencyKey}`);
    const verdict = await this.#deps.db.transaction((tx) =>
      this.#rotate(tx, sessionId, generation, rotationKey),
    );
    if (verdict.kind === 'ended') {
      this.#authentication.forget([sessionId]);
      throw verdict.error;
    }
    const { id: accountId, role } = verdict.account;
    return this.#issue({ accountId, role, sessionId }, verdict.generation);
  }

  /** A refusal that ends the login has to commit: it is returned, not thrown. */
  async #rotate(
    tx: Sql,
    sessionId: string,
    generation: number,
    rotationKey: string | null,
  ): Promise<Verdict> {
    const { clock, settings } = this.#deps;
    const nowMs = clock.nowMs();
    const [session] = await tx<SessionRow>`select * from session where id = ${sessionId} for update`;
    if (!session || session.expires_at.getTime() <= nowMs || generation > session.generation)
      throw new AppError('token-invalid');
    const account = await findById(tx, session.account_id);
    if (!account) throw new AppError('token-invalid');
    if (isSuspended(account, nowMs)) refuseSuspended(account, nowMs);
    if (generation < session.generation) {
      const repeated =
        generation === session.generation - 1 && rotationKey !== null && rotationKey === session.rotation_key;
      if (repeated) return { kind: 'issued', generation: session.generation, account };
      await tx`delete from session where id = ${sessionId}`;
      return { kind: 'ended', error: new AppError('token-reused') };
    }
    await tx`
      update session
      set generation = ${generation + 1}, rotation_key = ${rotationKey}, last_used_at = ${new Date(nowMs)},
        expires_at = ${new Date(nowMs + settings.sessionIdleMs)}
      where id = ${sessionId}`;
    return { kind: 'issued', generation: generation + 1, account };
  }

  async list(
    viewer: Viewer,
    { cursor, limit }: { cursor?: string | undefined; limit: number },
  ): Promise<Page<Session>> {
    const { db, clock, cursors } = this.#deps;
    const [usedMs = '8640000000000000', lastId = '0'] = cursor ? cursors.decode(CURSOR, cursor) : [];
    const rows = await db.sql<SessionRow>`
      select * from session
      where account_id = ${viewer.accountId} and expires_at > ${new Date(clock.nowMs())}
        and (floor(extract(epoch from last_used_at) * 1000)::int8, id) < (${usedMs}::int8, ${lastId}::int8)
      order by floor(extract(epoch from last_used_at) * 1000)::int8 desc, id desc
      limit ${limit + 1}`;
    const page = pageOfRows(rows, limit, (last) =>
      cursors.encode(CURSOR, [String(last.last_used_at.getTime()), last.id]),
    );
    return { items: page.rows.map((row) => toSession(row, viewer)), nextCursor: page.nextCursor };
  }

  /** Ends one of the viewer's own logins. Errors: `not-found`, also for another person's. */
  async revoke(viewer: Viewer, sessionId: string, idempotency: Idempotency | undefined): Promise<void> {
    await this.#deps.db.write(idempotency, async (tx) => {
      const [ended] = await tx`
        delete from session where id = ${sessionId} and account_id = ${viewer.accountId} returning 1 as one`;
      if (!ended) throw new AppError('not-found');
    });
    this.#authentication.forget([sessionId]);
  }

  /** Ends the login that the call was made with; idempotent. */
  async logout(viewer: Viewer): Promise<void> {
    await this.#deps.db.sql`delete from session where id = ${viewer.sessionId}`;
    this.#authentication.forget([viewer.sessionId]);
  }

  /** Ends every login of the account but one; the caller forgets them after its commit. */
  async endAll(tx: Sql, accountId: string, exceptId = '0'): Promise<string[]> {
    const rows = await tx<{ id: string }>`
      delete from session where account_id = ${accountId} and id <> ${exceptId} returning id`;
    return rows.map(({ id }) => id);
  }

  async #issue(viewer: Viewer, generation: number): Promise<Tokens> {
    return {
      accountId: viewer.accountId,
      accessToken: await this.#tokens.sign(viewer),
      refreshToken: refreshTokenOf(this.#macs, viewer.sessionId, generation),
      expiresInSeconds: this.#tokens.ttlSeconds,
    };
  }
}

function toSession(row: SessionRow, viewer: Viewer): Session {
  return {
    id: row.id,
    device: row.device,
    address: row.address,
    current: row.id === viewer.sessionId,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: row.last_used_at.toISOString(),
  };
}
