import type { Logger } from 'pino';
import type { Clock } from '../../../kernel/clock.ts';
import type { Random } from '../../../kernel/random.ts';
import type {
  ChangeBatch,
  ChangeConsumer,
  ChangedTransaction,
  RowChange,
} from '../../../ports/change-feed/port.ts';

const LONGEST_PAUSE_MS = 5_000;

/** Between half of it and the whole, so that several do not come at once. */
export function backOffMs(attempt: number, random: Random, longestMs = LONGEST_PAUSE_MS): number {
  const ceilingMs = Math.min(longestMs, 50 * 2 ** Math.min(attempt, 10));
  return ceilingMs / 2 + random.integer(Math.ceil(ceilingMs / 2)) + 1;
}

export interface ConsumersOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** No further try once it is aborted. */
  readonly closing: AbortSignal;
  readonly onError: (error: unknown) => void;
}

/** The handlers of one feed: each gets its tables, and is called until it succeeds. */
export class Consumers {
  readonly all: ChangeConsumer[] = [];
  readonly #options: ConsumersOptions;
  #tables = new Map<ChangeConsumer, ReadonlySet<string>>();
  #followed: ReadonlyMap<string, ReadonlySet<string>> = new Map();

  constructor(options: ConsumersOptions) {
    this.#options = options;
  }

  add(consumer: ChangeConsumer): void {
    if (this.all.some(({ name }) => name === consumer.name))
      throw new Error(`follows twice: ${consumer.name}`);
    this.all.push(consumer);
    this.#tables.set(consumer, new Set(consumer.tables.map(({ table }) => table)));
    const followed = new Map<string, Set<string>>();
    for (const { table, before = [] } of this.all.flatMap(({ tables }) => tables)) {
      const columns = followed.get(table) ?? new Set();
      for (const column of before) columns.add(column);
      followed.set(table, columns);
    }
    this.#followed = followed;
  }

  /** Every table that somebody follows, with the columns that its old rows must tell. */
  get followed(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#followed;
  }

  async deliver(transactions: readonly ChangedTransaction[], signal: AbortSignal): Promise<void> {
    const position = transactions.at(-1)?.position ?? '';
    await Promise.all(
      this.all.map(async (consumer) => {
        const batch = this.#batchFor(consumer, transactions, position);
        if (batch)
          await this.untilDone(consumer, 'handle a batch', () => consumer.handle(batch, signal), signal);
      }),
    );
  }

  #batchFor(
    consumer: ChangeConsumer,
    transactions: readonly ChangedTransaction[],
    position: string,
  ): ChangeBatch | undefined {
    const tables = this.#tables.get(consumer);
    const followsAll = tables?.size === this.#followed.size;
    const own: ChangedTransaction[] = [];
    const rows: RowChange[] = [];
    for (const transaction of transactions) {
      const kept = followsAll ? transaction.rows : transaction.rows.filter(({ table }) => tables?.has(table));
      if (kept.length === 0) continue;
      const { position, committedAtMs, isLastPart } = transaction;
      own.push({ position, committedAtMs, isLastPart, transaction: transaction.transaction, rows: kept });
      for (const row of kept) rows.push(row);
    }
    return rows.length === 0 ? undefined : { position, transactions: own, rows };
  }

  /** Again after each failure, until it succeeds or the signal is aborted. */
  async untilDone(
    { name }: ChangeConsumer,
    doing: string,
    work: () => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, random, log, closing, onError } = this.#options;
    const stop = AbortSignal.any([signal, closing]);
    for (let attempt = 0; ; attempt++) {
      try {
        signal.throwIfAborted();
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        closing.throwIfAborted();
        onError(error);
        log.warn({ consumer: name, attempt, err: error }, `change feed: could not ${doing}`);
      }
      await clock.sleep(backOffMs(attempt, random), { signal: stop });
    }
  }
}
