import type { Role } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { MaybePromise } from '../../kernel/maybe-promise.ts';
import type { Database } from '../../ports/database/port.ts';
import { BoundedCache } from './bounded-cache.ts';
import { isSuspended } from './store.ts';
import type { AccessTokens } from './tokens.ts';
import type { Viewer } from './types.ts';

/** How long a login that was looked up counts as standing. */
const TRUSTED_MS = 60_000;
const MAX_CACHED_SESSIONS = 20_000;

interface SessionState {
  readonly account_id: string;
  readonly role: Role;
  readonly suspended_at: Date | null;
  readonly suspended_until: Date | null;
}

/**
 * Tells who is calling. A token says only which login it belongs to; whether that login stands, and with which role, is
 * read from the database and believed for a minute. Ending a login forgets it here at once. So a login that was ended is
 * refused from the next request on by the node that ended it, and by the others after at most a minute, long before
 * the token expires; a restart forgets nothing, because nothing is remembered.
 *
 * The same statement keeps `last_used_at`, so that it costs at most one write a minute for each login and node.
 */
export class Authentication {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #tokens: AccessTokens;
  readonly #standing: BoundedCache<Viewer>;
  readonly #loading = new Map<string, Promise<Viewer | undefined>>();
  /** Told which logins were forgotten: whatever they hold open has to be looked at. */
  onForgotten: ((sessionIds: readonly string[]) => void) | undefined;

  constructor(options: { db: Database; clock: Clock; tokens: AccessTokens }) {
    this.#db = options.db;
    this.#clock = options.clock;
    this.#tokens = options.tokens;
    this.#standing = new BoundedCache(options.clock, MAX_CACHED_SESSIONS);
  }

  /** As `verifyAccessToken`, and at once for a token and a login that are remembered. */
  viewerOf(token: string): MaybePromise<Viewer> {
    const claims = this.#tokens.remembered(token);
    const viewer = claims && this.#standing.get(claims.sessionId);
    return viewer && viewer.accountId === claims.accountId ? viewer : this.verifyAccessToken(token);
  }

  /** Errors: `token-invalid`. */
  async verifyAccessToken(token: string): Promise<Viewer> {
    return this.standing(await this.#tokens.verify(token));
  }

  /** Who calls by this login as it stands now: a connection was let in a while ago. Errors: `token-invalid`. */
  standing(login: Pick<Viewer, 'accountId' | 'sessionId'>): MaybePromise<Viewer> {
    const known = this.#standing.get(login.sessionId);
    if (known) return requireOf(login.accountId, known);
    return this.#load(login.sessionId).then((viewer) => requireOf(login.accountId, viewer));
  }

  /**
   * For a connection, which is let in once: nothing of it is remembered here, and it asks by `endedOf` whether its login stands.
   * Errors: `token-invalid`.
   */
  async loginOf(token: string): Promise<{ readonly viewer: Viewer; readonly expiresMs: number }> {
    const claims = this.#tokens.remembered(token) ?? (await this.#tokens.check(token));
    const { accountId, sessionId, expiresMs } = claims;
    const viewer = this.#standing.get(sessionId) ?? (await this.#read(sessionId));
    if (viewer?.accountId !== accountId) throw new AppError('token-invalid');
    return { viewer, expiresMs };
  }

  /** Called after the commit that ended these logins or changed what their owner may do. */
  forget(sessionIds: readonly string[]): void {
    for (const id of sessionIds) {
      this.#standing.delete(id);
      // A look-up under way may have read the row before the commit: its answer is neither joined nor kept.
      this.#loading.delete(id);
    }
    if (sessionIds.length > 0) this.onForgotten?.(sessionIds);
  }

  /** Those of these logins that no longer stand, as the database has it now. */
  async endedOf(sessionIds: readonly string[]): Promise<string[]> {
    if (sessionIds.length === 0) return [];
    const now = new Date(this.#clock.nowMs());
    const rows = await this.#db.sql<{ id: string }>`
      select asked.id from unnest(${this.#db.sql.array([...new Set(sessionIds)], 'int8')}) asked (id)
      where not exists (
        select from session join account on account.id = account_id
        where session.id = asked.id and expires_at > ${now}
          and (suspended_at is null or suspended_until <= ${now}))`;
    return rows.map(({ id }) => id);
  }

  async #load(sessionId: string): Promise<Viewer | undefined> {
    const underWay = this.#loading.get(sessionId);
    if (underWay) return underWay;
    const load = this.#read(sessionId);
    this.#loading.set(sessionId, load);
    try {
      const viewer = await load;
      if (viewer && this.#loading.get(sessionId) === load) this.#standing.set(sessionId, viewer, TRUSTED_MS);
      return viewer;
    } finally {
      if (this.#loading.get(sessionId) === load) this.#loading.delete(sessionId);
    }
  }

  async #read(sessionId: string): Promise<Viewer | undefined> {
    const nowMs = this.#clock.nowMs();
    const [state] = await this.#db.sql<SessionState>`
      with used as (
        update session set last_used_at = ${new Date(nowMs)}
        where id = ${sessionId} and last_used_at < ${new Date(nowMs - TRUSTED_MS)})
      select account_id, role, suspended_at, suspended_until
      from session join account on account.id = account_id
      where session.id = ${sessionId} and expires_at > ${new Date(nowMs)}`;
    if (!state || isSuspended(state, nowMs)) return undefined;
    return { accountId: state.account_id, role: state.role, sessionId };
  }
}

function requireOf(accountId: string, viewer: Viewer | undefined): Viewer {
  if (viewer?.accountId !== accountId) throw new AppError('token-invalid');
  return viewer;
}
