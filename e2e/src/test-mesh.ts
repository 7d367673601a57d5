import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiView, MintToken, RegisterApi } from '@zeq/contracts';
import { type Mesh, type MeshOptions, startMesh } from '../../dev/mesh.ts';

/** A running mesh: the three services of the main road as processes, with its own data folder, and the calls that every test makes on it. */
export interface TestMesh {
  mesh: Mesh;
  owner: { slug: string; api_key: string };
  /** A call on the gateway. `token` travels as a Bearer. */
  call: (method: string, path: string, options?: CallOptions) => Promise<Response>;
  /** Registers an API of the owner. @returns Its id and the address to which a caller's path is added. */
  register: (api: Partial<RegisterApi> & { name: string }) => Promise<{ id: string; forward: string }>;
  mintToken: (api: string, wanted?: Partial<MintToken>) => Promise<{ id: string; token: string }>;
  /** A second machine, as a platform client makes it. */
  createMachine: (slug: string) => Promise<{ slug: string; api_key: string }>;
  stop: () => Promise<void>;
}

export interface CallOptions {
  token?: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: unknown;
  signal?: AbortSignal;
}

/**
 * Starts a mesh on free ports in a temporary folder that `stop` removes.
 *
 * @param upstreams The local upstreams that the egress guard lets through, as host:port.
 * @param only The services; by default those of the main road.
 */
export async function openTestMesh(
  upstreams: string[],
  env: NodeJS.ProcessEnv = {},
  only: MeshOptions['only'] = ['byok-vault', 'forwarder', 'gateway'],
): Promise<TestMesh> {
  const dataDir = await mkdtemp(join(tmpdir(), 'zeq-e2e-'));
  const mesh = await startMesh({
    only,
    env: {
      PATH: process.env.PATH,
      ...(await portVariables()),
      ZEQ_DATA_DIR: dataDir,
      ZEQ_EGRESS_ALLOW: upstreams.join(','),
      RATE_LIMIT_RPM: '1000000',
      ...env,
    },
  });
  const stop = async () => {
    await mesh.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { mesh, owner: mesh.machine, stop, ...callsOn(mesh) };
}

function callsOn(mesh: Mesh): Pick<TestMesh, 'call' | 'register' | 'mintToken' | 'createMachine'> {
  const { slug, api_key: token } = mesh.machine;
  const call: TestMesh['call'] = (method, path, options = {}) => send(mesh.gateway + path, method, options);
  return {
    call,
    register: async (api) => {
      const path = `/api/zeq/apis/${slug}`;
      const json = { rate_limit_per_min: 1_000_000, ...api };
      const { id } = await expectStatus<ApiView>(201, await call('POST', path, { token, json }));
      return { id, forward: `${mesh.gateway}${path}/${api.name}/forward` };
    },
    mintToken: async (api, wanted = {}) => {
      const path = `/api/zeq/apis/${slug}/${api}/tokens`;
      const minted = await expectStatus<{ token: string; app_token: { id: string } }>(
        201,
        await call('POST', path, { token, json: wanted }),
      );
      return { id: minted.app_token.id, token: minted.token };
    },
    createMachine: async (wanted) => {
      const options = { headers: { 'x-api-key': mesh.xApiKey }, json: { slug: wanted } };
      const made = await expectStatus<{ api_key: string }>(
        201,
        await call('POST', '/api/zeq/machines', options),
      );
      return { slug: wanted, api_key: made.api_key };
    },
  };
}

function send(url: string, method: string, options: CallOptions): Promise<Response> {
  const { token, headers = {}, json, signal } = options;
  return fetch(url, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
    ...(signal !== undefined && { signal }),
  });
}

/** The body of an answer that has to have this status. @throws Error with the whole answer when it has another. */
export async function expectStatus<T>(status: number, answer: Response): Promise<T> {
  const text = await answer.text();
  if (answer.status !== status) throw new Error(`${status} was expected, ${answer.status} came: ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

const PORTS = [
  'GATEWAY_PORT',
  'SYNC_PORT',
  'VAULT_PORT',
  'FORWARDER_PORT',
  'OPERATOR_PORT',
  'ZEQOND_PORT',
  'SAMPLE_PORT',
];

async function portVariables(): Promise<Record<string, string>> {
  const ports = await freePorts(PORTS.length);
  return Object.fromEntries(PORTS.map((name, i) => [name, String(ports[i])]));
}

/** Ports that nobody listens on: all are held at once while they are chosen, so that no two are the same. */
export async function freePorts(count: number): Promise<number[]> {
  const held = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(held.map((server) => once(server, 'listening')));
  const ports = held.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(held.map((server) => once(server.close(), 'close')));
  return ports;
}
