import type { Command, Option, Options } from './command.ts';
import { EXIT_TEXTS } from './exit-codes.ts';
import { GLOBAL_OPTIONS } from './parse.ts';

/** `zeq --help` */
export function helpOfAll(commands: readonly Command[]): string {
  const rows = commands.map(({ name, args = '', summary }) => [`${name} ${args}`.trim(), summary] as const);
  return `zeq: the command line of a Zeq mesh

Usage
  zeq COMMAND [options]

Commands
${columns(rows)}

Options of every command
${optionLines(GLOBAL_OPTIONS)}
      --version             the version of this command

Secrets are read from a hidden prompt, from stdin, from a file (NAME_FILE) or from the environment, never from the command line.
ZEQ_URL and ZEQ_KEY_FILE (or ZEQ_KEY) stand in for \`zeq login\`.

Exit codes
${columns(EXIT_TEXTS.map(([code, text]) => [String(code), text]))}

zeq COMMAND --help says more about each.`;
}

/** `zeq COMMAND --help` */
export function helpOf({ name, args = '', summary, details, options, examples }: Command): string {
  const parts = [
    `${summary}\n\nUsage\n  ${`zeq ${name} ${args}`.trim()} [options]`,
    ...(details ? [details] : []),
    ...(options ? [`Options\n${optionLines(options)}`] : []),
    `Options of every command\n${optionLines(GLOBAL_OPTIONS)}`,
    ...(examples ? [`Examples\n${examples.map((line) => `  ${line}`).join('\n')}`] : []),
  ];
  return parts.join('\n\n');
}

const optionLines = (options: Options): string =>
  columns(
    Object.entries(options).map(([name, option]) => [optionText(name, option), optionDescription(option)]),
  );

const optionText = (name: string, { short, value }: Option): string =>
  `${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`;

const optionDescription = ({ text, choices, multiple }: Option): string =>
  [text, choices && `(${choices.join(', ')})`, multiple && '(may be repeated)'].filter(Boolean).join(' ');

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
