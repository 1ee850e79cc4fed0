import type { Database, Sql } from '../../ports/database/port.ts';
import type { MediaStore } from '../../ports/media-store/port.ts';
import type { Purge } from './purge.ts';
import { uploadKey } from './uploads.ts';

/** What an account has uploaded: for the export of its data, and for the end of it. */
export function uploadsOfAccount(db: Database, store: MediaStore, purge: Purge) {
  return {
    name: 'uploads',
    async *exportData(accountId: string): AsyncIterable<{ path: string; body: unknown }> {
      const rows = await db.sql<{
        id: string;
        filename: string;
        filetype: string;
        size: string;
        createdAt: Date;
      }>`
        select id, filename, filetype, size, created_at as "createdAt"
        from upload where account_id = ${accountId} order by id`;
      yield { path: 'uploads.json', body: rows };
      for (const { id } of rows) {
        if (await store.stat(uploadKey(id)))
          yield { path: `originals/${id}`, body: await store.get(uploadKey(id)) };
      }
    },
    async erase(tx: Sql, accountId: string): Promise<void> {
      const rows = await tx<{ id: string }>`delete from upload where account_id = ${accountId} returning id`;
      for (let start = 0; start < rows.length; start += 500)
        await purge.later(tx, { keys: rows.slice(start, start + 500).map(({ id }) => uploadKey(id)) });
    },
  };
}
