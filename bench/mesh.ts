import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../dev/runtime.ts';
import { CONTENDER_CPU, type Running, type Upstreams } from './contenders.ts';
import { CLIENT_HEADERS, UPSTREAM_KEY } from './messages.ts';
import { familyOf } from './proc.ts';
import { freePorts, startProcess, stopProcess } from './processes.ts';
import type { Target } from './wrk.ts';

const SERVICES = fileURLToPath(new URL('../services/', import.meta.url));
const SLUG = 'bench';
const HIGHEST_PER_MINUTE = 1_000_000;

interface MeshOptions {
  /** The hop between gateway and forwarder goes over a socket file instead of TCP, as it can where both are on one host. */
  socketFile?: boolean;
  /** For the profiler. */
  nodeOptions?: readonly string[];
  env?: NodeJS.ProcessEnv;
}

/**
 * The mesh as it is run: vault, forwarder and gateway as processes of their own, with nothing switched off. An app token is
 * checked, both limits are counted (and set so high that they do not refuse), the lease is looked up and its credential
 * opened for each call, the guard lets the loopback upstream pass because ZEQ_EGRESS_ALLOW names it.
 */
export async function startMesh(
  upstreams: Upstreams,
  { socketFile = false, nodeOptions = [], env: extra = {} }: MeshOptions = {},
): Promise<Running & { pidOf: Record<string, number> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'zeq-bench-'));
  const xApiKey = secret();
  const shared = { ZEQ_INTERNAL_SECRET: secret(), LOG_LEVEL: 'info', ZEQ_DATA_DIR: dataDir, ...extra };
  const services = await planServices(
    upstreams,
    xApiKey,
    socketFile ? join(dataDir, 'forwarder.sock') : undefined,
  );
  const children: ChildProcess[] = [];
  for (const { name, port, env } of services) {
    const command = [process.execPath, ...NODE_FLAGS, ...nodeOptions, join(SERVICES, name, 'src/main.ts')];
    const spec = { command, env: { ...shared, ...env }, cpus: CONTENDER_CPU, port, cwd: dataDir };
    children.push(await startProcess(spec));
  }
  const gatewayPort = services.at(-1)!.port;
  await untilReady(`http://127.0.0.1:${gatewayPort}`);
  const targets = await register(xApiKey, upstreams, gatewayPort);
  const stop = async () => {
    for (const child of children.toReversed()) await stopProcess(child);
    await rm(dataDir, { recursive: true, force: true });
  };
  const pidOf = Object.fromEntries(services.map(({ name }, i) => [name, children[i]!.pid!]));
  return { ...targets, pidOf, pids: children.flatMap((child) => familyOf(child.pid!)), stop };
}

/** What each service is told, in the order in which they start; the gateway comes last. */
async function planServices(upstreams: Upstreams, xApiKey: string, socket: string | undefined) {
  const [gatewayPort, vaultPort, forwarderPort] = (await freePorts(3)) as [number, number, number];
  const ZEQ_EGRESS_ALLOW = `127.0.0.1:${upstreams.json},127.0.0.1:${upstreams.sse}`;
  const VAULT_URL = `http://127.0.0.1:${vaultPort}`;
  const gateway = {
    GATEWAY_PORT: `${gatewayPort}`,
    VAULT_URL,
    FORWARDER_URL: socket === undefined ? `http://127.0.0.1:${forwarderPort}` : `unix:${socket}`,
    JWT_SECRET: secret(),
    ZEQ_API_KEYS: xApiKey,
    ZEQ_ADMIN_KEYS: secret(),
    RATE_LIMIT_RPM: '1000000000',
  };
  return [
    {
      name: 'byok-vault',
      port: vaultPort,
      env: { VAULT_PORT: `${vaultPort}`, ZEQ_FIELD_KEY: secret(), ZEQ_EGRESS_ALLOW },
    },
    {
      name: 'forwarder',
      port: forwarderPort,
      env: { FORWARDER_PORT: `${forwarderPort}`, FORWARDER_SOCKET: socket, VAULT_URL, ZEQ_EGRESS_ALLOW },
    },
    { name: 'gateway', port: gatewayPort, env: gateway },
  ];
}

const secret = () => randomBytes(32).toString('hex');

async function untilReady(gateway: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await fetch(`${gateway}/ready`)).ok) {
    if (performance.now() > deadline) throw new Error('the mesh is not ready after 30 s');
    await sleep(100);
  }
}

/** A machine with both upstreams registered, and one app token for both. */
async function register(
  xApiKey: string,
  upstreams: Upstreams,
  port: number,
): Promise<{ json: Target; sse: Target }> {
  const gateway = `http://127.0.0.1:${port}`;
  const machine = await post(`${gateway}/api/zeq/machines`, { 'x-api-key': xApiKey }, { slug: SLUG });
  const owner = { authorization: `Bearer ${machine.api_key}` };
  const apis = `/api/zeq/apis/${SLUG}`;
  for (const name of ['json', 'sse'] as const) {
    await post(gateway + apis, owner, {
      name,
      base_url: `http://127.0.0.1:${upstreams[name]}`,
      auth_header: `Authorization: Bearer ${UPSTREAM_KEY}`,
      rate_limit_per_min: HIGHEST_PER_MINUTE,
    });
  }
  const wanted = { apis: ['sse'], rate_limit_per_min: HIGHEST_PER_MINUTE };
  const { token } = await post(`${gateway}${apis}/json/tokens`, owner, wanted);
  const target = (name: string): Target => ({
    port,
    path: `${apis}/${name}/forward/v1/chat/completions`,
    headers: { ...CLIENT_HEADERS, Authorization: `Bearer ${token}` },
  });
  return { json: target('json'), sse: target('sse') };
}

async function post(
  url: string,
  headers: Record<string, string>,
  body: unknown,
): Promise<Record<string, string>> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } };
  const answer = await fetch(url, { ...init, body: JSON.stringify(body) });
  if (answer.status !== 201) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as Record<string, string>;
}
