import { pino } from 'pino';

const BUFFER_BYTES = 8 * 1024;
const FLUSH_EVERY_MS = 200;

/** Standard output for log lines, buffered: a write to the kernel per request would cost more than the request's line. */
export interface LogOutput {
  write(line: string): boolean;
  /** Writes what is buffered; call it last. */
  close(): void;
}

/** Opens the buffered output. Lines reach the outside within 200 ms, and at the process's exit whatever is left. */
export function openLogOutput(fd = 1): LogOutput {
  const stream = pino.destination({ dest: fd, sync: false, minLength: BUFFER_BYTES });
  const timer = setInterval(() => stream.flush(), FLUSH_EVERY_MS).unref();
  const flushNow = () => stream.flushSync();
  process.on('exit', flushNow);
  return {
    write: (line) => stream.write(line),
    close() {
      clearInterval(timer);
      process.off('exit', flushNow);
      flushNow();
    },
  };
}
