import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { Command, Options, OptionValues } from './command.ts';
import { UsageError } from './exit-codes.ts';

/** Every command takes them. */
export const GLOBAL_OPTIONS: Options = {
  json: { type: 'boolean', text: 'print JSON for programs' },
  hite: {
    type: 'boolean',
    text: 'send everything inside the HITE channel; never falls back to plain requests',
  },
  profile: { type: 'string', value: 'NAME', text: 'the stored sign-in to use (ZEQ_PROFILE)' },
  url: { type: 'string', value: 'URL', text: 'the gateway (ZEQ_URL)' },
  slug: { type: 'string', value: 'SLUG', text: 'the machine (ZEQ_SLUG); needed with an app token' },
  'key-file': { type: 'string', value: 'FILE', text: 'a file that holds the key (ZEQ_KEY_FILE, ZEQ_KEY)' },
  timeout: { type: 'string', value: 'SECONDS', text: 'how long an answer may take; 0: as long as it takes' },
  help: { type: 'boolean', short: 'h', text: 'show help' },
};

export interface Parsed {
  args: readonly string[];
  options: OptionValues;
}

/** The command that the first words name, the longest name first. */
export function findCommand(
  commands: readonly Command[],
  words: readonly string[],
): { command: Command; rest: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const command = words.length >= length ? commands.find((one) => one.name === name) : undefined;
    if (command !== undefined) return { command, rest: words.slice(length) };
  }
  return undefined;
}

/** Options and arguments of a command. @throws UsageError that says which is wrong; values are not repeated. */
export function parseCommand(command: Command, words: readonly string[]): Parsed {
  const known = { ...GLOBAL_OPTIONS, ...command.options };
  const { values, positionals } = parseWords(known, words);
  for (const [name, { choices }] of Object.entries(known)) {
    const value = values[name];
    if (choices !== undefined && typeof value === 'string' && !choices.includes(value))
      throw new UsageError(`--${name} must be one of: ${choices.join(', ')}`);
  }
  if (values.help !== true) requireArgs(command, positionals);
  return { args: positionals, options: valuesOf(values) };
}

/** The placeholders of `args`. */
export const argsOf = (command: Command): { text: string; isOptional: boolean; isRest: boolean }[] =>
  (command.args ?? '')
    .split(' ')
    .filter((text) => text !== '')
    .map((text) => ({ text, isOptional: text.startsWith('['), isRest: text.includes('…') }));

type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

function parseWords(known: Options, words: readonly string[]): { values: Values; positionals: string[] } {
  const options: ParseArgsConfig['options'] = Object.fromEntries(
    Object.entries(known).map(([name, { type, short, multiple }]) => [
      name,
      { type, ...(short && { short }), ...(multiple && { multiple }) },
    ]),
  );
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true });
  } catch (err) {
    if (!(err as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')) throw err;
    throw new UsageError(withoutValues((err as Error).message));
  }
}

/** Node's messages name the option, and explain at length how to give a value that begins with a dash. */
const withoutValues = (message: string): string => message.split(/\. |\n/)[0]!.replace(/\.$/, '');

function requireArgs(command: Command, positionals: readonly string[]): void {
  const wanted = argsOf(command);
  const missing = wanted.filter(({ isOptional }) => !isOptional)[positionals.length];
  if (missing !== undefined) throw new UsageError(`${missing.text} is missing`);
  if (positionals.length > wanted.length && !wanted.at(-1)?.isRest)
    throw new UsageError(`too many arguments: at most ${wanted.length}`);
}

const valuesOf = (values: Values): OptionValues => ({
  text: (name) => (typeof values[name] === 'string' ? values[name] : undefined),
  flag: (name) => values[name] === true,
  list: (name) => (Array.isArray(values[name]) ? values[name].filter((one) => typeof one === 'string') : []),
  whole(name, { min, max }) {
    const text = values[name];
    if (typeof text !== 'string') return undefined;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new UsageError(`--${name} must be a whole number from ${min} to ${max}`);
  },
});
