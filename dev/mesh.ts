import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDemoMachine, type Machine } from './demo.ts';
import { type DevSecrets, loadDevSecrets } from './secrets.ts';
import { type Ports, readPorts, SAMPLE, SERVICES, type ServiceSpec } from './services.ts';
import { Supervised } from './supervisor.ts';

export interface MeshOptions {
  /** The environment of the user; each service is handed only the variables that its own configuration names. */
  env: NodeJS.ProcessEnv;
  onProgress?: (text: string) => void;
  /** The services to start; all of them by default. A test of the forward path needs three. */
  only?: readonly ServiceSpec['name'][];
}

/** A running mesh on embedded stores, with a sample upstream and a demo machine. */
export interface Mesh {
  gateway: string;
  page: string;
  xApiKey: string;
  xAdminKey: string;
  machine: Machine;
  apis: { name: string; id: string; forward: string }[];
  dataDir: string;
  ports: Ports;
  /** Process ids by service name. */
  pids: () => Record<string, number | undefined>;
  stop: () => Promise<void>;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Starts all services, the sample upstream and the demo machine, and writes `dev.json`.
 *
 * @throws Error with one clear line, or the configuration problems of all services at once; nothing is left running.
 */
export async function startMesh({ env, onProgress = () => undefined, only }: MeshOptions): Promise<Mesh> {
  const ports = readPorts(env);
  await requireFreePorts(ports);
  const dataDir = resolve(ROOT, env.ZEQ_DATA_DIR || '.zeq');
  const secrets = loadDevSecrets(dataDir, env);
  const options = {
    logDir: join(dataDir, 'logs'),
    onRestart: (name: string, how: string) => onProgress(`${name} ended (${how}); starting it again`),
  };
  const shared = sharedEnvironment(env, secrets, ports, dataDir);

  const sample = new Supervised(
    {
      name: 'sample-upstream',
      program: join(ROOT, 'dev/sample-upstream.ts'),
      healthUrl: `http://127.0.0.1:${ports[SAMPLE.portVariable]}/health`,
      env: { PATH: env.PATH, SAMPLE_PORT: shared.SAMPLE_PORT, SAMPLE_KEY: secrets.SAMPLE_KEY },
    },
    options,
  );
  const services = await Promise.all(
    SERVICES.filter(({ name }) => only === undefined || only.includes(name)).map(
      async (spec) =>
        new Supervised(
          {
            name: spec.name,
            program: join(ROOT, 'services', spec.name, 'src/main.ts'),
            healthUrl: healthUrl(spec, ports),
            env: await environmentOf(spec, shared),
          },
          options,
        ),
    ),
  );
  const all = [sample, ...services];
  const stop = async () => {
    for (const process of all.toReversed()) await process.stop();
  };
  try {
    await startAll(all, onProgress);
    const gateway = `http://127.0.0.1:${ports.GATEWAY_PORT}`;
    onProgress('registering the sample upstream for the demo machine');
    const demo = await ensureDemoMachine({
      gateway,
      xApiKey: first(secrets.ZEQ_API_KEYS),
      sampleUrl: `http://127.0.0.1:${ports.SAMPLE_PORT}`,
      sampleKey: secrets.SAMPLE_KEY,
      known: readKnownMachine(dataDir),
    });
    const mesh = {
      gateway,
      page: `${gateway}/apps/zeq-byok/`,
      xApiKey: first(secrets.ZEQ_API_KEYS),
      xAdminKey: first(secrets.ZEQ_ADMIN_KEYS),
      ...demo,
      dataDir,
      ports,
      pids: () => Object.fromEntries(all.map((process) => [process.name, process.pid])),
      stop,
    };
    writeDevFile(mesh);
    return mesh;
  } catch (err) {
    await stop();
    throw err;
  }
}

/** All at once: no service needs another one to start. Every failure is collected, so that all bad settings are said together. */
async function startAll(all: Supervised[], onProgress: (text: string) => void): Promise<void> {
  let up = 0;
  const results = await Promise.allSettled(
    all.map(async (process) => {
      await process.start();
      onProgress(`${++up} of ${all.length} running: ${process.name}`);
    }),
  );
  const problems = results
    .filter((result) => result.status === 'rejected')
    .map((result) => (result.reason as Error).message);
  if (problems.length > 0) throw new Error([...new Set(problems)].join('\n'));
}

/** What all services could need; `environmentOf` then picks each one's own. */
function sharedEnvironment(
  env: NodeJS.ProcessEnv,
  secrets: DevSecrets,
  ports: Ports,
  dataDir: string,
): Record<string, string> {
  const addresses = Object.fromEntries(
    SERVICES.map(({ urlVariable, portVariable }) => [urlVariable, `http://127.0.0.1:${ports[portVariable]}`]),
  );
  const portTexts = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]));
  const { SAMPLE_KEY: _onlyForTheSample, ...serviceSecrets } = secrets;
  const given = Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
    ),
  );
  for (const name of Object.keys(serviceSecrets)) delete given[`${name}_FILE`]; // read already
  return {
    ...addresses,
    ...forwarderSocket(dataDir),
    ...given,
    ...portTexts,
    ...serviceSecrets,
    ZEQ_DATA_DIR: dataDir,
    ZEQ_EGRESS_ALLOW: [given.ZEQ_EGRESS_ALLOW, `127.0.0.1:${ports.SAMPLE_PORT}`].filter(Boolean).join(','),
  };
}

