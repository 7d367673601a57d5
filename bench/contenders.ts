import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startMesh } from './mesh.ts';
import { CLIENT_HEADERS, UPSTREAM_KEY } from './messages.ts';
import { nginxProxy } from './nginx.ts';
import { familyOf } from './proc.ts';
import { freePorts, startProcess, stopProcess } from './processes.ts';
import type { Target } from './wrk.ts';

/** The ports of the two upstreams: JSON answers, and event streams. */
export interface Upstreams {
  json: number;
  sse: number;
}

/** A contender that runs, and how a client addresses each upstream through it. */
export interface Running {
  json: Target;
  sse: Target;
  /** Every process on the path. */
  pids: number[];
  stop: () => Promise<void>;
}

export interface Contender {
  id: string;
  label: string;
  start: (upstreams: Upstreams) => Promise<Running>;
}

/** The contenders run on this processor; upstream and client have the other one. */
export const CONTENDER_CPU = '0';
const PATH = '/v1/chat/completions';
const PEERS = fileURLToPath(new URL('./peers/', import.meta.url));
const OUT = fileURLToPath(new URL('./out/', import.meta.url));

export const CONTENDERS: readonly Contender[] = [
  {
    id: 'mesh',
    label: 'Zeq mesh, two hops with everything on, as `npm start` runs it',
    start: (up) => startMesh(up, { socketFile: true }),
  },
  {
    id: 'mesh-tcp',
    label: 'the same with TCP between its hops, as in containers',
    start: (up) => startMesh(up),
  },
  { id: 'nginx', label: 'nginx `proxy_pass`, header set', start: (up) => startNginx(up, 'nginx-contender') },
  { id: 'express', label: 'express + http-proxy-middleware, keep-alive agent', start: startExpress },
  { id: 'portkey', label: '`@portkey-ai/gateway`', start: startPortkey },
];

/** The limit of what a proxy can do; also the reference that every other measurement is taken beside. */
export async function startNginx(upstreams: Upstreams, name: string): Promise<Running> {
  const [json, sse] = (await freePorts(2)) as [number, number];
  const dir = join(OUT, name);
  mkdirSync(dir, { recursive: true });
  const roads = [
    { from: json, to: upstreams.json },
    { from: sse, to: upstreams.sse },
  ];
  return runAt([json, sse], { command: nginxProxy(dir, roads) });
}

async function startExpress(upstreams: Upstreams): Promise<Running> {
  const [json, sse] = (await freePorts(2)) as [number, number];
  const roads = [
    { from: json, to: upstreams.json },
    { from: sse, to: upstreams.sse },
  ];
  const env = { ROADS: JSON.stringify(roads), KEY: UPSTREAM_KEY };
  return runAt([json, sse], { command: [process.execPath, join(PEERS, 'express-hpm.mjs')], env });
}

/** Portkey's open gateway keeps no credentials: its documented config header carries the provider's key with every request. */
async function startPortkey(upstreams: Upstreams): Promise<Running> {
  const [port] = (await freePorts(1)) as [number];
  const program = join(PEERS, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  const command = [process.execPath, program, `--port=${port}`, '--headless'];
  const running = await runAt([port, port], { command });
  const configFor = (upstream: number) => ({
    'x-portkey-config': JSON.stringify({
      provider: 'openai',
      api_key: UPSTREAM_KEY,
      custom_host: `http://127.0.0.1:${upstream}/v1`,
    }),
  });
  Object.assign(running.json.headers, configFor(upstreams.json));
  Object.assign(running.sse.headers, configFor(upstreams.sse));
  return running;
}

async function runAt(
  [json, sse]: [number, number],
  spec: { command: string[]; env?: NodeJS.ProcessEnv },
): Promise<Running> {
  const child = await startProcess({ ...spec, cpus: CONTENDER_CPU, port: json });
  return {
    json: { port: json, path: PATH, headers: clientHeaders() },
    sse: { port: sse, path: PATH, headers: clientHeaders() },
    pids: familyOf(child.pid!),
    stop: () => stopProcess(child),
  };
}

const clientHeaders = () => ({ ...CLIENT_HEADERS, Authorization: 'Bearer a-token-of-the-client' });
