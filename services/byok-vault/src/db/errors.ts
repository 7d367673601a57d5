import { ProblemError } from '@zeq/service-kit';

/** SQLSTATE classes and codes that say "not now" rather than "not so" (PostgreSQL manual, appendix A). */
const NOT_NOW = [
  '08', // connection exceptions
  '25006', // read-only: a standby, or a disk being cleared
  '40001', // serialisation failure, after its retries
  '40P01', // deadlock, after its retries
  '53', // out of connections, memory or disk
  '55P03', // lock not available within lock_timeout
  '57', // cancelled by statement_timeout; shutting down; starting up; terminated
  '58', // input and output errors of the server
];

const RETRYABLE: readonly string[] = ['40001', '40P01'];

/** SQLSTATE, where the database itself answered; connection errors carry Node's codes (ECONNREFUSED) or none. */
export function sqlState(err: unknown): string | undefined {
  const code = (err as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && 'severity' in (err as object)
    ? code
    : undefined;
}

/** A transaction that lost against another one may simply be run again. */
export const isRetryable = (err: unknown): boolean => RETRYABLE.includes(sqlState(err) ?? '');

/** A driver's error without SQLSTATE came from the connection (refused, reset, timed out), not from the server. */
export const fromDriver = (err: unknown): unknown =>
  sqlState(err) === undefined ? databaseUnavailable(err) : err;

/** Whether the connection itself is of no use any more. */
export function isConnectionLoss(err: unknown): boolean {
  if (err instanceof ProblemError) return err.code === 'database_unavailable';
  return /^(08|57P)/.test(sqlState(err) ?? '');
}

/** Turns what the server said into ours where the caller may try again; everything else passes as it is. */
export function toDatabaseError(err: unknown): unknown {
  const state = sqlState(err);
  return state !== undefined && NOT_NOW.some((prefix) => state.startsWith(prefix))
    ? databaseUnavailable(err)
    : err;
}

export const databaseUnavailable = (cause?: unknown): ProblemError =>
  new ProblemError('database_unavailable', 'The database cannot be reached just now. Try again.', {
    retryAfter: 1,
    cause,
  });

/** Whether a write failed because this UNIQUE constraint holds such a row already. */
export const isTaken = (err: unknown, constraint: string): boolean =>
  sqlState(err) === '23505' && (err as { constraint?: unknown }).constraint === constraint;

/** Whether the row that this one belongs to is gone. */
export const isOrphan = (err: unknown): boolean => sqlState(err) === '23503';