/** Longest path of a socket file, in bytes, that every system takes (104 on macOS, 108 on Linux, each with its end). */
const MAX_SOCKET_PATH = 100;

/** On one machine the gateway reaches the forwarder over a socket file: the hop costs a sixth less than over TCP. */
function forwarderSocket(dataDir: string): Record<string, string> {
  const path = join(dataDir, 'forwarder.sock');
  if (process.platform === 'win32' || Buffer.byteLength(path) > MAX_SOCKET_PATH) return {};
  return { FORWARDER_SOCKET: path, FORWARDER_URL: `unix:${path}` };
}

/** Only what the service's own configuration names: no process but the vault ever holds ZEQ_FIELD_KEY. */
export async function environmentOf(
  spec: ServiceSpec,
  shared: Record<string, string>,
): Promise<NodeJS.ProcessEnv> {
  const { Env } = (await import(join(ROOT, 'services', spec.name, 'src/config.ts'))) as {
    Env: { shape: Record<string, unknown> };
  };
  const names = Object.keys(Env.shape).flatMap((name) => [name, `${name}_FILE`]);
  const passed = ['PATH', 'HOME', 'TZ', 'NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS', ...names];
  return Object.fromEntries(
    passed.flatMap((name) => (shared[name] === undefined ? [] : [[name, shared[name]]])),
  );
}

const healthUrl = (spec: ServiceSpec, ports: Ports) => `http://127.0.0.1:${ports[spec.portVariable]}/health`;

/** @throws Error that names every taken port and the variable that moves it. */
async function requireFreePorts(ports: Ports): Promise<void> {
  const lines = await Promise.all(
    Object.entries(ports).map(async ([variable, port]) =>
      (await isFree(port))
        ? []
        : [`Port ${port} is taken by another program; choose another with ${variable}=…`],
    ),
  );
  if (lines.flat().length > 0) throw new Error(lines.flat().join('\n'));
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  probe.listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw err;
  }
  await new Promise((resolve) => probe.close(resolve));
  return true;
}

const first = (list: string) => list.split(',')[0]!.trim();

function readKnownMachine(dataDir: string): Machine | undefined {
  const file = join(dataDir, 'dev.json');
  return existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as { machine?: Machine }).machine
    : undefined;
}

function writeDevFile(mesh: Omit<Mesh, 'stop' | 'pids'>): void {
  const content = {
    gateway: mesh.gateway,
    page: mesh.page,
    x_api_key: mesh.xApiKey,
    x_admin_key: mesh.xAdminKey,
    machine: mesh.machine,
    apis: mesh.apis,
  };
  writeFileSync(join(mesh.dataDir, 'dev.json'), `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
}
