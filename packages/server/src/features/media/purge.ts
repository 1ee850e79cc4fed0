import type { Clock } from '../../kernel/clock.ts';
import type { Sql } from '../../ports/database/port.ts';
import type { JobKind, JobQueue } from '../../ports/job-queue/port.ts';
import type { MediaStore } from '../../ports/media-store/port.ts';

export interface Purged {
  /** Single objects. */
  readonly keys?: readonly string[];
  /** Folders with everything below. */
  readonly prefixes?: readonly string[];
}

const purgeKind: JobKind<Purged> = { name: 'media-purge', retryLimit: 20, leaseSeconds: 60, concurrency: 2 };

/** A worker that does not know yet that its video is gone may still write; by then it has long been stopped. */
const secondPassMs = 10 * 60_000;

export interface Purge {
  /** Files go after the transaction that removed their rows has committed, and only then. */
  later(tx: Sql, files: Purged): Promise<void>;
}

export function createPurge(jobs: JobQueue, store: MediaStore, clock: Clock): Purge {
  jobs.handle(purgeKind, async ({ payload, signal }) => {
    for (const key of payload.keys ?? []) await store.delete(key, { signal });
    for (const prefix of payload.prefixes ?? []) await store.deletePrefix(prefix, { signal });
  });
  return {
    async later(tx, files) {
      await jobs.enqueue(tx, purgeKind, files);
      const startAfter = new Date(clock.nowMs() + secondPassMs);
      if (files.prefixes?.length) await jobs.enqueue(tx, purgeKind, files, { startAfter });
    },
  };
}
