import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';

export type Logger = PinoLogger;

const SECRET_NAMES = [
  'authorization',
  'cookie',
  'auth_header',
  'api_key',
  'token',
  'password',
  'secret',
  'x-api-key',
  'x-admin-key',
  'x-goog-api-key',
  'api-key',
  'x-zeq-service',
];

/**
 * A logger that writes one JSON line per event. Its redaction is the second net: what may be logged is chosen where it is
 * logged. pino's `*` stands for exactly one level, so each name is listed at three depths.
 */
export function buildLogger(service: string, level: string, destination?: DestinationStream): Logger {
  const paths = SECRET_NAMES.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths, censor: '[redacted]' },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** Named fields only: errors of the body parser hold the raw body, those of ioredis the arguments. */
export function safeError(err: unknown): {
  name: string;
  code?: string;
  stack?: string;
  cause?: { name: string; code?: string };
} {
  if (!(err instanceof Error)) return { name: typeof err };
  return {
    ...nameAndCode(err),
    ...(err.stack !== undefined && { stack: err.stack }),
    ...(err.cause instanceof Error && { cause: nameAndCode(err.cause) }),
  };
}

function nameAndCode(err: Error): { name: string; code?: string } {
  const { code } = err as { code?: unknown };
  return { name: err.name, ...(typeof code === 'string' && { code }) };
}
