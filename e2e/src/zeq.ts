import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ZeqRun {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface ZeqOptions {
  /** Stdin. */
  input?: string | undefined;
  env?: NodeJS.ProcessEnv;
}

const PROGRAM = fileURLToPath(new URL('../../packages/sdk/bin/zeq.mjs', import.meta.url));

/** The `zeq` command as a process, with a configuration folder of its own. */
export interface Zeq {
  folder: string;
  run: (args: string[], options?: ZeqOptions) => Promise<ZeqRun>;
  /** As `run`, for what has to go well. @throws Error with all that it said. */
  ok: (args: string[], options?: ZeqOptions) => Promise<string>;
  /** Every command line so far, as other processes could read it. */
  commandLines: string[];
  close: () => Promise<void>;
}

export async function openZeq(): Promise<Zeq> {
  const folder = await mkdtemp(join(tmpdir(), 'zeq-e2e-cli-'));
  const commandLines: string[] = [];
  const run: Zeq['run'] = async (args, { input = '', env = {} } = {}) => {
    commandLines.push([process.execPath, PROGRAM, ...args].join(' '));
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      env: { PATH: process.env.PATH, HOME: folder, XDG_CONFIG_HOME: folder, ...env },
    });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => undefined); // a command that asks nothing closes it
    child.stdin.end(input);
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
  };
  const ok: Zeq['ok'] = async (args, options) => {
    const { code, stdout, stderr } = await run(args, options);
    if (code !== 0) throw new Error(`zeq ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  };
  return { folder, run, ok, commandLines, close: () => rm(folder, { recursive: true, force: true }) };
}
