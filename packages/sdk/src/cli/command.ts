import type { ZeqClient } from '../client/create-client.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Needs, Settings } from './settings/settings.ts';
import type { Terminal } from './terminal/terminal.ts';

export interface Option {
  type: 'string' | 'boolean';
  text: string;
  short?: string;
  /** May come more than once. */
  multiple?: boolean;
  /** What stands for the value in help: URL, FILE, N. A FILE is completed by the shell. */
  value?: string;
  /** The only values there are. */
  choices?: readonly string[];
}

export type Options = Readonly<Record<string, Option>>;

/** One command of the table. Help, completion and the check of its arguments are made from this. */
export interface Command {
  /** `apis add` */
  name: string;
  summary: string;
  /** `<api> [path]`: what is in brackets may be missing; a name that ends with `…` takes all that follow. */
  args?: string;
  options?: Options;
  /** Paragraphs for `--help`. */
  details?: string;
  examples?: readonly string[];
  /** @returns The exit code; 0 when nothing is returned. */
  run: (context: Context) => Promise<ExitCode | undefined> | Promise<void>;
}

/** What a command is given. */
export interface Context {
  args: readonly string[];
  options: OptionValues;
  terminal: Terminal;
  settings: Settings;
  /** A client of the mesh that the settings name. @throws UsageError when they name none. */
  client: (needs?: Needs) => Promise<ZeqClient>;
  /** Shows a result: as JSON with `--json`, otherwise as the text. */
  show: (value: unknown, text: string) => Promise<void>;
  /** Ends with Ctrl-C. */
  signal: AbortSignal;
}

/** The options as they were given, by type. */
export interface OptionValues {
  text: (name: string) => string | undefined;
  flag: (name: string) => boolean;
  list: (name: string) => readonly string[];
  /** @throws UsageError unless it is a whole number in the range. */
  whole: (name: string, range: { min: number; max: number }) => number | undefined;
}
