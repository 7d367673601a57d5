import type { Command, Option } from '../command.ts';
import { groupsOf, optionsOf, takesFile } from './words.ts';

/** A function for `$fpath`, which is called at once when it is loaded; it also works when it is sourced. */
export function zshCompletion(commands: readonly Command[]): string {
  const groups = groupsOf(commands);
  const firsts = [...groups.keys()].map((first) => `'${first}:${quoted(summaryOf(commands, first))}'`);
  const seconds = [...groups].filter(([, words]) => words.length > 0);
  return `#compdef zeq
_zeq() {
  local -a names
  local name=$words[2]
  if (( CURRENT == 2 )); then
    names=(${firsts.join(' ')})
    _describe command names
    return
  fi
  case $name in
    ${seconds.map(([first]) => first).join('|')})
      if (( CURRENT == 3 )); then
        case $name in
${seconds.map(([first, words]) => `          ${first}) compadd ${words.join(' ')} ;;`).join('\n')}
        esac
        return
      fi
      name="$name $words[3]" ;;
  esac
  case $name in
${commands.map(argumentsOf).join('\n')}
  esac
}
if [ "$funcstack[1]" = "_zeq" ]; then _zeq "$@"; else compdef _zeq zeq; fi
`;
}

const argumentsOf = (command: Command): string =>
  `    '${command.name}') _arguments ${optionsOf(command).map(optionSpec).join(' ')} '*:file:_files' ;;`;

function optionSpec([name, option]: [string, Option]): string {
  const { text, value, choices } = option;
  const values = choices ? `(${choices.join(' ')})` : takesFile(option) ? '_files' : ' ';
  return `'${option.multiple ? '*' : ''}--${name}[${quoted(text)}]${value ? `:${quoted(value)}:${values}` : ''}'`;
}

const summaryOf = (commands: readonly Command[], first: string): string =>
  commands.find(({ name }) => name === first || name.startsWith(`${first} `))!.summary;

/** Inside single quotes, in a place where zsh gives brackets and colons a meaning. */
const quoted = (text: string): string => text.replaceAll("'", "'\\''").replace(/[[\]:]/g, '\\$&');
