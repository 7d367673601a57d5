import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What `e2e-prod/run.sh` has set up: the folder of a running mesh, and a provider beside it. */
export const MESH_DIR = process.env.ZEQ_MESH_DIR ?? '';
if (MESH_DIR === '') throw new Error('ZEQ_MESH_DIR is not set; run e2e-prod/run.sh');

export const UPSTREAM = { url: 'http://upstream.test:9000', key: 'sk-canary-prod-0123456789' };

/** A setting of the mesh's .env, '' when it is not there. */
export function setting(name: string): string {
  const text = readFileSync(join(MESH_DIR, '.env'), 'utf8');
  return [...text.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].at(-1)?.[1] ?? '';
}

export const HOST = new URL(setting('DOMAIN')).hostname;

export interface Ended {
  code: number;
  output: string;
}

/** Runs one verb of deploy-prod.sh, to its end. */
export const deploy = (...args: string[]): Promise<Ended> =>
  run(join(MESH_DIR, 'scripts/deploy-prod.sh'), args, 600_000);

/** Runs docker; what it writes to stdout and stderr together. */
export const docker = (...args: string[]): Promise<Ended> => run('docker', args, 120_000);

/** Runs compose in the mesh's folder, by whichever of its two programs this machine has. */
export const compose = async (...args: string[]): Promise<Ended> => {
  const hasPlugin = (await docker('compose', 'version')).code === 0;
  return hasPlugin ? run('docker', ['compose', ...args], 300_000) : run('docker-compose', args, 300_000);
};

/** Writes a setting into the mesh's .env, '' to take it out. Nothing takes it into use but a verb of deploy-prod.sh. */
export function putSetting(name: string, value: string): void {
  const path = join(MESH_DIR, '.env');
  const kept = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(`${name}=`));
  writeFileSync(path, `${[...kept, ...(value === '' ? [] : [`${name}=${value}`])].join('\n')}\n`);
}

function run(command: string, args: string[], timeout: number): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd: MESH_DIR, timeout, maxBuffer: 1 << 26 }, (err, stdout, stderr) => {
      const code = err === null ? 0 : typeof err.code === 'number' ? err.code : 1;
      resolve({ code, output: `${stdout}${stderr}` });
    });
  });
}

/** The running containers of a service, by name. */
export async function containersOf(service: string): Promise<string[]> {
  const labels = ['--filter', `label=com.docker.compose.service=${service}`];
  const { output } = await docker('ps', '-a', ...labels, '--format', '{{.Names}}');
  return output.trim().split('\n').filter(Boolean);
}

export async function untilHealthy(container: string): Promise<void> {
  for (let i = 0; i < 240; i++) {
    const { output } = await docker('inspect', '-f', '{{.State.Status}} {{.State.Health.Status}}', container);
    if (output.trim() === 'running healthy') return;
    await sleep(500);
  }
  throw new Error(`${container} did not become healthy`);
}

export interface Call {
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

/** A call from outside, over TLS through nginx. */
export const ask = (path: string, call: Call = {}): Promise<Answer> => send(`https://${HOST}${path}`, call);

/** A call through the operator's own port of the gateway, where the limits of nginx do not apply. */
export const askDoor = (path: string, call: Call = {}): Promise<Answer> =>
  send(`http://localhost:4000${path}`, call);

/** Port 80. */
export const askPlain = (path: string): Promise<Answer> => send(`http://${HOST}${path}`, {});

function send(url: string, { method, headers = {}, body }: Call): Promise<Answer> {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const text = body === undefined ? undefined : JSON.stringify(body);
  const options = {
    host: '127.0.0.1',
    port: port || (protocol === 'https:' ? 443 : 80),
    path: `${pathname}${search}`,
    servername: hostname,
    rejectUnauthorized: false,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      Host: port === '' ? hostname : `${hostname}:${port}`,
      ...(text !== undefined && {
        'Content-Type': 'application/json',
        'Content-Length': String(Buffer.byteLength(text)),
      }),
      ...headers,
    },
    agent: false,
  } as const;
  return new Promise((resolve, reject) => {
    (protocol === 'https:' ? httpsRequest : httpRequest)(options, async (res) => {
      try {
        let answer = '';
        res.setEncoding('utf8');
        for await (const chunk of res) answer += chunk;
        resolve({ status: res.statusCode!, headers: res.headers, body: answer });
      } catch (err) {
        reject(err);
      }
    })
      .on('error', reject)
      .end(text);
  });
}

export interface Machine {
  slug: string;
  key: string;
  /** Path of a forwarded call: `forward('/echo')`. */
  forward: (path: string) => string;
  auth: { Authorization: string };
}

/** A machine with the provider registered as `provider`. */
export async function newMachine(perMinute = 1_000_000): Promise<Machine> {
  const slug = `m-${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
  const platform = { 'X-API-Key': setting('ZEQ_API_KEYS').split(',')[0]! };
  const made = await askDoor('/api/zeq/machines', { headers: platform, body: { slug, display_name: slug } });
  const key = (JSON.parse(made.body) as { api_key: string }).api_key;
  const auth = { Authorization: `Bearer ${key}` };
  const registered = await askDoor(`/api/zeq/apis/${slug}`, {
    headers: auth,
    body: {
      name: 'provider',
      base_url: UPSTREAM.url,
      auth_header: `Authorization: Bearer ${UPSTREAM.key}`,
      rate_limit_per_min: perMinute,
      policy: { concurrency: 2_000 },
    },
  });
  if (registered.status !== 201) throw new Error(`not registered: ${registered.body}`);
  return { slug, key, auth, forward: (path) => `/api/zeq/apis/${slug}/provider/forward${path}` };
}
