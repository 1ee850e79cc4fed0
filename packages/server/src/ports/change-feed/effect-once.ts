import type { Database, Sql } from '../database/port.ts';
import { type ChangeBatch, type ChangedTransaction, type RowChange, rowPosition } from './port.ts';

/**
 * Runs `work` with the part of the batch that this consumer has not applied yet, and keeps the position with its effect in
 * one transaction: a batch that comes again, whole, in part or cut otherwise, has no effect again. `work` is not called when
 * nothing is left, and may be called again when its transaction met another one.
 *
 * A consumer whose `rebuild` recounts everything must do so in a transaction of its own that locks its results against
 * this one. The position needs no reset: that of a feed begun anew is always greater.
 */
export async function effectOnce(
  db: Pick<Database, 'transaction'>,
  consumer: string,
  batch: ChangeBatch,
  work: (tx: Sql, rest: ChangeBatch) => Promise<void>,
): Promise<void> {
  await db.transaction(async (tx) => {
    await tx`insert into change_position (consumer, position) values (${consumer}, '') on conflict do nothing`;
    // Held until the commit: two processes that both believe to lead apply it one after the other.
    const [row] = await tx<{ position: string }>`
      select position from change_position where consumer = ${consumer} for update`;
    const rest = after(batch, row?.position ?? '');
    if (!rest) return;
    await work(tx, rest);
    await tx`update change_position set position = ${batch.position} where consumer = ${consumer}`;
  });
}

function after(batch: ChangeBatch, done: string): ChangeBatch | undefined {
  if (batch.position <= done) return undefined;
  const [first] = batch.transactions;
  const [change] = first?.rows ?? [];
  if (first && change && rowPosition(first.position, change) > done) return batch;
  const transactions: ChangedTransaction[] = [];
  const rows: RowChange[] = [];
  for (const transaction of batch.transactions) {
    if (transaction.position <= done) continue;
    const left = transaction.rows.filter((row) => rowPosition(transaction.position, row) > done);
    if (left.length === 0) continue;
    transactions.push({ ...transaction, rows: left });
    rows.push(...left);
  }
  return rows.length === 0 ? undefined : { position: batch.position, transactions, rows };
}
