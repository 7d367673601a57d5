import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectStatus, type TestMesh } from './test-mesh.ts';
import { until } from './until.ts';

/** Every kind of caller that a route may meet, by the column of the access matrix. */
export const CALLERS = [
  'anonymous',
  'platform',
  'operator',
  'owner',
  'forward key',
  'read key',
  'session',
  'other owner',
  'app',
  'app of another API',
  'expired app',
  'revoked app',
  'forged session',
  'service token',
] as const;
export type CallerName = (typeof CALLERS)[number];

/** One machine with an API `main` and an API `other`, and the headers with which each caller comes. */
export interface World {
  slug: string;
  owner: string;
  headersOf: Record<CallerName, Record<string, string>>;
}

/** @param base_url An upstream that the egress guard lets through. */
export async function buildWorld(mesh: TestMesh, name: string, base_url: string): Promise<World> {
  const { xApiKey, xAdminKey, dataDir } = mesh.mesh;
  const { slug, api_key: owner } = await mesh.createMachine(name);
  const other = await mesh.createMachine(`${name}-other`);
  const apis = `/api/zeq/apis/${slug}`;
  const post = async <T>(path: string, json: object, status = 201) =>
    expectStatus<T>(status, await mesh.call('POST', path, { token: owner, json }));
  const auth_header = `X-Bytes-Key: ${randomBytes(16).toString('hex')}`;
  for (const api of ['main', 'other'])
    await post(apis, { name: api, base_url, auth_header, rate_limit_per_min: 10_000 });

  const key = async (scope: string) =>
    (await post<{ api_key: string }>(`/api/zeq/machines/${slug}/keys`, { scope })).api_key;
  const app = (api: string, more = {}) =>
    post<{ token: string; app_token: { id: string } }>(`${apis}/${api}/tokens`, more);
  const expired = await app('main', { expires_in_seconds: 1 });
  const revoked = await app('main');
  await expectStatus(
    204,
    await mesh.call('DELETE', `${apis}/main/tokens/${revoked.app_token.id}`, { token: owner }),
  );
  const session = await post<{ token: string }>('/api/zeq/session', {}, 200);
  const secrets = JSON.parse(readFileSync(join(dataDir, 'secrets.json'), 'utf8')) as Record<string, string>;
  const headersOf = {
    anonymous: {},
    platform: { 'x-api-key': xApiKey },
    operator: { 'x-admin-key': xAdminKey },
    owner: bearer(owner),
    'forward key': bearer(await key('forward')),
    'read key': bearer(await key('read')),
    session: bearer(session.token),
    'other owner': bearer(other.api_key),
    app: bearer((await app('main')).token),
    'app of another API': bearer((await app('other')).token),
    'expired app': bearer(expired.token),
    'revoked app': bearer(revoked.token),
    'forged session': bearer(withOtherSignature(session.token)),
    'service token': serviceToken(secrets.ZEQ_INTERNAL_SECRET!),
  };
  await until(
    async () => (await mesh.call('GET', `${apis}/main/forward/x`, { token: expired.token })).status === 401,
  );
  return { slug, owner, headersOf };
}

/** The same world, whose session has only just begun. */
export async function withNewSession(mesh: TestMesh, world: World): Promise<World> {
  const begun = await mesh.call('POST', '/api/zeq/session', { token: world.owner, json: {} });
  const { token } = await expectStatus<{ token: string }>(200, begun);
  return { ...world, headersOf: { ...world.headersOf, session: bearer(token) } };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** The same claims, signed by somebody else. */
function withOtherSignature(jwt: string): string {
  const [head, claims] = jwt.split('.');
  return `${head}.${claims}.${sign(`${head}.${claims}`, 'a'.repeat(64))}`;
}

/** A well-signed token between two services, sent by a client: where a service expects it, and as a Bearer. */
function serviceToken(secret: string): Record<string, string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: 'gateway', aud: 'byok-vault', iat: now, exp: now + 60, caller: { kind: 'operator' } };
  const text = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const token = `${text}.${sign(text, secret)}`;
  return { ...bearer(token), 'x-zeq-service': token };
}

const sign = (text: string, secret: string) => createHmac('sha256', secret).update(text).digest('base64url');
