import type { Command, Option } from '../command.ts';
import { groupsOf, optionsOf, takesFile } from './words.ts';

/** `complete` lines for `~/.config/fish/completions/zeq.fish`. */
export function fishCompletion(commands: readonly Command[]): string {
  const lines = [...groupsOf(commands)].flatMap(([first, seconds]) => [
    `complete -c zeq -n __fish_use_subcommand -f -a ${first} -d ${quoted(summaryOf(commands, first))}`,
    ...seconds.map(
      (second) =>
        `complete -c zeq -n '__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${seconds.join(' ')}' -f -a ${second}`,
    ),
  ]);
  const options = commands.flatMap((command) =>
    optionsOf(command).map(([name, option]) => optionLine(command.name, name, option)),
  );
  return `# fish completion of zeq\n${[...lines, ...options].join('\n')}\n`;
}

function optionLine(command: string, name: string, option: Option): string {
  const seen = command.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
  const parts = [
    `complete -c zeq -n '${seen.join('; and ')}' -l ${name}`,
    option.short && `-s ${option.short}`,
    option.type === 'string' && (takesFile(option) ? '-r -F' : '-x'),
    option.choices && `-a '${option.choices.join(' ')}'`,
    `-d ${quoted(option.text)}`,
  ];
  return parts.filter(Boolean).join(' ');
}

const summaryOf = (commands: readonly Command[], first: string): string =>
  commands.find(({ name }) => name === first || name.startsWith(`${first} `))!.summary;

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
