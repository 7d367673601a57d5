import { jest } from '@jest/globals';
import { type Caller, ROUTES, type RouteSpec } from '@zeq/contracts';
import request from 'supertest';
import { ANONYMOUS, appOf, OPERATOR, ownerOf, PLATFORM, serviceToken } from './support/callers.ts';
import { newCanary, openTestVault, type TestVault } from './support/test-vault.ts';

jest.setTimeout(30_000);

let vault: TestVault;
let callers: Record<(typeof WHO)[number], Caller>;
let slug: string;

const WHO = [
  'anonymous',
  'platform',
  'operator',
  'owner',
  'forward',
  'read',
  'app',
  'foreign',
  'foreignApp',
] as const;

beforeAll(async () => {
  vault = await openTestVault();
  const [mine, other] = [await vault.newMachine(), await vault.newMachine()];
  slug = mine.slug;
  await mine.owner
    .post(`/api/zeq/apis/${slug}`)
    .send({ name: 'openai', base_url: 'https://api.openai.com', auth_header: `X-Key: ${newCanary()}` })
    .expect(201);
  callers = {
    anonymous: ANONYMOUS,
    platform: PLATFORM,
    operator: OPERATOR,
    owner: ownerOf(mine.machine),
    forward: ownerOf(mine.machine, 'forward'),
    read: ownerOf(mine.machine, 'read'),
    app: appOf(mine.machine),
    foreign: ownerOf(other.machine),
    foreignApp: appOf(other.machine),
  };
});
afterAll(() => vault.close());

type Row = Record<(typeof WHO)[number], number>;
const row = (...statuses: number[]): Row =>
  Object.fromEntries(WHO.map((who, i) => [who, statuses[i]])) as Row;

/** Statuses in the order of WHO. Under a slug, strangers hear 404; a status under 400 or a plain 400/404/409 means "let in". */
const EXPECTED: Record<string, Row> = {
  'POST /api/zeq/machines': row(401, 400, 401, 401, 401, 401, 401, 401, 401),
  'GET /api/zeq/machines/:slug/keys': row(401, 401, 401, 200, 403, 403, 403, 404, 404),
  'POST /api/zeq/machines/:slug/keys': row(401, 401, 401, 201, 403, 403, 403, 404, 404),
  'DELETE /api/zeq/machines/:slug/keys/:keyId': row(401, 401, 401, 404, 403, 403, 403, 404, 404),
  'GET /api/zeq/admin/machines': row(401, 401, 200, 401, 401, 401, 401, 401, 401),
  'DELETE /api/zeq/admin/machines/:name': row(401, 401, 404, 401, 401, 401, 401, 401, 401),
  'POST /api/zeq/admin/platform/keys': row(401, 401, 201, 401, 401, 401, 401, 401, 401),
  'POST /api/zeq/admin/machines/:name/rotate-salt': row(401, 401, 404, 401, 401, 401, 401, 401, 401),
  'POST /api/zeq/admin/rotate-field-key': row(401, 401, 409, 401, 401, 401, 401, 401, 401),
  'GET /api/zeq/admin/rotate-field-key': row(401, 401, 200, 401, 401, 401, 401, 401, 401),
  'DELETE /api/zeq/admin/rotate-field-key': row(401, 401, 404, 401, 401, 401, 401, 401, 401),
  'GET /api/zeq/apis/:slug': row(401, 401, 401, 200, 200, 200, 403, 404, 404),
  'POST /api/zeq/apis/:slug': row(401, 401, 401, 400, 403, 403, 403, 404, 404),
  'GET /api/zeq/apis/:slug/:id': row(401, 401, 401, 200, 200, 200, 403, 404, 404),
  'PATCH /api/zeq/apis/:slug/:id': row(401, 401, 401, 200, 403, 403, 403, 404, 404),
  'GET /api/zeq/usage/:slug': row(401, 401, 401, 200, 403, 403, 403, 404, 404),
  'GET /api/zeq/apis/:slug/:id/usage': row(401, 401, 401, 200, 403, 403, 403, 404, 404),
  'GET /api/zeq/apis/:slug/:id/activity': row(401, 401, 401, 200, 403, 403, 403, 404, 404),
  'GET /api/zeq/apis/:slug/:id/audit': row(401, 401, 401, 200, 403, 403, 403, 404, 404),
  'GET /api/zeq/audit/head': row(401, 401, 401, 200, 200, 200, 403, 200, 403),
  'GET /api/zeq/apis/:slug/:id/tokens': row(401, 401, 401, 200, 403, 403, 403, 404, 404),
  'POST /api/zeq/apis/:slug/:id/tokens': row(401, 401, 401, 201, 403, 403, 403, 404, 404),
  'DELETE /api/zeq/apis/:slug/:id/tokens/:tokenId': row(401, 401, 401, 404, 403, 403, 403, 404, 404),
  'DELETE /api/zeq/apis/:slug/:id': row(401, 401, 401, 204, 403, 403, 403, 404, 404),
  'DELETE /api/zeq/machines/:slug': row(401, 401, 401, 204, 403, 403, 403, 404, 404),
};

