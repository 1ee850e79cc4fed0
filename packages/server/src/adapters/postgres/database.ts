import { SQL } from 'bun';
import type { Logger } from 'pino';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { type Random, systemRandom } from '../../kernel/random.ts';
import type { Database, Idempotency, Sql, TransactionOptions } from '../../ports/database/port.ts';
import { runOnce } from './idempotency.ts';
import { type Driver, Gate, openSql } from './sql.ts';
import { TransactionConflict, translateError } from './sql-errors.ts';

export interface PostgresDatabase extends Database, AsyncDisposable {
  /** The driver's pool, for the other adapters in this folder. */
  readonly driver: Driver;
  /** Rejects with `database-unavailable` or `timeout`. */
  ping(): Promise<void>;
  /** Waits for what is running, at most 5 s, then closes every connection. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly maxConnections: number;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Shows in `pg_stat_activity`. */
  readonly applicationName?: string;
}

const STATEMENT_TIMEOUT_MS = 10_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000;
const LOCK_TIMEOUT_MS = 5_000;
/** Longer than the server's own limits, so that it only speaks when the server does not. */
const CLIENT_DEADLINE_MS = 15_000;
const CONNECT_TIMEOUT_SECONDS = 5;
const CLOSE_TIMEOUT_SECONDS = 5;
const MAX_WAITING = 4_096;
const MAX_TRIES = 6;

export function openDatabase(options: DatabaseOptions): PostgresDatabase {
  return new PooledDatabase(options);
}

class PooledDatabase implements PostgresDatabase {
  readonly sql: Sql;
  readonly driver: Driver;
  readonly #gate = new Gate(MAX_WAITING);
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Logger;

  constructor(options: DatabaseOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#log = options.log;
    this.driver = new SQL(options.url, {
      max: options.maxConnections,
      connectionTimeout: CONNECT_TIMEOUT_SECONDS,
      connection: {
        application_name: options.applicationName ?? 'hvideo',
        statement_timeout: STATEMENT_TIMEOUT_MS,
        idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
        lock_timeout: LOCK_TIMEOUT_MS,
      },
    });
    this.sql = openSql({ driver: this.driver, gate: this.#gate, deadlineMs: CLIENT_DEADLINE_MS });
  }

  async ping(): Promise<void> {
    await this.sql`select 1`;
  }

  transaction<T>(work: (tx: Sql) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return this.#gate.pass(() => this.#retried(work, options));
  }

  async #retried<T>(work: (tx: Sql) => Promise<T>, options: TransactionOptions): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(work, options);
      } catch (error) {
        const reason = translateError(error);
        if (!(reason instanceof TransactionConflict)) throw reason;
        if (attempt === MAX_TRIES) {
          throw new AppError('timeout', { detail: 'Too many writes to the same data', cause: reason });
        }
        this.#log.debug({ attempt, err: reason }, 'transaction runs again');
        await this.#clock.sleep(this.#random.integer(10 * 2 ** attempt) + 1);
      }
    }
  }

  #once<T>(work: (tx: Sql) => Promise<T>, { isolation }: TransactionOptions): Promise<T> {
    const run = (tx: Driver) => work(openSql({ driver: tx, deadlineMs: CLIENT_DEADLINE_MS }));
    if (isolation) return this.driver.begin<T>(`isolation level ${isolation}`, run);
    return this.driver.begin<T>(run);
  }

  write<T>(idempotency: Idempotency | undefined, work: (tx: Sql) => Promise<T>): Promise<T> {
    if (!idempotency) return this.transaction(work);
    return this.transaction((tx) => runOnce(tx, idempotency, work));
  }

  async close(): Promise<void> {
    await this.driver.close({ timeout: CLOSE_TIMEOUT_SECONDS });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
