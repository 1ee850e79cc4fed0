/**
 * The truth: one PostgreSQL, reached by tagged templates.
 *
 * Purpose: every feature keeps its rows here; all other stores are derived from it.
 *
 * Guarantees
 * - Durability: when `transaction` or a lone statement resolves, the commit is on disk (`synchronous_commit` is on).
 * - Atomicity: `transaction` commits when its function resolves and rolls back when it throws.
 * - Consistency: READ COMMITTED unless asked otherwise; reads see all commits that were answered before.
 * - Idempotency: `write` keeps what it returned beside the caller's `Idempotency-Key`, in the same transaction, and
 *   returns it again for the same key and request hash, without running `work`. The answer is passed through JSON.
 *
 * Units and limits: `int8` and `numeric` arrive as decimal strings (ids never fit a double), `int4` and `float8` as
 * numbers, `timestamptz` as `Date`, `jsonb` parsed, arrays as arrays (`int4[]` as an Int32Array), NULL as null. A
 * `jsonb` parameter is the value itself, never `JSON.stringify` of it. A statement may run 10 s, wait 5 s for a
 * lock, a transaction may idle 15 s; beyond 4,096 waiting statements more are refused.
 *
 * Errors: `database-unavailable` (outcome unknown), `timeout` (outcome unknown), `idempotency-conflict`;
 * a violated unique constraint throws `UniqueViolation`, a violated foreign key `ForeignKeyViolation`.
 * Anything else is a bug and passes through unchanged.
 *
 * Cost: one round trip a statement; a transaction adds two.
 */
export interface Database {
  /** Runs one statement on a pooled connection. */
  readonly sql: Sql;
  /** `work` runs again when it met another transaction (serialization failure, deadlock): at most 6 times. */
  transaction<T>(work: (tx: Sql) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** `transaction` for a request that may be repeated: see the guarantee on idempotency. */
  write<T>(idempotency: Idempotency | undefined, work: (tx: Sql) => Promise<T>): Promise<T>;
}

export interface TransactionOptions {
  readonly isolation?: 'repeatable read' | 'serializable';
}

/** A tagged template. A value becomes a parameter, a nested template is spliced in as SQL. */
export interface Sql {
  // biome-ignore lint/suspicious/noExplicitAny: a row has the shape that its statement says.
  <Row = any>(strings: TemplateStringsArray, ...values: unknown[]): SqlQuery<Row[]>;
  /** One multi-row value list: `insert into t ${sql.rows([{ a, b }])}`; keys name the columns. */
  rows(rows: readonly Record<string, unknown>[]): unknown;
  /** A typed array parameter: `where id = any(${sql.array(ids, 'int8')})`. */
  array(values: readonly unknown[], type: 'int8' | 'int4' | 'text' | 'bytea' | 'timestamptz'): unknown;
}

/** Lazy: nothing is sent before it is awaited, so that it can be a part of another template. */
export interface SqlQuery<T> extends PromiseLike<T> {
  /** The same statement; an abort cancels it on the server and rejects with the signal's reason (outcome unknown). */
  withSignal(signal: AbortSignal | undefined): SqlQuery<T>;
  catch<U>(onRejected: (reason: unknown) => U | PromiseLike<U>): Promise<T | U>;
}

/** Decides which request of which account a write belongs to. */
export interface Idempotency {
  readonly accountId: string;
  readonly key: string;
  /** Hash of method, path and body: the same key with another hash is refused. */
  readonly requestHash: string;
}

export class UniqueViolation extends Error {
  override readonly name = 'UniqueViolation';
  readonly constraint: string;
  constructor(constraint: string, cause: unknown) {
    super(`unique constraint ${constraint} violated`, { cause });
    this.constraint = constraint;
  }
}

export class ForeignKeyViolation extends Error {
  override readonly name = 'ForeignKeyViolation';
  readonly constraint: string;
  constructor(constraint: string, cause: unknown) {
    super(`foreign key ${constraint} violated`, { cause });
    this.constraint = constraint;
  }
}
