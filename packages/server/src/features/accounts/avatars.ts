import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from '@hvideo/protocol';
import { AppError } from '../../kernel/errors.ts';
import type { Idempotency, Sql } from '../../ports/database/port.ts';
import type { JobKind } from '../../ports/job-queue/port.ts';
import type { Profiles } from './profiles.ts';
import { lockAccount } from './store.ts';
import type { AccountDeps } from './types.ts';

export const AVATAR_MAX_BYTES = 10 * 1024 * 1024;
const EDGE_PX = 512;
const NAME_BYTES = 12;

/** Files that no row names any more; a prefix ends with a slash. */
export const deleteFiles: JobKind<{ readonly keyOrPrefix: string }> = {
  name: 'account-delete-files',
  retryLimit: 20,
  leaseSeconds: 60,
  concurrency: 1,
};

export class Avatars {
  readonly #deps: AccountDeps;
  readonly #profiles: Profiles;

  constructor(deps: AccountDeps, profiles: Profiles) {
    this.#deps = deps;
    this.#profiles = profiles;
  }

  /** Errors: `body-too-large`, `image-unreadable`, `no-space`. Abort: nothing has changed. */
  async put(
    accountId: string,
    source: ReadableStream<Uint8Array> | Blob,
    options: { signal?: AbortSignal | undefined; idempotency?: Idempotency | undefined } = {},
  ): Promise<Account> {
    const { settings, transcoder, media, random } = this.#deps;
    const folder = await mkdtemp(join(settings.temporaryDir, 'avatar-'));
    try {
      const path = join(folder, 'source');
      const outputPath = join(folder, 'avatar.jpg');
      await receive(source instanceof Blob ? source.stream() : source, path, options.signal);
      await transcoder.avatar({ path, edge: EDGE_PX, outputPath, signal: options.signal });
      // Lower case: keys are. A new name for each picture, so that it can be cached for ever.
      const key = `${avatarPrefix(accountId)}${Buffer.from(random.bytes(NAME_BYTES)).toString('hex')}.jpg`;
      await media.importFile(key, outputPath, { signal: options.signal });
      await this.#replace(accountId, key, options.idempotency);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return this.#profiles.account(accountId);
  }

  async delete(accountId: string, idempotency: Idempotency | undefined): Promise<void> {
    await this.#deps.db.write(idempotency, (tx) => this.#set(tx, accountId, null));
  }

  /** The old picture goes by a durable job; the new one goes at once if nothing came of it. */
  async #replace(accountId: string, key: string, idempotency: Idempotency | undefined): Promise<void> {
    try {
      const kept = await this.#deps.db.write(idempotency, async (tx) => {
        await this.#set(tx, accountId, key);
        return key;
      });
      // The repetition of an earlier request: its picture stands.
      if (kept !== key) await this.#deps.media.delete(key);
    } catch (error) {
      const notApplied = error instanceof AppError && error.outcome === 'not-applied';
      if (notApplied) await this.#deps.media.delete(key);
      throw error;
    }
  }

  async #set(tx: Sql, accountId: string, key: string | null): Promise<void> {
    const before = await lockAccount(tx, accountId);
    if (!before) throw new AppError('not-found');
    await tx`update account set avatar_key = ${key} where id = ${accountId}`;
    if (before.avatar_key !== null)
      await this.#deps.jobs.enqueue(tx, deleteFiles, { keyOrPrefix: before.avatar_key });
  }
}

export function avatarPrefix(accountId: string): string {
  return `avatars/${accountId}/`;
}

async function receive(
  source: ReadableStream<Uint8Array>,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const writer = Bun.file(path).writer();
  try {
    let size = 0;
    for await (const chunk of source) {
      signal?.throwIfAborted();
      size += chunk.byteLength;
      if (size > AVATAR_MAX_BYTES) throw new AppError('body-too-large');
      writer.write(chunk);
      await writer.flush();
    }
  } finally {
    await writer.end();
  }
}
