import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { run } from '../../src/cli/run.ts';
import { fakeTerminal } from './fake-terminal.ts';

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
  bytes: Buffer;
}

/** The command in this process, with a configuration folder of its own. */
export async function openCli() {
  const folder = await mkdtemp(join(tmpdir(), 'zeq-sdk-cli-'));
  const zeq = async (
    words: string[],
    { input, env = {} }: { input?: string | Uint8Array; env?: NodeJS.ProcessEnv } = {},
  ): Promise<Ran> => {
    const faked = fakeTerminal({ XDG_CONFIG_HOME: folder, HOME: folder, ...env }, input);
    const code = await run(COMMANDS, words, faked.terminal, new AbortController().signal);
    return { code, stdout: faked.stdout(), stderr: faked.stderr(), bytes: faked.stdoutBytes() };
  };
  return { zeq, folder, close: () => rm(folder, { recursive: true, force: true }) };
}
