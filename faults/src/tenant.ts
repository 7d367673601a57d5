import { randomBytes } from 'node:crypto';
import type { ApiView, RegisterApiInput } from '@zeq/contracts';
import type { Ask } from './load/call.ts';
import type { FaultMesh } from './mesh.ts';

/** A machine with an API, and every credential that the mesh has acknowledged for it. */
export interface Tenant {
  mesh: FaultMesh;
  slug: string;
  machineId: string;
  /** What its owner sends. */
  headers: Record<string, string>;
  /** Where the standing calls go. */
  forward: string;
  /** Secrets by the name of their API, as acknowledged. */
  secrets: Map<string, string>;
  /** The one that an API of this name is registered with, whether that was acknowledged or not. */
  secretOf: (name: string) => string;
  register: (api: Partial<RegisterApiInput> & { name: string }) => Promise<{ id: string; forward: string }>;
  call: (method: string, path: string, json?: unknown) => Promise<Response>;
  /** A registration to be sent by somebody who notes how it ended. */
  nextRegistration: () => { registration: Ask; acknowledged: () => undefined };
}

/** Every secret of a run begins with its canary, so one search finds them all. */
export const newCanary = (): string => `canary-${randomBytes(24).toString('hex')}`;

/** The API of the standing calls. */
export const STEADY = 'steady';

/** Makes the machine `slug` with the API `steady` at `upstream`. */
export async function createTenant(
  mesh: FaultMesh,
  slug: string,
  upstream: string,
  canary: string,
): Promise<Tenant> {
  const platform = { 'x-api-key': mesh.secrets.ZEQ_API_KEYS };
  const made = await expectJson<{ machine: { id: string }; api_key: string }>(
    201,
    await send(`${mesh.gateway}/api/zeq/machines`, 'POST', platform, { slug }),
  );
  const headers = { authorization: `Bearer ${made.api_key}` };
  const apis = `${mesh.gateway}/api/zeq/apis/${slug}`;
  const secrets = new Map<string, string>();
  const secretOf = (name: string) => `${canary}-${name}`;
  let registrations = 0;
  const bodyOf = (name: string, secret: string) => ({
    name,
    base_url: upstream,
    auth_header: `x-key: ${secret}`,
    rate_limit_per_min: 1_000_000,
  });
  const tenant: Tenant = {
    mesh,
    slug,
    machineId: made.machine.id,
    headers,
    forward: `${apis}/${STEADY}/forward`,
    secrets,
    secretOf,
    call: (method, path, json) => send(mesh.gateway + path, method, headers, json),
    async register(api) {
      const secret = secretOf(api.name);
      const json = { ...bodyOf(api.name, secret), ...api };
      const { id } = await expectJson<ApiView>(201, await send(apis, 'POST', headers, json));
      secrets.set(api.name, secret);
      return { id, forward: `${apis}/${api.name}/forward` };
    },
    nextRegistration() {
      const name = `r-${registrations++}`;
      const secret = secretOf(name);
      const registration: Ask = {
        method: 'POST',
        url: apis,
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(bodyOf(name, secret)),
      };
      return { registration, acknowledged: () => void secrets.set(name, secret) };
    },
  };
  await tenant.register({ name: STEADY, policy: { concurrency: 10_000 } });
  return tenant;
}

export function send(
  url: string,
  method: string,
  headers: Record<string, string>,
  json?: unknown,
): Promise<Response> {
  const body = json === undefined ? {} : { body: JSON.stringify(json) };
  const type = json === undefined ? {} : { 'content-type': 'application/json' };
  return fetch(url, { method, headers: { ...headers, ...type }, ...body });
}

/** @throws Error with the whole answer when it has another status. */
export async function expectJson<T>(status: number, answer: Response): Promise<T> {
  const text = await answer.text();
  if (answer.status !== status) throw new Error(`${status} was expected, ${answer.status} came: ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}
