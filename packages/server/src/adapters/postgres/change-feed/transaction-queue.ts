import {
  type ChangedTransaction,
  LAST_ORDINAL,
  MAX_BATCH_BYTES,
  MAX_BATCH_ROWS,
  positionOf,
  type RowChange,
} from '../../../ports/change-feed/port.ts';
import type { PgOutputSink } from './pgoutput.ts';

export interface QueuedPart extends ChangedTransaction {
  readonly xid: number;
  readonly bytes: number;
  /** Behind its transaction, once that is complete: what is confirmed when it is handled. */
  readonly endLsn: bigint | undefined;
}

interface Open {
  readonly xid: number;
  readonly commitLsn: bigint;
  readonly committedAtMs: number;
  rows: RowChange[];
  bytes: number;
}

export interface TransactionQueueOptions {
  readonly generation: string;
  /** Rows of other tables may come until the publication's last change is reached; nobody asks for them. */
  readonly isFollowed: (table: string) => boolean;
  readonly maxBytes: number;
  /** Whether there is room for more. */
  readonly onRoom: (hasRoom: boolean) => void;
}

/** Gathers rows into transactions, and large transactions into parts, between the stream and the handlers. */
export class TransactionQueue implements PgOutputSink {
  readonly #options: TransactionQueueOptions;
  /** Well below the bound: a part must be complete before the stream is paused, or it would never be. */
  readonly #maxPartBytes: number;
  #parts: QueuedPart[] = [];
  #open: Open | undefined;
  #bytes = 0;
  #wake: (() => void) | undefined;

  constructor(options: TransactionQueueOptions) {
    this.#options = options;
    this.#maxPartBytes = Math.min(MAX_BATCH_BYTES, options.maxBytes / 4);
  }

  /** Nothing waits and no transaction is in the middle of being received. */
  get isEmpty(): boolean {
    return this.#parts.length === 0 && this.#open === undefined;
  }

  /** Received and not released. */
  get bytes(): number {
    return this.#bytes;
  }

  get oldestMs(): number | undefined {
    return this.#parts[0]?.committedAtMs ?? this.#open?.committedAtMs;
  }

  begin(xid: number, commitLsn: bigint, committedAtMs: number): void {
    this.#open = { xid, commitLsn, committedAtMs, rows: [], bytes: 0 };
  }

  change(change: RowChange, bytes: number): void {
    const open = this.#open;
    if (!open) throw new Error('a change outside of a transaction');
    if (!this.#options.isFollowed(change.table)) return;
    open.rows.push(change);
    open.bytes += bytes;
    this.#bytes += bytes;
    if (open.rows.length >= MAX_BATCH_ROWS || open.bytes >= this.#maxPartBytes) this.#cut(open, undefined);
    if (this.#bytes > this.#options.maxBytes) this.#options.onRoom(false);
  }

  commit(endLsn: bigint): void {
    const open = this.#open;
    if (!open) throw new Error('a commit outside of a transaction');
    this.#open = undefined;
    this.#cut(open, endLsn);
  }

  #cut(open: Open, endLsn: bigint | undefined): void {
    const isLastPart = endLsn !== undefined;
    const ordinal = isLastPart ? LAST_ORDINAL : (open.rows.at(-1)?.ordinal ?? 0);
    this.#parts.push({
      position: positionOf(this.#options.generation, open.commitLsn, ordinal),
      ...{ xid: open.xid, transaction: open.xid, committedAtMs: open.committedAtMs, bytes: open.bytes },
      ...{ isLastPart, rows: open.rows, endLsn },
    });
    open.rows = [];
    open.bytes = 0;
    this.#wake?.();
  }

  /** As many as make a batch; waits for the first. */
  async take(signal: AbortSignal): Promise<readonly QueuedPart[]> {
    while (this.#parts.length === 0) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const done = () => {
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.#wake = done;
        signal.addEventListener('abort', done, { once: true });
      });
    }
    signal.throwIfAborted();
    let [count, rows, bytes] = [0, 0, 0];
    for (const part of this.#parts) {
      if (count > 0 && (rows + part.rows.length > MAX_BATCH_ROWS || bytes + part.bytes > MAX_BATCH_BYTES))
        break;
      count += 1;
      rows += part.rows.length;
      bytes += part.bytes;
    }
    return this.#parts.splice(0, count);
  }

  /** Room for others: these have been handled. */
  release(parts: readonly QueuedPart[]): void {
    for (const { bytes } of parts) this.#bytes -= bytes;
    if (this.#bytes <= this.#options.maxBytes / 2) this.#options.onRoom(true);
  }
}
