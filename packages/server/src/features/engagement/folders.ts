import type { Folder } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Ids } from '../../kernel/ids.ts';
import { type Database, type Idempotency, UniqueViolation } from '../../ports/database/port.ts';
import { type VideoReads, type VideoRow, videoColumns, visibleTo } from '../videos/index.ts';

export const MAX_FOLDERS = 100;

export interface FoldersDeps {
  readonly db: Database;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly videos: VideoReads;
}

interface FolderRow {
  readonly id: string;
  readonly name: string;
  readonly count: number;
  readonly createdAt: Date;
}

const shown = (row: FolderRow, coverUrl: string | null = null): Folder => ({
  ...row,
  coverUrl,
  createdAt: row.createdAt.toISOString(),
});

/** One's folders of favourites. */
export class Folders {
  readonly #deps: FoldersDeps;

  constructor(deps: FoldersDeps) {
    this.#deps = deps;
  }

  async list(accountId: string): Promise<{ items: Folder[] }> {
    const rows = await this.#deps.db.sql<FolderRow>`
      select id, name, created_at as "createdAt",
        (select count(*)::int4 from favorite where folder_id = f.id) as count
      from favorite_folder f where account_id = ${accountId} order by name`;
    const covers = rows.some(({ count }) => count > 0) ? await this.#covers(accountId) : undefined;
    return { items: rows.map((row) => shown(row, covers?.get(row.id))) };
  }

  /** The cover of the last that was put there and can still be seen, by folder. */
  async #covers(accountId: string): Promise<ReadonlyMap<string, string | null>> {
    const { clock, db, videos } = this.#deps;
    const { sql } = db;
    const rows = await sql<VideoRow & { folderId: string }>`
      select f.id as "folderId", ${videoColumns(sql)}
      from favorite_folder f cross join lateral (
        select v.* from favorite r join video v on v.id = r.video_id
        where r.folder_id = f.id and ${visibleTo(sql, accountId, new Date(clock.nowMs()))}
        order by r.id desc limit 1) v
      where f.account_id = ${accountId}`;
    // A video lies in one folder at most, but its card may have gone since.
    const cards = new Map((await videos.cards(accountId, rows, 'author')).map((card) => [card.id, card]));
    return new Map(rows.map(({ folderId, id }) => [folderId, cards.get(id)?.coverUrl ?? null]));
  }

  /** Errors: `folder-exists`, `too-many-folders`. */
  async create(accountId: string, name: string, idempotency?: Idempotency): Promise<Folder> {
    const { db, ids, clock } = this.#deps;
    return await db
      .write(idempotency, async (tx) => {
        // Two at once must not both be the last that fits.
        await tx`select 1 from account where id = ${accountId} for no key update`;
        const [found] = await tx<{ count: number }>`
          select count(*)::int4 as count from favorite_folder where account_id = ${accountId}`;
        if ((found?.count ?? 0) >= MAX_FOLDERS) throw new AppError('too-many-folders');
        const row = { id: ids.next(), name, count: 0, createdAt: new Date(clock.nowMs()) };
        await tx`
          insert into favorite_folder (id, account_id, name, created_at)
          values (${row.id}, ${accountId}, ${name}, ${row.createdAt})`;
        return shown(row);
      })
      .catch(translateTaken);
  }

  /** Errors: `folder-exists`, `not-found`. */
  async rename(accountId: string, id: string, name: string): Promise<Folder> {
    const [row] = await Promise.resolve(this.#deps.db.sql<FolderRow>`
        update favorite_folder f set name = ${name} where id = ${id} and account_id = ${accountId}
        returning id, name, created_at as "createdAt",
          (select count(*)::int4 from favorite where folder_id = f.id) as count`).catch(translateTaken);
    if (!row) throw new AppError('not-found');
    return shown(row, row.count > 0 ? (await this.#covers(accountId)).get(id) : null);
  }

  /** What it holds stays kept. */
  async delete(accountId: string, id: string): Promise<void> {
    await this.#deps.db.sql`delete from favorite_folder where id = ${id} and account_id = ${accountId}`;
  }
}

function translateTaken(error: unknown): never {
  throw error instanceof UniqueViolation ? new AppError('folder-exists', { cause: error }) : error;
}
