import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildLogger, type RedisLink, type TimeSource } from '@zeq/service-kit';
import { readConfig } from '../../src/config.ts';
import { buildGateway, type Gateway } from '../../src/gateway.ts';
import { FakeFeed } from './feed.ts';
import { Register } from './people.ts';
import { INTERNAL_SECRET, StubService, StubVault } from './stub-service.ts';

export const PLATFORM_KEY = 'platform-key-0123456789abcdef';
export const ADMIN_KEY = 'operator-key-0123456789abcdef';

/** A gateway on real sockets between a test and stub services. */
export interface Rig {
  url: string;
  port: number;
  gateway: Gateway;
  register: Register;
  feed: FakeFeed;
  vault: StubVault;
  forwarder: StubService;
  engine: StubService;
  /** Access lines and log lines. */
  lines: string[];
  stop(): Promise<void>;
}

export interface RigOptions {
  env?: NodeJS.ProcessEnv;
  /** A socket file for the forwarder. */
  forwarderPath?: string;
  /** The operator engine's stub also stands for the services that are otherwise away. */
  allServices?: boolean;
  redis?: RedisLink;
  time?: TimeSource;
}

export async function startRig({
  env = {},
  forwarderPath,
  allServices = false,
  redis,
  time,
}: RigOptions = {}): Promise<Rig> {
  const register = new Register();
  const feed = new FakeFeed();
  const vault = await new StubVault(register).start();
  const forwarder = await new StubService('forwarder').start(forwarderPath);
  const engine = await new StubService('operator-engine').start();
  const config = readConfig({
    ...settings(),
    VAULT_URL: vault.url,
    FORWARDER_URL: forwarder.url,
    OPERATOR_URL: engine.url,
    ...(allServices && { SYNC_URL: engine.url, ZEQOND_URL: engine.url }),
    ...env,
  });
  const lines: string[] = [];
  const sink = { write: (line: string) => lines.push(line) };
  const log = buildLogger('gateway', 'info', sink);
  const gateway = buildGateway({ config, redis, feed, log, lines: sink, ...(time && { time }) });
  gateway.server.listen(0, '127.0.0.1');
  await once(gateway.server, 'listening');
  const { port } = gateway.server.address() as AddressInfo;
  const stop = async () => {
    await gateway.stop(0);
    await Promise.all([vault.stop(), forwarder.stop(), engine.stop()]);
  };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    gateway,
    register,
    feed,
    vault,
    forwarder,
    engine,
    lines,
    stop,
  };
}

export const settings = (): NodeJS.ProcessEnv => ({
  ZEQ_INTERNAL_SECRET: INTERNAL_SECRET,
  JWT_SECRET: 'j'.repeat(40),
  ZEQ_API_KEYS: PLATFORM_KEY,
  ZEQ_ADMIN_KEYS: ADMIN_KEY,
  ALLOWED_ORIGINS: 'https://page.example.com',
  RATE_LIMIT_RPM: '100000',
  SYNC_URL: 'http://127.0.0.1:1',
  ZEQOND_URL: 'http://127.0.0.1:1',
});

export interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  rawHeaders: string[];
  text: string;
  json(): { [key: string]: unknown };
}

/** One request, path and headers exactly as given (a value that is a list makes several lines). */
export function call(
  url: string,
  {
    method = 'GET',
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string | string[]>; body?: string | Buffer } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const [, hostname, port, path] = /^http:\/\/([^:/]+):(\d+)(.*)$/.exec(url) ?? [];
    const req = request({ hostname, port, path, method, headers, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const { statusCode: status = 0, headers, rawHeaders } = res;
        resolve({ status, headers, rawHeaders, text, json: () => JSON.parse(text) });
      });
    });
    req.on('error', reject);
    req.end(body);
  });
}
