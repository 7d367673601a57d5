import type { Command, Option } from '../command.ts';
import { GLOBAL_OPTIONS } from '../parse.ts';

/** The command's first words and, of those that are groups, the second ones. */
export function groupsOf(commands: readonly Command[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { name } of commands) {
    const [first, second] = name.split(' ') as [string, string?];
    groups.set(first, [...(groups.get(first) ?? []), ...(second ? [second] : [])]);
  }
  return groups;
}

export const optionsOf = (command: Command): [string, Option][] =>
  Object.entries({ ...command.options, ...GLOBAL_OPTIONS });

/** Whether the shell should offer files after it. */
export const takesFile = ({ value }: Option): boolean =>
  value === 'FILE' || value === '@FILE' || value === 'FOLDER';
