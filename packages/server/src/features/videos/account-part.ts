import type { Logger } from '../../kernel/log.ts';
import type { Database, Sql } from '../../ports/database/port.ts';
import type { AfterCommit } from '../accounts/index.ts';
import type { Purge } from '../media/index.ts';
import type { Outbox } from './publish.ts';
import type { Reactions } from './reads.ts';
import { videoPrefix } from './store.ts';
import type { Withdrawals } from './withdrawals.ts';

export interface VideosOfAccountDeps {
  readonly db: Database;
  readonly purge: Purge;
  readonly reactions: Pick<Reactions, 'forget'>;
  readonly outbox: Pick<Outbox, 'withdraw'>;
  readonly withdrawals: Withdrawals;
  readonly log: Logger;
}

/** The videos of an account: for the export of its data, and for the end of it. Originals are exported as uploads. */
export function videosOfAccount({ db, purge, reactions, outbox, withdrawals, log }: VideosOfAccountDeps) {
  return {
    name: 'videos',
    async *exportData(accountId: string): AsyncIterable<{ path: string; body: unknown }> {
      const videos = await db.sql`
        select id, upload_id as "uploadId", title, description, tags, visibility, status,
          failure_code as "failureCode", takedown_reason as "takedownReason", publish_at as "publishAt",
          duration_ms as "durationMs", width, height, created_at as "createdAt"
        from video where author_id = ${accountId} order by id`;
      yield { path: 'videos.json', body: videos };
    },
    async erase(tx: Sql, accountId: string, afterCommit: (run: AfterCommit) => void): Promise<void> {
      const rows = await tx<{ id: string }>`select id from video where author_id = ${accountId} for update`;
      const ids = rows.map(({ id }) => id);
      await reactions.forget(tx, ids);
      await outbox.withdraw(tx, ids);
      await withdrawals.record(tx, ids);
      afterCommit(() =>
        withdrawals.raise(ids).catch((error: unknown) => log.warn({ err: error }, 'fences were not raised')),
      );
      await tx`delete from video where author_id = ${accountId}`;
      for (let start = 0; start < rows.length; start += 500)
        await purge.later(tx, { prefixes: rows.slice(start, start + 500).map(({ id }) => videoPrefix(id)) });
    },
  };
}
