import type { SQL } from 'bun';
import { AppError } from '../../kernel/errors.ts';
import type { Sql, SqlQuery } from '../../ports/database/port.ts';
import { arrayLiteral, quoted, wholeNumber } from './array-literal.ts';
import { TransactionConflict, translateError } from './sql-errors.ts';

/** What a pool and a transaction of the driver have in common. */
export type Driver = SQL;

const ARRAY_TYPES = {
  int8: 'BIGINT',
  int4: 'INT',
  text: 'TEXT',
  bytea: 'BYTEA',
  timestamptz: 'TIMESTAMPTZ',
} as const;

/** The driver quotes each element with care, which costs more than the statement where there are a thousand. */
function arrayOf(driver: Driver, values: readonly unknown[], type: keyof typeof ARRAY_TYPES): unknown {
  switch (type) {
    case 'int8':
      return driver`${arrayLiteral(values, wholeNumber)}::int8[]`;
    case 'int4':
      return driver`${arrayLiteral(values, wholeNumber)}::int4[]`;
    case 'text':
      return driver`${arrayLiteral(values, quoted)}::text[]`;
    default:
      return driver.array([...values], ARRAY_TYPES[type]);
  }
}

/** Bounds how many statements wait for a connection, so that a slow database is refused work instead of memory. */
export class Gate {
  readonly #max: number;
  #inside = 0;

  constructor(max: number) {
    this.#max = max;
  }

  async pass<T>(run: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#max) {
      throw new AppError('database-unavailable', {
        detail: 'Too many requests wait for the database',
        retryAfterSeconds: 1,
      });
    }
    this.#inside += 1;
    try {
      return await run();
    } finally {
      this.#inside -= 1;
    }
  }
}

export interface SqlOptions {
  readonly driver: Driver;
  /** Absent inside a transaction, which has passed it already. */
  readonly gate?: Gate;
  /** After this the caller is told, even when the network has swallowed the answer. */
  readonly deadlineMs: number;
}

const drivers = new WeakMap<Sql, Driver>();

export function openSql(options: SqlOptions): Sql {
  const { driver } = options;
  const tag = <Row>(strings: TemplateStringsArray, ...values: unknown[]): SqlQuery<Row[]> =>
    new Statement<Row>(options, driver<Row[]>(strings, ...values.map(asFragment)));
  const sql = Object.assign(tag, {
    rows: (rows: readonly Record<string, unknown>[]) => driver([...rows]),
    array: (values: readonly unknown[], type: keyof typeof ARRAY_TYPES) => arrayOf(driver, values, type),
  });
  drivers.set(sql, driver);
  return sql;
}

/** The driver below a `Sql`, for adapters that must run a text of their own (pg-boss, COPY). */
export function driverOf(sql: Sql): Driver {
  const driver = drivers.get(sql);
  if (!driver) throw new Error('this Sql was not made by the PostgreSQL adapter');
  return driver;
}

class Statement<Row> implements SqlQuery<Row[]> {
  readonly query: SQL.Query<Row[]>;
  readonly #options: SqlOptions;
  readonly #signal: AbortSignal | undefined;

  constructor(options: SqlOptions, query: SQL.Query<Row[]>, signal?: AbortSignal) {
    this.#options = options;
    this.query = query;
    this.#signal = signal;
  }

  withSignal(signal: AbortSignal | undefined): SqlQuery<Row[]> {
    return new Statement(this.#options, this.query, signal);
  }

  // biome-ignore lint/suspicious/noThenProperty: lazy by contract, like the driver's own queries.
  then<A = Row[], B = never>(
    onFulfilled?: ((rows: Row[]) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const { gate } = this.#options;
    const run = gate ? gate.pass(() => this.#run()) : this.#run();
    return run.then(onFulfilled, onRejected);
  }

  catch<U>(onRejected: (reason: unknown) => U | PromiseLike<U>): Promise<Row[] | U> {
    return this.then(undefined, onRejected);
  }

  #run(): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      const signal = this.#signal;
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        // Asks the server to stop; the caller does not wait for its answer.
        this.query.cancel();
        settle();
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        this.query.cancel();
        settle();
        reject(new AppError('timeout'));
      }, this.#options.deadlineMs);
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.query.then(
        (rows) => {
          settle();
          // A plain array, without the driver's metadata.
          resolve([...rows]);
        },
        (error: unknown) => {
          settle();
          reject(this.#translate(error));
        },
      );
    });
  }

  #translate(error: unknown): unknown {
    const translated = translateError(error);
    // A lone statement is its own transaction; inside a transaction the whole of it is run again.
    if (translated instanceof TransactionConflict && this.#options.gate) {
      return new AppError('timeout', { detail: 'Too many writes to the same data', cause: error });
    }
    return translated;
  }
}

function asFragment(value: unknown): unknown {
  return value instanceof Statement ? value.query : value;
}
