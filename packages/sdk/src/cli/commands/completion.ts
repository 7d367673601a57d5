import type { Command } from '../command.ts';
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';
import { UsageError } from '../exit-codes.ts';
import { write } from '../terminal/terminal.ts';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** @param commands Asked for late: the table holds this command, too. */
export const completionOf = (commands: () => readonly Command[]): Command => ({
  name: 'completion',
  args: '<shell>',
  summary: 'a script that completes commands and options in bash, zsh or fish',
  examples: [
    'source <(zeq completion bash)',
    'zeq completion zsh > ~/.zfunc/_zeq',
    'zeq completion fish > ~/.config/fish/completions/zeq.fish',
  ],
  async run({ args, terminal }) {
    const shell = args[0]!;
    if (!Object.hasOwn(SHELLS, shell)) throw new UsageError('the shell must be bash, zsh or fish');
    await write(terminal.stdout, SHELLS[shell as keyof typeof SHELLS](commands()));
  },
});
