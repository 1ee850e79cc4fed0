import type { Database, Sql } from '../../../ports/database/port.ts';
import type { JobKind, JobQueue } from '../../../ports/job-queue/port.ts';

export const eraseKind: JobKind<{ readonly accountId: string; readonly conversationIds: readonly string[] }> =
  {
    name: 'chat-erase',
    retryLimit: 20,
    leaseSeconds: 60,
    concurrency: 1,
  };

/** One statement looks at so many messages. */
export const seqsAtOnce = 5_000;

const deletedBody = JSON.stringify({ type: 'deleted' });

/** For a store that has deleted a conversation which its last member left: its messages go by a job. */
export const deletesMessages =
  (jobs: Pick<JobQueue, 'enqueue'>) => (tx: Sql, conversationId: string, accountId: string) =>
    jobs.enqueue(tx, eraseKind, { accountId, conversationIds: [conversationId] });

/** Deletes what the departed have said, and everything of conversations that are gone. May be repeated. */
export function handleErasure(jobs: Pick<JobQueue, 'handle'>, db: Database): void {
  jobs.handle(eraseKind, async ({ payload: { accountId, conversationIds }, signal }) => {
    for (const id of conversationIds) await eraseIn(db, id, accountId, signal);
  });
}

async function eraseIn(db: Database, id: string, accountId: string, signal: AbortSignal): Promise<void> {
  const { sql } = db;
  const [found] = await sql<{ there: boolean; newest: string | null }>`
    select exists (select from conversation where id = ${id}) as there,
      (select max(seq) from message where conversation_id = ${id}) as newest`;
  for (let after = 0; after < Number(found?.newest ?? 0); after += seqsAtOnce) {
    const these = sql`conversation_id = ${id} and seq > ${after} and seq <= ${after + seqsAtOnce}`;
    if (found?.there)
      await sql`
        update message set body = ${deletedBody}, body_hash = 0, chain = null, client_seq = null
        where ${these} and sender_id = ${accountId} and device_id is not null and body <> ${deletedBody}`.withSignal(
        signal,
      );
    else await sql`delete from message where ${these}`.withSignal(signal);
  }
}
