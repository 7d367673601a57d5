import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePorts } from '../../e2e/src/test-mesh.ts';

/** How PostgreSQL is made to end (its own words for three of them); `kill` is SIGKILL of the postmaster. */
export type Ending = 'smart' | 'fast' | 'immediate' | 'kill';

const SIGNALS = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' } as const;
const START_MS = 60_000;
/** A smart ending waits for clients that never leave; after this long (ms) it is made a fast one. */
const SMART_MS = 2_000;

/** A PostgreSQL of the harness's own, on a port and in a folder that nobody else knows. */
export class Postgres {
  readonly folder: string;
  readonly port: number;
  readonly bin: string;
  readonly #as: { uid?: number; gid?: number };
  #child: ChildProcess | undefined;

  private constructor(folder: string, port: number, bin: string, as: { uid?: number; gid?: number }) {
    this.folder = folder;
    this.port = port;
    this.bin = bin;
    this.#as = as;
  }

  /** @throws Error when its programs are not there, or it does not come up. */
  static async start(): Promise<Postgres> {
    const bin = binFolder();
    const as: { uid?: number; gid?: number } = process.getuid?.() === 0 ? idsOf('postgres') : {};
    const folder = mkdtempSync(join(tmpdir(), 'zeq-faults-pg-'));
    if (as.uid !== undefined) spawnSync('chown', [`${as.uid}:${as.gid}`, folder]);
    const made = spawnSync(join(bin, 'initdb'), ['-D', join(folder, 'data'), '-U', 'zeq', '-A', 'trust'], {
      ...as,
      cwd: '/',
    });
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
    const [port] = (await freePorts(1)) as [number];
    const server = new Postgres(folder, port, bin, as);
    await server.begin();
    return server;
  }

  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  urlOf(database: string, port = this.port): string {
    return `postgres://zeq@127.0.0.1:${port}/${database}`;
  }

  async createDatabase(name: string): Promise<string> {
    await this.run(`CREATE DATABASE ${name}`);
    return this.urlOf(name);
  }

  /** Runs one statement as the superuser. */
  async run(sql: string, values: unknown[] = [], database = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = new pg.Client(this.urlOf(database));
    await client.connect();
    try {
      return (await client.query(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** Starts the server and waits until it accepts. What is left of a killed one may be in its way for a moment. */
  async begin(): Promise<void> {
    const deadline = performance.now() + START_MS;
    this.#spawn();
    while (!(await this.accepts())) {
      if (performance.now() > deadline) throw new Error('PostgreSQL did not come up');
      await sleep(25);
      if (this.#hasEnded()) this.#spawn();
    }
  }

  #spawn(): void {
    const log = openSync(join(this.folder, 'server.log'), 'a');
    const options = ['-c', 'listen_addresses=127.0.0.1', '-c', 'max_connections=300', '-k', this.folder];
    const child = spawn(
      join(this.bin, 'postgres'),
      ['-D', this.dataFolder, '-p', String(this.port), ...options],
      { ...this.#as, cwd: '/', stdio: ['ignore', log, log] },
    );
    closeSync(log);
    const endWithUs = () => child.kill('SIGQUIT');
    process.once('exit', endWithUs);
    child.once('exit', () => process.off('exit', endWithUs));
    this.#child = child;
  }

  #hasEnded(): boolean {
    return this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Ends the server. @returns When it is gone. */
  async end(how: Ending): Promise<void> {
    const child = this.#child;
    if (child === undefined || this.#hasEnded()) return;
    const gone = once(child, 'exit');
    child.kill(SIGNALS[how]);
    const impatience = how === 'smart' ? setTimeout(() => child.kill('SIGINT'), SMART_MS) : undefined;
    await gone;
    clearTimeout(impatience);
  }

  async stop(): Promise<void> {
    await this.end('immediate');
    rmSync(this.folder, { recursive: true, force: true });
  }

  async accepts(): Promise<boolean> {
    const client = new pg.Client({
      connectionString: this.urlOf('postgres'),
      connectionTimeoutMillis: 1_000,
    });
    try {
      await client.connect();
      await client.query('SELECT 1');
      return true;
    } catch {
      return false; // not yet: the caller asks again, and has a deadline
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

export const hasPostgres = (): boolean => process.env.TEST_PG_BIN !== undefined || installed() !== undefined;

function binFolder(): string {
  const found = process.env.TEST_PG_BIN ?? installed();
  if (found === undefined)
    throw new Error('PostgreSQL is not installed; set TEST_PG_BIN to the folder of its programs');
  return found;
}

function installed(): string | undefined {
  const root = '/usr/lib/postgresql';
  try {
    const newest = readdirSync(root)
      .sort((a, b) => Number(a) - Number(b))
      .at(-1);
    return newest === undefined ? undefined : join(root, newest, 'bin');
  } catch {
    return undefined; // no such folder: not installed
  }
}

/** PostgreSQL refuses to run as root. */
function idsOf(user: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}
