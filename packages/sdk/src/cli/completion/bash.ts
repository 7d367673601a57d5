import type { Command } from '../command.ts';
import { groupsOf, optionsOf, takesFile } from './words.ts';

/** A `complete -F` function; it needs nothing but bash 3.2. */
export function bashCompletion(commands: readonly Command[]): string {
  const groups = groupsOf(commands);
  const second = [...groups].filter(([, words]) => words.length > 0);
  const files = new Set(
    commands.flatMap((one) =>
      optionsOf(one).flatMap(([name, option]) => (takesFile(option) ? [`--${name}`] : [])),
    ),
  );
  const optionCases = commands.map(
    (one) =>
      `    '${one.name}') words='${optionsOf(one)
        .map(([name]) => `--${name}`)
        .join(' ')}' ;;`,
  );
  return `# bash completion of zeq
_zeq() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} words='' name=\${COMP_WORDS[1]}
  case $prev in
    ${[...files].join('|')}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='${[...groups.keys()].join(' ')} --help --version'
  else
    case $name in
      ${second.map(([first]) => first).join('|')}) [ "$COMP_CWORD" -gt 2 ] && name="$name \${COMP_WORDS[2]}" ;;
    esac
    case $name in
${second.map(([first, names]) => `      '${first}') words='${names.join(' ')}' ;;`).join('\n')}
${optionCases.map((line) => `  ${line}`).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  [ \${#COMPREPLY[@]} -eq 0 ] && [ "\${cur#-}" = "$cur" ] && COMPREPLY=($(compgen -f -- "$cur"))
}
complete -F _zeq zeq
`;
}
