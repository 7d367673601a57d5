import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Surface } from './canary-suite.ts';

const MAX_OUTPUT = 2 ** 30;

/** A database of its own on the test server, and everything that its contents leave on the disk. */
export async function openPostgresSurface() {
  const server = variable('TEST_DATABASE_URL');
  const name = `zeq_canary_${randomBytes(8).toString('hex')}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  await sql(server, `CREATE DATABASE ${name}`);
  return {
    url: url.href,
    drop: () => sql(server, `DROP DATABASE ${name} WITH (FORCE)`),
    /** As text, as heap and TOAST files, and as the log that was written ahead. */
    async surfaces(known: string): Promise<Surface[]> {
      const dump = await run('pg_dump', [url.href]);
      await sql(url.href, 'CHECKPOINT');
      const folder = (await sql(url.href, 'SHOW data_directory')).toString().trim();
      const oid = await sql(url.href, `SELECT oid FROM pg_database WHERE datname = '${name}'`);
      const heap = await filesOf(join(folder, 'base', oid.toString().trim()));
      const wal = await filesOf(join(folder, 'pg_wal'));
      return Object.entries({ pg_dump: dump, heap, wal }).map(([label, bytes]) => {
        return { label, bytes, isTheRightOne: bytes.includes(known) };
      });
    },
  };
}

/** What the mesh says to Redis from now on, and what stands in there at the end. */
export async function openRedisSurface() {
  const url = variable('TEST_REDIS_URL');
  const { hostname, port } = new URL(url);
  const monitor = connect(Number(port), hostname);
  await once(monitor, 'connect');
  const said: Buffer[] = [];
  monitor.on('data', (chunk: Buffer) => said.push(chunk));
  monitor.write('MONITOR\r\n');
  return {
    url,
    close: () => void monitor.destroy(),
    async surfaces(): Promise<Surface[]> {
      const keys = (await cli(url, ['--scan'])).toString().split('\n').filter(Boolean);
      const dumps = await Promise.all(keys.map((key) => cli(url, ['DUMP', key])));
      const commands = Buffer.concat(said);
      return [
        { label: 'MONITOR', bytes: commands, isTheRightOne: commands.includes('zeq') },
        {
          label: 'DUMP',
          bytes: Buffer.concat([Buffer.from(keys.join('\n')), ...dumps]),
          isTheRightOne: true,
        },
      ];
    },
  };
}

/** @throws Error when it is not set: these tests are never skipped. */
function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name}; .ci/run does`);
  return value;
}

const sql = (url: string, statement: string) => run('psql', [url, '-AtqX', '-c', statement]);
const run = (program: string, args: string[]) => output(join(variable('TEST_PG_BIN'), program), args);
const cli = (url: string, args: string[]) => output('redis-cli', ['-u', url, ...args]);

async function output(program: string, args: string[]): Promise<Buffer> {
  const { stdout } = await promisify(execFile)(program, args, { encoding: 'buffer', maxBuffer: MAX_OUTPUT });
  return stdout;
}

async function filesOf(folder: string): Promise<Buffer> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Buffer.concat(await Promise.all(files.map(({ name }) => readFile(join(folder, name)))));
}
