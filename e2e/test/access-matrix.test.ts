import { ROUTES } from '@zeq/contracts';
import { buildWorld, CALLERS, type CallerName, type World, withNewSession } from '../src/callers.ts';
import type { LocalUpstream } from '../src/local-upstream.ts';
import { openReflectingUpstream } from '../src/reflecting-upstream.ts';
import { expectStatus, openTestMesh, type TestMesh } from '../src/test-mesh.ts';
import '../src/patience.ts';

/**
 * Who may do what. A column for each kind of caller (in the order of CALLERS), a row for each kind of route: `ok` is let
 * through, a number is the status of the refusal.
 */
const MATRIX = `
          anonymous platform operator owner forward read session other app app2 expired revoked forged service
anyone    ok        ok       ok       ok    ok      ok   ok      ok    ok  ok   ok      ok      ok     ok
asks      ok        ok       ok       ok    ok      ok   ok      ok    ok  ok   401     401     401    401
platform  401       ok       401      401   401     401  401     401   401 401  401     401     401    401
operator  401       401      ok       401   401     401  401     401   401 401  401     401     401    401
bearer    401       401      401      ok    ok      ok   ok      ok    403 403  401     401     401    401
owner     401       401      401      ok    403     403  ok      404   403 403  401     401     401    401
reader    401       401      401      ok    ok      ok   ok      404   403 403  401     401     401    401
forward   401       401      401      ok    ok      403  ok      404   ok  403  401     401     401    401
`;

/** Every route, under the row that holds for it. It is written down here and not read from the routes: this is the check. */
const ROUTES_BY_ROW: Record<string, string[]> = {
  anyone: [
    'GET /health',
    'GET /ready',
    'GET /api-docs',
    'GET /api-docs/openapi.json',
    'GET /api-docs/:asset',
    'DELETE /api/zeq/session/cookie',
    'GET /apps/zeq-byok',
    'GET /apps/zeq-byok/',
    'GET /apps/zeq-byok/assets/:asset',
    'POST /api/zeq/verify',
    'GET /ws',
    'GET /sync/ticks',
    'GET /sync/status',
    'GET /sync/chain',
    'POST /sync/verify',
    'GET /sync/health',
    'GET /api/tesc/clock',
    'POST /api/hite/handshake',
    'POST /api/hite/channel',
  ],
  asks: ['GET /api/zeq/operators', 'GET /api/zeq/operators/:id'],
  platform: [
    'GET /api/v1/status',
    'POST /api/zeq/machines',
    'GET /api/v1/operators/all',
    'GET /api/v1/operators/category/:category',
  ],
  operator: [
    'GET /metrics',
    'GET /api/zeq/admin/machines',
    'DELETE /api/zeq/admin/machines/:name',
    'POST /api/zeq/admin/platform/keys',
    'POST /api/zeq/admin/machines/:name/rotate-salt',
    'POST /api/zeq/admin/rotate-field-key',
    'GET /api/zeq/admin/rotate-field-key',
    'DELETE /api/zeq/admin/rotate-field-key',
    'GET /api/zeq/admin/health',
  ],
  bearer: [
    'POST /api/zeq/session',
    'GET /api/zeq/session',
    'DELETE /api/zeq/session',
    'POST /api/zeq/session/cookie',
    'POST /api/zeq/operators/execute',
    'GET /api/zeq/operators/:id/live',
    'GET /api/zeq/state/live',
    'GET /api/zeq/computations',
    'GET /api/zeq/audit/head',
    'POST /api/7step/parse',
    'POST /api/7step/run',
    'POST /api/7step/strict',
    'GET /api/tesc/channels',
    'POST /api/tesc/channels',
    'GET /api/tesc/channels/:id',
    'DELETE /api/tesc/channels/:id',
    'POST /api/tesc/channels/:id/join',
    'POST /api/tesc/channels/:id/rotate',
    'POST /api/tesc/channels/:id/messages',
    'GET /api/tesc/channels/:id/messages',
    'GET /api/tesc/channels/:id/stream',
    'GET /api/tesc/channels/:id/ws',
  ],
  owner: [
    'GET /api/zeq/machines/:slug/keys',
    'POST /api/zeq/machines/:slug/keys',
    'DELETE /api/zeq/machines/:slug/keys/:keyId',
    'DELETE /api/zeq/machines/:slug',
    'POST /api/zeq/apis/:slug',
    'PATCH /api/zeq/apis/:slug/:id',
    'DELETE /api/zeq/apis/:slug/:id',
    'POST /api/zeq/apis/:slug/test',
    'POST /api/zeq/apis/:slug/:id/test',
    'GET /api/zeq/usage/:slug',
    'GET /api/zeq/apis/:slug/:id/usage',
    'GET /api/zeq/apis/:slug/:id/activity',
    'GET /api/zeq/apis/:slug/:id/audit',
    'GET /api/zeq/apis/:slug/:id/tokens',
    'POST /api/zeq/apis/:slug/:id/tokens',
    'DELETE /api/zeq/apis/:slug/:id/tokens/:tokenId',
    'POST /api/zeq/machines/:slug/operators',
    'PUT /api/zeq/machines/:slug/operators/:id',
    'DELETE /api/zeq/machines/:slug/operators/:id',
  ],
  reader: [
    'GET /api/zeq/apis/:slug',
    'GET /api/zeq/apis/:slug/:id',
    'GET /api/zeq/machines/:slug/operators',
    'GET /api/zeq/machines/:slug/operators/:id',
  ],
  forward: ['ANY /api/zeq/apis/:slug/:id/forward/*'],
};

