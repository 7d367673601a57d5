import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const NGINX = fileURLToPath(new URL('..', import.meta.url));
export const HOST = 'gateway.example.com';

/** The edge as it runs in production, on free ports, in front of one address for every service. */
export interface Edge {
  http: number;
  https: number;
  /** The operator's port for each service. */
  doors: Record<'gateway' | 'sync' | 'vault' | 'forwarder' | 'operator' | 'zeqond', number>;
  /** Its writable folder; `letsencrypt/` in it is where certificates are looked for. */
  folder: string;
  output: () => string;
  stop: () => Promise<void>;
}

/** @throws Error with nginx's own words when it does not start. */
export async function startEdge(backendPort: number, env: Record<string, string> = {}): Promise<Edge> {
  const folder = mkdtempSync('/tmp/zeq-edge-');
  const [http, https, gateway, sync, vault, forwarder, operator, zeqond] = await freePorts(8);
  const targets = readFileSync(join(NGINX, 'targets.conf'), 'utf8');
  writeFileSync(
    join(folder, 'targets'),
    targets.replaceAll(/default [a-z-]+:\d+/g, `default 127.0.0.1:${backendPort}`),
  );
  const logFile = join(folder, 'log');
  const log = openSync(logFile, 'w'); // a file, because nginx opens /dev/stdout, which a socket does not allow
  const child = spawn(join(NGINX, 'start.sh'), {
    env: {
      PATH: process.env.PATH,
      DOMAIN: `https://${HOST}`,
      ZEQ_NGINX_RUN: join(folder, 'run'),
      ZEQ_NGINX_CERTS: join(folder, 'letsencrypt'),
      ZEQ_NGINX_TARGETS: join(folder, 'targets'),
      ZEQ_NGINX_WATCH_SECONDS: '1',
      ZEQ_NGINX_HTTP_PORT: `${http}`,
      ZEQ_NGINX_HTTPS_PORT: `${https}`,
      GATEWAY_PORT: `${gateway}`,
      SYNC_PORT: `${sync}`,
      VAULT_PORT: `${vault}`,
      FORWARDER_PORT: `${forwarder}`,
      OPERATOR_PORT: `${operator}`,
      ZEQOND_PORT: `${zeqond}`,
      ...env,
    },
    stdio: ['ignore', log, log],
    ...asNobody(folder),
  });
  closeSync(log);
  const edge: Edge = {
    http: http!,
    https: https!,
    doors: {
      gateway: gateway!,
      sync: sync!,
      vault: vault!,
      forwarder: forwarder!,
      operator: operator!,
      zeqond: zeqond!,
    },
    folder,
    output: () => readFileSync(logFile, 'utf8'),
    stop: async () => {
      await stopChild(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await untilHealthy(edge, child);
  return edge;
}

/** Never as root, as in production; the writable folder is handed over with everything in it. */
function asNobody(folder: string): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  execFileSync('chown', ['-R', '65534:65534', folder]);
  return { uid: 65534, gid: 65534 };
}

async function untilHealthy(edge: Edge, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${edge.output()}`);
    try {
      const res = await fetch(`http://127.0.0.1:${edge.http}/nginx-health`);
      if (res.ok) return;
    } catch {
      await sleep(100); // not listening yet
    }
  }
  throw new Error(`nginx did not answer: ${edge.output()}`);
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Puts a certificate where certbot would, for `days` from now. Returns its fingerprint. */
export function issueCertificate(edge: Edge, days: number): string {
  const live = join(edge.folder, 'letsencrypt', HOST);
  execFileSync('mkdir', ['-p', live]);
  const arguments_ = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days ${days} -subj /CN=${HOST} -keyout ${live}/privkey.pem -out ${live}/fullchain.pem`;
  execFileSync('openssl', arguments_.split(' '), { stdio: 'ignore' });
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', '65534:65534', live]);
  const text = execFileSync('openssl', [
    'x509',
    '-in',
    join(live, 'fullchain.pem'),
    '-noout',
    '-fingerprint',
    '-sha256',
  ]);
  return text.toString().split('=')[1]!.trim();
}
