import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command, Context } from '../command.ts';
import { CommandError, EXIT, type ExitCode } from '../exit-codes.ts';

/**
 * The daemon is a service, and a package imports none: it is started as a program of its own, as the mesh itself does. The build puts it
 * beside this command; in the repository it is where it lives.
 */
const PROGRAMS = ['./zeqond-daemon.js', '../../../../../services/zeqond-daemon/src/main.ts'];
const PORT = 2871;

export const daemon: Command = {
  name: 'daemon',
  summary: 'run a local, verified copy of the clock of a mesh (http://127.0.0.1:2871/health)',
  details:
    'It follows the ticks of the mesh, verifies each, keeps ticking when the mesh is away, and keeps what it has witnessed: a chain that\nis cut or written anew shows. Its state is in $XDG_STATE_HOME/zeq. Ctrl-C ends it.',
  options: {
    engine: {
      type: 'string',
      value: 'URL',
      multiple: true,
      text: 'the mesh or sync-engine to follow (default: the one signed in to)',
    },
    port: { type: 'string', value: 'PORT', text: `default: ${PORT}` },
    bind: { type: 'string', value: 'ADDRESS', text: 'default: 127.0.0.1' },
    'public-key': {
      type: 'string',
      value: 'HEX',
      text: 'the key of the clock; without it the first one seen is believed and kept',
    },
    'data-dir': { type: 'string', value: 'FOLDER', text: 'where it keeps what it has witnessed' },
  },
  examples: ['zeq daemon', 'zeq daemon --engine https://mesh.example --port 2872'],
  async run(context) {
    const program = PROGRAMS.map((path) => fileURLToPath(new URL(path, import.meta.url))).find(existsSync);
    if (program === undefined) throw new CommandError('the daemon is not part of this installation');
    const env = await environmentOf(context);
    await mkdir(env.ZEQ_DATA_DIR!, { recursive: true, mode: 0o700 });
    return runProgram(program, env, context.signal);
  },
};

/** Only what the daemon's configuration names: no key of this user goes to it. */
async function environmentOf({ options, settings, terminal: { env } }: Context): Promise<NodeJS.ProcessEnv> {
  const engines = options.list('engine');
  const given = {
    SYNC_URL: engines.length > 0 ? engines.join(',') : env.SYNC_URL || (await settings.url()),
    ZEQOND_PORT: String(options.whole('port', { min: 1, max: 65_535 }) ?? (env.ZEQOND_PORT || PORT)),
    ZEQ_BIND: options.text('bind') ?? env.ZEQ_BIND,
    ZEQ_SYNC_PUBLIC_KEY: options.text('public-key') ?? env.ZEQ_SYNC_PUBLIC_KEY,
    ZEQ_DATA_DIR: options.text('data-dir') ?? env.ZEQ_DATA_DIR ?? stateFolder(env),
    LOG_LEVEL: env.LOG_LEVEL,
    PATH: env.PATH,
    TZ: env.TZ,
    NODE_EXTRA_CA_CERTS: env.NODE_EXTRA_CA_CERTS,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== ''));
}

const stateFolder = (env: NodeJS.ProcessEnv): string =>
  join(env.XDG_STATE_HOME || join(env.HOME || homedir(), '.local', 'state'), 'zeq');

async function runProgram(program: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<ExitCode> {
  const child = spawn(process.execPath, [program], { env, stdio: 'inherit' });
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  const [code] = (await once(child, 'exit')) as [number | null];
  signal.removeEventListener('abort', stop);
  return code === 0 ? EXIT.ok : EXIT.failed;
}
