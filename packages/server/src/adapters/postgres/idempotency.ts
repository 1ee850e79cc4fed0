import { AppError } from '../../kernel/errors.ts';
import type { Database, Idempotency, Sql } from '../../ports/database/port.ts';

const BATCH_ROWS = 1_000;
const MAX_BATCHES = 100;

/**
 * Runs `work` for the first request that carries this key, and gives its answer to every later one.
 *
 * The key is inserted first: a second request at the same time waits on the index until the first has committed
 * (then it reads the answer) or rolled back (then it does the work itself).
 */
export async function runOnce<T>(tx: Sql, key: Idempotency, work: (tx: Sql) => Promise<T>): Promise<T> {
  const [mine] = await tx`
    insert into idempotency_key (account_id, key, request_hash)
    values (${key.accountId}, ${key.key}, ${key.requestHash})
    on conflict do nothing
    returning 1 as one`;
  if (!mine) return earlierAnswer(tx, key);
  const response = JSON.stringify({ value: await work(tx) });
  await tx`
    update idempotency_key set response = ${response}
    where account_id = ${key.accountId} and key = ${key.key}`;
  // Read back, so that the first answer and the repeated one cannot differ in form (a Date, an undefined).
  return JSON.parse(response).value;
}

async function earlierAnswer<T>(tx: Sql, key: Idempotency): Promise<T> {
  const [row] = await tx<{ request_hash: string; response: string }>`
    select request_hash, response from idempotency_key
    where account_id = ${key.accountId} and key = ${key.key}`;
  // Cleaned between the two statements: a day old, so this request is a new one that comes at an odd moment.
  if (!row) throw new AppError('timeout', { detail: 'This Idempotency-Key has just expired' });
  if (row.request_hash !== key.requestHash) throw new AppError('idempotency-conflict');
  return JSON.parse(row.response).value;
}

/** Deletes the keys older than a day, in batches, so that no transaction is long. Returns how many. */
export async function cleanIdempotencyKeys(db: Database, signal?: AbortSignal): Promise<number> {
  let total = 0;
  for (let batch = 0; batch < MAX_BATCHES && !signal?.aborted; batch++) {
    const removed = await db.sql`
      delete from idempotency_key where ctid = any(array(
        select ctid from idempotency_key where created_at < now() - interval '1 day'
        order by created_at limit ${BATCH_ROWS}))
      returning 1 as one`;
    total += removed.length;
    if (removed.length < BATCH_ROWS) break;
  }
  return total;
}
