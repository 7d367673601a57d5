import nodeModule from 'node:module';
import { ConfigError } from './config.ts';
import { type Logger, safeError } from './logger.ts';

/** A running service: `stop` undoes the start in reverse. */
export interface Running {
  log: Logger;
  stop: () => Promise<void>;
}

/** The longest drain is 27 s; closing what lies behind it takes its time on a busy machine. Compose kills after 40 s. */
const STOP_WITHIN_MS = 36_000;

/**
 * Starts a service and stops it on SIGTERM or SIGINT; a second signal ends it at once. A bad configuration or a taken port
 * is said in clear lines on stderr, with exit code 1 and no stack.
 */
export async function runService(service: string, start: () => Promise<Running>): Promise<void> {
  let running: Running;
  try {
    running = await start();
  } catch (err) {
    const text =
      err instanceof ConfigError ? err.message : `${service} cannot start: ${(err as Error).message}`;
    process.stderr.write(`${text}\n`);
    process.exit(1);
  }
  // Node itself writes its compile cache at an orderly end, which a killed process has not. Node 20 has none: the daemon runs on it, too.
  nodeModule.flushCompileCache?.();
  const { log, stop } = running;
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(130);
    stopping = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    stop().then(
      () => process.exit(0),
      (err: unknown) => {
        log.error({ err: safeError(err) }, 'could not stop in order');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('unhandledRejection', (err) => {
    log.fatal({ err: safeError(err) }, 'unhandled rejection');
    process.exit(1);
  });
  process.on('uncaughtException', (err) => {
    log.fatal({ err: safeError(err) }, 'uncaught exception');
    process.exit(1);
  });
}
