import { pino } from 'pino';

const BUFFER_CHARS = 8 * 1024;
const FLUSH_EVERY_MS = 200;

/** Standard output for log lines, buffered: a write to the kernel per request would cost more than the request's line. */
export interface LogOutput {
  write(line: string): boolean;
  /** Writes what is buffered; call it last. */
  close(): void;
}

/**
 * Opens the buffered output. Lines reach the outside within 200 ms, and at the process's exit whatever is left. They are put
 * together here and not in the stream, which measures all that it holds at every line: 3 µs instead of 0.2. The writes are
 * synchronous: 25 lines share one, and with asynchronous ones a busy process fell behind its own log without bound.
 */
export function openLogOutput(fd = 1): LogOutput {
  const stream = pino.destination({ dest: fd, sync: true });
  let pending = '';
  const pass = () => {
    if (pending === '') return;
    stream.write(pending);
    pending = '';
  };
  const timer = setInterval(pass, FLUSH_EVERY_MS).unref();
  const flushNow = () => {
    pass();
    stream.flushSync();
  };
  process.on('exit', flushNow);
  return {
    write(line) {
      pending += line;
      if (pending.length >= BUFFER_CHARS) pass();
      return true;
    },
    close() {
      clearInterval(timer);
      process.off('exit', flushNow);
      flushNow();
    },
  };
}