const OWN = ROUTES.filter((route) => route.service === 'byok-vault');
const keyOf = ({ method, path }: RouteSpec) => `${method} ${path}`;

function call(route: RouteSpec, headers: Record<string, string>) {
  const path = route.path
    .replace(':slug', slug)
    .replace(':id', 'openai')
    .replace(/:(keyId|tokenId|name)/, 'nobody');
  const method = route.method.toLowerCase() as 'get' | 'post' | 'patch' | 'delete';
  return request(vault.app)[method](path).set(headers);
}

describe('every route of the vault', () => {
  it('stands in the table below, and nothing else does', () => {
    expect(Object.keys(EXPECTED).sort()).toEqual(OWN.map(keyOf).sort());
  });

  // The two that remove what the others need come last, as they stand in the table; the owner is asked last of all.
  it.each(Object.keys(EXPECTED))('lets in whom it should: %s', async (key) => {
    const route = OWN.find((candidate) => keyOf(candidate) === key)!;
    const strangers = WHO.filter((who) => who !== 'owner');
    const body = route.method === 'PATCH' ? { rate_limit_per_min: 5 } : {};

    const seen: Partial<Row> = {};
    for (const who of [...strangers, 'owner'] as const) {
      const iss = 'gateway';
      const pending = call(route, { 'x-zeq-service': serviceToken(callers[who], iss) });
      const res =
        route.method === 'GET' || route.method === 'DELETE' ? await pending : await pending.send(body);
      seen[who] = res.status;
    }

    expect(seen).toEqual(EXPECTED[key]);
  });

  it.each(OWN.map(keyOf))('is closed without a token of the gateway: %s', async (key) => {
    const route = OWN.find((candidate) => keyOf(candidate) === key)!;
    const caller = route.audience === 'operator' ? OPERATOR : callers.owner;
    const tokens = {
      none: {},
      rubbish: { 'x-zeq-service': 'a.b.c' },
      'of another service': { 'x-zeq-service': serviceToken(caller, 'forwarder') },
      'of the caller alone': { authorization: 'Bearer zsm_x', 'x-admin-key': 'x' },
    };

    for (const headers of Object.values(tokens)) {
      const res = await call(route, headers as Record<string, string>);
      expect([res.status, res.body.code]).toEqual([401, 'unauthorized']);
    }
  });
});

describe('a path that is not in the table', () => {
  it.each(['/api/zeq/apis', '/api/zeq/apis/m/', '/api/zeq/APIS/m', '/internal', '/internal/nothing', '/'])(
    'is answered 404: %s',
    async (path) => {
      const res = await request(vault.app).get(path).set('x-zeq-service', serviceToken(callers.owner));

      expect([res.status, res.body.code]).toEqual([404, 'not_found']);
    },
  );
});
