import { SQL } from 'bun';
import { AppError } from '../../kernel/errors.ts';
import { ForeignKeyViolation, UniqueViolation } from '../../ports/database/port.ts';

/** Two transactions got into each other's way and this one was rolled back: running it again is safe. */
export class TransactionConflict extends Error {
  override readonly name = 'TransactionConflict';
}

export function isTableMissing(error: unknown): boolean {
  return error instanceof SQL.PostgresError && error.errno === '42P01';
}

/** A value of the statement is nothing that can be stored: the same one fails again, another need not. */
export function isDataError(error: unknown): boolean {
  if (!(error instanceof SQL.PostgresError) || error.errno === undefined) return false;
  // Data exceptions, check violations, program limits (a row that no index holds).
  return error.errno.startsWith('22') || error.errno === '23514' || error.errno.startsWith('54');
}

/** The driver's errors in the port's words. What is not listed is a bug and passes unchanged. */
export function translateError(error: unknown): unknown {
  if (!(error instanceof SQL.PostgresError)) return error;
  if (error.errno === undefined) return translateDriverError(error);
  switch (error.errno) {
    case '23505':
      return new UniqueViolation(error.constraint ?? '', error);
    case '23503':
      return new ForeignKeyViolation(error.constraint ?? '', error);
    case '40001': // serialization_failure
    case '40P01': // deadlock_detected
      return new TransactionConflict(error.message, { cause: error });
    case '57014': // query_canceled, by statement_timeout
    case '55P03': // lock_not_available
    case '25P03': // idle_in_transaction_session_timeout
    case '25P04': // transaction_timeout
      return new AppError('timeout', { cause: error });
    case '53300': // too_many_connections
    case '57P01': // admin_shutdown
    case '57P02': // crash_shutdown
    case '57P03': // cannot_connect_now
      return new AppError('database-unavailable', { cause: error, retryAfterSeconds: 1 });
    case '53100': // disk_full
      return new AppError('no-space', { cause: error });
  }
  if (error.errno.startsWith('08')) return new AppError('database-unavailable', { cause: error });
  return error;
}

function translateDriverError(error: SQL.PostgresError): unknown {
  if (/CONNECTION|TIMEOUT|TLS_/.test(error.code)) {
    return new AppError('database-unavailable', { cause: error, retryAfterSeconds: 1 });
  }
  return error;
}
