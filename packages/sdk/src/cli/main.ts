import { closeSync, openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { COMMANDS } from './commands/index.ts';
import { run } from './run.ts';
import type { Terminal } from './terminal/terminal.ts';

/** The command as a process: the one place that knows `process`. */
export async function main(): Promise<void> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  process.stdout.on('error', () => undefined); // a closed pipe is told by the write that failed
  // On Node 20 every use of Ed25519 would print a warning that nobody can act on.
  process.removeAllListeners('warning');
  const { stdin, stdout, stderr, env } = process;
  const terminal: Terminal = { stdin, stdout, stderr, env, openTty };
  const exitCode = await run(COMMANDS, process.argv.slice(2), terminal, interrupted.signal);
  process.exit(exitCode); // all that was written is out; an input that nobody reads to its end must not keep this alive
}

/** The terminal behind this process, where there is one. */
function openTty(): ReadStream | undefined {
  let fd: number | undefined;
  try {
    fd = openSync('/dev/tty', 'r');
    return new ReadStream(fd);
  } catch {
    if (fd !== undefined) closeSync(fd);
    return undefined;
  }
}
