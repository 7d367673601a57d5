import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What `npm start` writes down for scripts. */
export interface DevFile {
  gateway: string;
  page: string;
  x_api_key: string;
  x_admin_key: string;
  machine: { slug: string; api_key: string };
}

export interface RunningMesh extends DevFile {
  /** A call as the owner, from outside of the browser. */
  call: (method: string, path: string, body?: unknown) => Promise<Response>;
  stop: () => Promise<void>;
}

const START = fileURLToPath(new URL('../../../../dev/start.ts', import.meta.url));
const PORTS = ['GATEWAY', 'SYNC', 'VAULT', 'FORWARDER', 'OPERATOR', 'ZEQOND', 'SAMPLE'];

/**
 * The whole mesh as `npm start` starts it, page included, on free ports and in a folder of its own.
 *
 * @param upstreams host:port of local upstreams that the egress guard lets through.
 */
export async function startMesh(upstreams: string[], env: NodeJS.ProcessEnv = {}): Promise<RunningMesh> {
  const dataDir = await mkdtemp(join(tmpdir(), 'zeq-page-mesh-'));
  const ports = await freePorts(PORTS.length);
  const child = spawn(process.execPath, [START], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...Object.fromEntries(PORTS.map((name, i) => [`${name}_PORT`, String(ports[i])])),
      ZEQ_DATA_DIR: dataDir,
      ZEQ_EGRESS_ALLOW: upstreams.join(','),
      RATE_LIMIT_RPM: '100000',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await untilRunning(child);
  const dev = JSON.parse(await readFile(join(dataDir, 'dev.json'), 'utf8')) as DevFile;
  const stop = async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
    await rm(dataDir, { recursive: true, force: true });
  };
  return { ...dev, call: callerOf(dev), stop };
}

/** @throws Error with all that it said when it ends before it runs. */
async function untilRunning(child: ChildProcess): Promise<void> {
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('The mesh is running.')) resolve();
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('exit', () => reject(new Error(`the mesh did not start:\n${said}`)));
  });
}

const callerOf =
  ({ gateway, machine }: DevFile): RunningMesh['call'] =>
  (method, path, body) =>
    fetch(gateway + path, {
      method,
      headers: { authorization: `Bearer ${machine.api_key}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

/** Ports that nobody listens on: all are held at once while they are chosen, so that no two are the same. */
async function freePorts(count: number): Promise<number[]> {
  const held = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(held.map((server) => once(server, 'listening')));
  const ports = held.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(held.map((server) => once(server.close(), 'close')));
  return ports;
}
