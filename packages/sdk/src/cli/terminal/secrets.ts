import { readFile } from 'node:fs/promises';
import { CommandError, UsageError } from '../exit-codes.ts';
import { promptHidden } from './hidden-prompt.ts';
import { LineReader } from './line-reader.ts';
import type { Terminal } from './terminal.ts';

/** Where a secret may come from. Never from the command line, which every process on the machine can read. */
export interface SecretQuestion {
  /** `Machine key`: what is asked for. */
  what: string;
  /** The file of an option, with `-` for stdin. */
  file?: string | undefined;
  /** The option of that file, for messages: `--key-file`. */
  option?: string;
  /** NAME, with NAME_FILE beside it. */
  variable?: string;
  /** Ask again, so that a slip of the finger shows. */
  twice?: boolean;
}

/** Asks for secrets: a file, the environment, a hidden prompt, or lines of stdin, in this order. */
export class Secrets {
  readonly #terminal: Terminal;
  #lines: LineReader | undefined;
  #stdinIsData = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Stdin carries data: no secret is read from it. */
  keepStdinForData(): void {
    this.#stdinIsData = true;
  }

  /** @throws UsageError when it is not there, or empty. */
  async ask(question: SecretQuestion): Promise<string> {
    const secret = (await this.given(question)) ?? (await this.#askPerson(question));
    if (secret === '') throw new UsageError(`${question.what}: nothing was given`);
    return secret;
  }

  /** Without asking anybody: from a file or the environment. */
  async given({ what, file, option, variable }: SecretQuestion): Promise<string | undefined> {
    if (file !== undefined) return this.#readFile(file, what, option ?? 'the file');
    if (variable === undefined) return undefined;
    const { env } = this.#terminal;
    const named = env[`${variable}_FILE`];
    if (named) return this.#readFile(named, what, `${variable}_FILE`);
    return env[variable] || undefined;
  }

  /** Lets go of stdin. */
  async close(): Promise<void> {
    await this.#lines?.close();
  }

  async #readFile(file: string, what: string, source: string): Promise<string> {
    if (file === '-') return this.#readLine(what);
    try {
      return firstLine(await readFile(file, 'utf8'));
    } catch (err) {
      throw new UsageError(`${what}: ${source} cannot be read (${(err as NodeJS.ErrnoException).code})`);
    }
  }

  async #askPerson({ what, twice, option, variable }: SecretQuestion): Promise<string> {
    const { stdin } = this.#terminal;
    if (!stdin.isTTY && !this.#stdinIsData) return this.#readLine(what);
    const tty = stdin.isTTY ? stdin : this.#terminal.openTty();
    if (tty === undefined) throw new UsageError(`${what}: ${howToGive(option, variable)}`);
    try {
      const secret = await promptHidden(tty, this.#terminal.stderr, `${what} (hidden): `);
      if (twice && secret !== (await promptHidden(tty, this.#terminal.stderr, 'Again: ')))
        throw new CommandError('the two are not the same');
      return secret;
    } finally {
      if (tty !== stdin) tty.destroy();
    }
  }

  async #readLine(what: string): Promise<string> {
    if (this.#stdinIsData) throw new UsageError(`${what}: stdin carries the content already`);
    this.#lines ??= new LineReader(this.#terminal.stdin);
    const line = await this.#lines.next();
    if (line === undefined) throw new UsageError(`${what}: stdin has no line for it`);
    return line;
  }
}

const howToGive = (option: string | undefined, variable: string | undefined): string =>
  `there is no terminal to ask at; use ${[option, variable && `${variable}_FILE`].filter(Boolean).join(' or ')}`;

const firstLine = (text: string): string => text.split('\n', 1)[0]!.replace(/\r$/, '');
