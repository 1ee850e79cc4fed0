import { downloadZip } from 'client-zip';
import { AppError } from '../../kernel/errors.ts';
import { lockAdmins, refuseLastAdmin } from './administration.ts';
import type { Attempts } from './attempts.ts';
import type { Authentication } from './authentication.ts';
import { avatarPrefix, deleteFiles } from './avatars.ts';
import type { Login } from './login.ts';
import { DELETED_MS, type Profiles } from './profiles.ts';
import type { Sessions } from './sessions.ts';
import { findById, retireName } from './store.ts';
import type { AccountDeps, AccountPart, AfterCommit, Viewer } from './types.ts';

interface Parts {
  readonly attempts: Attempts;
  readonly authentication: Authentication;
  readonly login: Login;
  readonly profiles: Profiles;
  readonly sessions: Sessions;
}

interface ZipEntry {
  readonly name: string;
  readonly input: string | Blob | ReadableStream<Uint8Array>;
}

/** Taking one's data along, and leaving. Both are composed of what each feature says of an account. */
export class Departure {
  readonly #deps: AccountDeps;
  readonly #parts: Parts;
  /** Filled by the composition root once the other features exist. */
  readonly accountParts: AccountPart[] = [];

  constructor(deps: AccountDeps, parts: Parts) {
    this.#deps = deps;
    this.#parts = parts;
  }

  /** A zip archive, written while it is read: nothing is held whole. Errors: `rate-limited`. */
  export(viewer: Viewer): ReadableStream<Uint8Array> {
    this.#parts.attempts.exportData(viewer.accountId);
    const body = downloadZip(this.#entries(viewer)).body;
    if (!body) throw new Error('the archive has no body');
    return body;
  }

  async *#entries(viewer: Viewer): AsyncGenerator<ZipEntry> {
    const { db } = this.#deps;
    yield { name: 'account.json', input: toJson(await this.#parts.profiles.account(viewer.accountId)) };
    const sessions = await db.sql`
      select id, device, address, created_at as "createdAt", last_used_at as "lastUsedAt"
      from session where account_id = ${viewer.accountId} order by id`;
    yield { name: 'sessions.json', input: toJson(sessions) };
    const invitations = await db.sql`
      select code, uses_left as "usesLeft", created_at as "createdAt", expires_at as "expiresAt"
      from invitation where created_by = ${viewer.accountId} order by id`;
    yield { name: 'invitations.json', input: toJson(invitations) };
    const avatar = await this.#avatar(viewer.accountId);
    if (avatar) yield { name: 'avatar.jpg', input: avatar };
    for (const part of this.accountParts) {
      for await (const { path, body } of part.exportData(viewer.accountId)) {
        yield { name: path, input: body instanceof Blob ? body : toJson(await collected(body)) };
      }
    }
  }

  async #avatar(accountId: string): Promise<Blob | undefined> {
    const { db, media } = this.#deps;
    const key = (await findById(db.sql, accountId))?.avatar_key;
    return key && (await media.stat(key)) ? media.get(key) : undefined;
  }

  /** One transaction for every row; files follow by durable jobs. Errors: `bad-credentials`, `last-admin`. */
  async delete(viewer: Viewer, password: string, address: string): Promise<void> {
    await this.#parts.login.provePassword(viewer, password, address);
    const { db, clock, jobs } = this.#deps;
    let afterCommit: AfterCommit[] = [];
    const ended = await db.transaction(async (tx) => {
      afterCommit = [];
      await lockAdmins(tx, 'exclusive');
      const [account] = await tx<{ username: string }>`
        select username from account where id = ${viewer.accountId} for update`;
      if (!account) throw new AppError('not-found');
      await refuseLastAdmin(tx, viewer.accountId);
      for (const part of this.accountParts)
        await part.erase(tx, viewer.accountId, (run) => afterCommit.push(run));
      const sessions = await this.#parts.sessions.endAll(tx, viewer.accountId);
      // Not a reference, because keys outlive what they are about; but the answers kept with them hold personal data.
      await tx`delete from idempotency_key where account_id = ${viewer.accountId}`;
      await tx`delete from account where id = ${viewer.accountId}`;
      await retireName(tx, account.username, viewer.accountId, new Date(clock.nowMs() + DELETED_MS));
      await jobs.enqueue(tx, deleteFiles, { keyOrPrefix: avatarPrefix(viewer.accountId) });
      return sessions;
    });
    this.#parts.authentication.forget(ended);
    await Promise.all(afterCommit.map((run) => run()));
  }
}

const toJson = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

async function collected(body: unknown): Promise<unknown> {
  const isStream = typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
  return isStream ? await Array.fromAsync(body as AsyncIterable<unknown>) : body;
}
