import { ZeqFileError } from '@zeq/crypto/web';
import { ZeqError } from '../client/zeq-error.ts';
import type { Command, Context } from './command.ts';
import { CommandError, EXIT, type ExitCode, exitCodeOf, UsageError } from './exit-codes.ts';
import { helpOf, helpOfAll } from './help.ts';
import { findCommand, type Parsed, parseCommand } from './parse.ts';
import { Settings } from './settings/settings.ts';
import { printable, type Terminal, write } from './terminal/terminal.ts';
import { VERSION } from './version.ts';

/**
 * Runs one command line. Every failure becomes one line on stderr (or one JSON object with `--json`) and an exit code; there is no
 * stack trace, and no value that was given is repeated.
 */
export async function run(
  commands: readonly Command[],
  words: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<ExitCode> {
  try {
    return await dispatch(commands, words, terminal, signal);
  } catch (err) {
    if (isClosedPipe(err)) return EXIT.ok; // `| head` has seen enough
    if (signal.aborted) return EXIT.interrupted;
    const { exitCode, line, facts } = explain(err);
    const text = words.includes('--json') ? JSON.stringify({ error: facts }) : `zeq: ${printable(line)}`;
    await write(terminal.stderr, `${text}\n`);
    return exitCode;
  }
}

async function dispatch(
  commands: readonly Command[],
  words: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<ExitCode> {
  const found = findCommand(commands, words);
  if (found === undefined) return withoutCommand(commands, words, terminal);
  const { command, rest } = found;
  const parsed = parseCommand(command, rest);
  if (parsed.options.flag('help')) {
    await write(terminal.stdout, `${helpOf(command)}\n`);
    return EXIT.ok;
  }
  const settings = new Settings(terminal, parsed.options);
  try {
    return (await command.run(contextOf(parsed, settings, terminal, signal))) ?? EXIT.ok;
  } finally {
    await settings.secrets.close();
  }
}

async function withoutCommand(
  commands: readonly Command[],
  words: readonly string[],
  { stdout }: Terminal,
): Promise<ExitCode> {
  const [first] = words;
  if (first === '--version' || first === '-V') {
    await write(stdout, `${VERSION}\n`);
    return EXIT.ok;
  }
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    await write(stdout, `${helpOfAll(commands)}\n`);
    return first === undefined ? EXIT.usage : EXIT.ok;
  }
  if (first.startsWith('-'))
    throw new UsageError('options come after the command; `zeq --help` lists the commands');
  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length === 0) throw new UsageError('there is no such command; `zeq --help` lists them');
  const rest = group.map(({ name }) => name.slice(first.length + 1)).join(', ');
  throw new UsageError(`${first}: which one? ${rest}`);
}

const contextOf = (
  { args, options }: Parsed,
  settings: Settings,
  terminal: Terminal,
  signal: AbortSignal,
): Context => ({
  args,
  options,
  terminal,
  settings,
  signal,
  client: (needs) => settings.client(needs),
  show: (value, text) =>
    write(terminal.stdout, `${options.flag('json') ? JSON.stringify(value, null, 2) : text}\n`),
});

interface Explained {
  exitCode: ExitCode;
  line: string;
  facts: Record<string, unknown>;
}

function explain(err: unknown): Explained {
  if (err instanceof ZeqError) return explainZeqError(err);
  const line = err instanceof Error ? err.message : 'something went wrong';
  if (err instanceof UsageError)
    return { exitCode: EXIT.usage, line, facts: { code: 'usage', detail: line } };
  if (err instanceof ZeqFileError)
    return { exitCode: EXIT.notVerified, line, facts: { code: err.fault, detail: line } };
  if (err instanceof CommandError)
    return { exitCode: err.exitCode, line, facts: { code: 'failed', detail: line } };
  if (err instanceof RangeError)
    return { exitCode: EXIT.usage, line, facts: { code: 'usage', detail: line } };
  const { code, path } = err as NodeJS.ErrnoException;
  const told = code === undefined ? 'an error of this program' : `${path ?? 'a file'}: ${code}`;
  return { exitCode: EXIT.failed, line: told, facts: { code: code ?? 'failed', detail: told } };
}

function explainZeqError(error: ZeqError): Explained {
  const { status, code, detail, requestId, retryAfterSeconds } = error;
  const notes = [
    status === 0 ? code : `${code}, ${status}`,
    retryAfterSeconds !== undefined && `again in ${retryAfterSeconds} s`,
    requestId && `request ${requestId}`,
  ];
  return {
    exitCode: exitCodeOf(error),
    line: `${detail} (${notes.filter(Boolean).join('; ')})`,
    facts: { status, code, detail, request_id: requestId, retry_after: retryAfterSeconds },
  };
}

const isClosedPipe = (err: unknown): boolean => (err as NodeJS.ErrnoException | null)?.code === 'EPIPE';
