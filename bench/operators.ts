// The operator-engine: operators per second, a sweep of 10,000 points, and the whole live state.
//
//   node bench/operators.ts                  about a minute
//   node bench/operators.ts --seconds 10     longer visits
//
// Needs Linux and taskset. The engine runs as its own process on processor 0, as it is run in earnest (embedded store, proofs,
// records, access log); the client, this process, on processor 1. Prints a Markdown table.
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { NODE_FLAGS } from '../dev/runtime.ts';
import { familyOf, machineBusyUs, machineName, ownBusyUs, usageOf } from './proc.ts';
import { freePorts, pin, startProcess, stopAllProcesses } from './processes.ts';
import { quantile } from './stats.ts';

interface Load {
  label: string;
  path: string;
  body?: unknown;
  connections: number;
  /** Operators that one answer computes. */
  operators: number;
}

const POINTS = 10_000;
const OPERATORS_WITH_A_VALUE = 1_053;
const sweep = (scale: number) => Array.from({ length: POINTS }, (_, i) => (i + 1) * scale);
const EXECUTE = '/api/zeq/operators/execute?operator=';
const probabilities = Object.fromEntries(
  ['p2', 'p3', 'p4', 'p5', 'p6', 'p7', 'p8'].map((name) => [name, 0.1]),
);

const LOADS: readonly Load[] = [
  { label: 'one operator', path: `${EXECUTE}KO1`, body: { params: { x: 1 } }, connections: 16, operators: 1 },
  {
    label: 'three operators under KO42, with units',
    path: `${EXECUTE}NM19,NM22,NM23`,
    body: { params: { m: '5 kg', a: '3 m/s^2', d: '4 m', v: '100 km/h' } },
    connections: 16,
    operators: 3,
  },
  {
    label: 'a sweep of 10,000 points, NM19',
    path: `${EXECUTE}NM19`,
    body: { params: { m: sweep(0.5), a: 3 } },
    connections: 1,
    operators: POINTS,
  },
  {
    label: 'a sweep of 10,000 points, CS47 (the dearest formula)',
    path: `${EXECUTE}CS47`,
    body: { params: { p1: sweep(1 / POINTS), ...probabilities } },
    connections: 1,
    operators: POINTS,
  },
  {
    label: 'the whole `/api/zeq/state/live`',
    path: '/api/zeq/state/live',
    connections: 16,
    operators: OPERATORS_WITH_A_VALUE,
  },
  {
    label: 'the catalogue, 100 records, public',
    path: '/api/zeq/operators',
    connections: 16,
    operators: 0,
  },
];

const { values: options } = parseArgs({ options: { seconds: { type: 'string', default: '6' } } });
const SECRET = randomBytes(32).toString('hex');
const dataDir = await mkdtemp(join(tmpdir(), 'zeq-bench-operators-'));

try {
  pin([process.pid], '1');
  const { port, pids } = await startEngine();
  for (const load of LOADS) await visit(load, port, pids, 2); // compiled by then, and the caches filled
  say(`${machineName()}, Node ${process.versions.node}, visits of ${options.seconds} s`);
  say('');
  say('| what | answers/s | operators/s | p50, ms | p99, ms | engine CPU per answer, µs | used by others |');
  say('|---|---:|---:|---:|---:|---:|---:|');
  for (const load of LOADS) say(rowOf(load, await visit(load, port, pids, Number(options.seconds))));
} finally {
  await stopAllProcesses();
  await rm(dataDir, { recursive: true, force: true });
}

async function startEngine(): Promise<{ port: number; pids: number[] }> {
  const [port] = (await freePorts(1)) as [number];
  const child = await startProcess({
    command: [
      process.execPath,
      ...NODE_FLAGS,
      fileURLToPath(new URL('../services/operator-engine/src/main.ts', import.meta.url)),
    ],
    env: {
      OPERATOR_PORT: `${port}`,
      ZEQ_INTERNAL_SECRET: SECRET,
      JWT_SECRET: randomBytes(32).toString('hex'),
      ZEQ_DATA_DIR: dataDir,
      RATE_LIMIT_RPM: '1000000000',
    },
    cpus: '0',
    port,
  });
  return { port, pids: familyOf(child.pid!) };
}

interface Visit {
  perSecond: number;
  millis: number[];
  cpuUs: number;
  foreign: number;
}

/** Keeps some connections busy for some seconds. @throws Error at the first answer that is not 200. */
async function visit(load: Load, port: number, pids: readonly number[], seconds: number): Promise<Visit> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
  const body = load.body === undefined ? undefined : Buffer.from(JSON.stringify(load.body));
  const headers = {
    ...(body && { 'content-type': 'application/json', 'content-length': body.length }),
    ...vouch(),
  };
  const millis: number[] = [];
  const before = { cpu: usageOf(pids).cpuUs, own: ownBusyUs(), machine: machineBusyUs() };
  const startedAt = performance.now();
  const end = startedAt + seconds * 1000;
  await Promise.all(
    Array.from({ length: load.connections }, async () => {
      while (performance.now() < end) {
        const sentAt = performance.now();
        await call({ agent, port, path: load.path, headers }, body);
        millis.push(performance.now() - sentAt);
      }
    }),
  );
  const elapsed = performance.now() - startedAt;
  agent.destroy();
  const cpu = usageOf(pids).cpuUs - before.cpu;
  const others = machineBusyUs() - before.machine - cpu - (ownBusyUs() - before.own);
  return {
    perSecond: (millis.length / elapsed) * 1000,
    millis,
    cpuUs: cpu / millis.length,
    foreign: Math.max(0, others / (elapsed * 1000 * 2)),
  };
}

async function call(
  where: { agent: Agent; port: number; path: string; headers: object },
  body?: Buffer,
): Promise<void> {
  const { headers, ...rest } = where;
  const req = request({ ...rest, host: '127.0.0.1', method: body ? 'POST' : 'GET', headers: { ...headers } });
  req.end(body);
  const [res] = await once(req, 'response');
  if (res.statusCode !== 200) throw new Error(`${where.path} answered ${res.statusCode}`);
  for await (const _chunk of res);
}

/** The gateway's word for a caller, as the engine gets it behind the gateway; good for the length of a visit. */
function vouch(): Record<string, string> {
  const now = Math.floor(Date.now() / 1000);
  const caller = { kind: 'owner', machine_id: id('mch'), slug: 'bench', key_id: id('key'), scope: 'owner' };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'gateway', aud: 'operator-engine', iat: now, exp: now + 60, caller };
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return { 'x-zeq-service': `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}` };
}

function id(kind: string): string {
  return `${kind}_${'0'.repeat(22)}`;
}

function rowOf({ label, operators }: Load, { perSecond, millis, cpuUs, foreign }: Visit): string {
  const cells = [
    label,
    Math.round(perSecond).toLocaleString('en'),
    operators === 0 ? '' : Math.round(perSecond * operators).toLocaleString('en'),
    quantile(millis, 0.5).toFixed(2),
    quantile(millis, 0.99).toFixed(2),
    Math.round(cpuUs).toLocaleString('en'),
    `${Math.round(foreign * 100)} %`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