const EXPECTED = parseMatrix(MATRIX);
/** They take away what other callers stand on, so each of their callers comes from a world or with a session of its own. */
const TAKES_AWAY: Record<string, { row: string; anew: (name: string) => Promise<World> }> = {
  'DELETE /api/zeq/machines/:slug': { row: 'owner', anew: (name) => buildWorld(mesh, name, upstream.origin) },
  'DELETE /api/zeq/session': { row: 'bearer', anew: () => withNewSession(mesh, world) },
  'DELETE /api/zeq/session/cookie': { row: 'anyone', anew: () => withNewSession(mesh, world) },
};

let upstream: LocalUpstream;
let mesh: TestMesh;
let world: World;

beforeAll(async () => {
  upstream = await openReflectingUpstream();
  mesh = await openTestMesh([`127.0.0.1:${upstream.port}`]);
  world = await buildWorld(mesh, 'a', upstream.origin);
});

afterAll(async () => {
  await mesh?.stop();
  await upstream?.stop();
});

it('has a row for every route of the mesh, and for no other', () => {
  const routes = ROUTES.map(({ method, path }) => `${method} ${path}`);

  expect(Object.values(ROUTES_BY_ROW).flat().sort()).toEqual(routes.sort());
});

describe.each(Object.entries(ROUTES_BY_ROW))('as %s', (row, routes) => {
  it.each(routes.filter((route) => !(route in TAKES_AWAY)))(
    '%s meets every kind of caller',
    async (route) => {
      const met: Record<string, string> = {};
      for (const caller of CALLERS) met[caller] = await meet(route, world, caller);

      expect(met).toEqual(EXPECTED[row]);
    },
  );
});

it.each(Object.entries(TAKES_AWAY))('%s meets every kind of caller', async (route, { row, anew }) => {
  const met: Record<string, string> = {};
  for (const [i, caller] of CALLERS.entries()) {
    const fresh = EXPECTED[row]![caller] === 'ok' ? await anew(`gone-${i}`) : world;
    met[caller] = await meet(route, fresh, caller);
  }

  expect(met).toEqual(EXPECTED[row]);
});

/** @returns `ok` when the caller was let through, whatever came of it then; otherwise the status. */
async function meet(route: string, { slug, owner, headersOf }: World, caller: CallerName): Promise<string> {
  const [method, pattern] = route.split(' ') as [string, string];
  const path = await pathOf(route, pattern, slug, owner);
  const headers = { ...headersOf[caller], ...(hasBody(method) && { 'content-type': 'application/json' }) };
  const answer = await fetch(mesh.mesh.gateway + path, {
    method: method === 'ANY' ? 'GET' : method,
    headers,
    redirect: 'manual',
    ...(hasBody(method) && { body: '{}' }),
  });
  await answer.arrayBuffer();
  const code = answer.headers.get('x-zeq-error') ?? '';
  const refused = REFUSALS.includes(code) || (code === 'not_found' && pattern.includes(':slug'));
  return refused ? String(answer.status) : 'ok';
}

const REFUSALS = ['unauthorized', 'token_expired', 'forbidden', 'out_of_scope', 'rate_limited'];
const hasBody = (method: string) => ['POST', 'PUT', 'PATCH'].includes(method);

/** What a route's parameters stand for. A thing that a DELETE takes away is made for it. */
async function pathOf(route: string, pattern: string, slug: string, owner: string): Promise<string> {
  let path = pattern.replace(':slug', slug).replace(/\*$/, 'x');
  if (path.includes(':keyId')) path = path.replace(':keyId', await aKey(slug, owner));
  if (path.includes(':tokenId')) path = path.replace(':tokenId', await anAppToken(slug, owner));
  if (route === 'DELETE /api/zeq/apis/:slug/:id') path = path.replace(':id', await anApi(slug, owner));
  return path.replace(/\/apis\/([^/]+)\/:id/, '/apis/$1/main').replace(/:[a-z]+/i, 'nobody');
}

const make = async <T>(path: string, token: string, json: object): Promise<T> =>
  expectStatus<T>(201, await mesh.call('POST', path, { token, json }));

const aKey = async (slug: string, owner: string) =>
  (await make<{ key: { id: string } }>(`/api/zeq/machines/${slug}/keys`, owner, {})).key.id;

const anAppToken = async (slug: string, owner: string) =>
  (await make<{ app_token: { id: string } }>(`/api/zeq/apis/${slug}/main/tokens`, owner, {})).app_token.id;

async function anApi(slug: string, owner: string): Promise<string> {
  const json = { name: `api-${crypto.randomUUID()}`, base_url: upstream.origin };
  return (await make<{ id: string }>(`/api/zeq/apis/${slug}`, owner, json)).id;
}

function parseMatrix(text: string): Record<string, Record<CallerName, string>> {
  const [, ...lines] = text.trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => {
      const [row, ...cells] = line.trim().split(/ +/);
      return [row, Object.fromEntries(CALLERS.map((caller, i) => [caller, cells[i]]))];
    }),
  );
}
