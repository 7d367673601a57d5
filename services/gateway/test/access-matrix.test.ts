import { jest } from '@jest/globals';
import { type Audience, ROUTES, type RouteSpec } from '@zeq/contracts';
import { ServiceTokenSigner } from '@zeq/service-kit';
import { NOT_FOUND } from '../src/callers/access-detail.ts';
import { ADMIN_KEY, call, PLATFORM_KEY, type Reply, type Rig, startRig } from './kit/gateway.ts';
import { app, owner } from './kit/people.ts';
import { INTERNAL_SECRET } from './kit/stub-service.ts';

type Cell = 'ok' | 401 | 403 | 404;

/** Who asks; the routes with a slug are those of alice. */
const CALLERS = [
  'nobody',
  'platform key',
  'operator key',
  'owner',
  'forward key',
  'read key',
  'session',
  'app token',
  "another machine's owner",
  "another machine's app token",
  'expired key',
  'expired app token',
  'revoked key',
  'forged session',
  'service token',
] as const;
type Kind = (typeof CALLERS)[number];

/** Everything that is no valid machine credential is refused alike. */
const REFUSED = {
  'expired key': 401,
  'expired app token': 401,
  'revoked key': 401,
  'forged session': 401,
  'service token': 401,
} as const;
const ALL_OK = Object.fromEntries(CALLERS.map((kind) => [kind, 'ok'])) as Record<Kind, Cell>;
const ALL_401 = Object.fromEntries(CALLERS.map((kind) => [kind, 401])) as Record<Kind, Cell>;

/** reliability: every route × every kind of caller, in one table. Without a slug, another machine is as good as alice's. */
const TABLE: Record<Audience, Record<Kind, Cell>> = {
  public: ALL_OK,
  optional: { ...ALL_OK, ...REFUSED },
  platform: { ...ALL_401, 'platform key': 'ok' },
  operator: { ...ALL_401, 'operator key': 'ok' },
  owner: {
    ...ALL_401,
    owner: 'ok',
    session: 'ok',
    'forward key': 403,
    'read key': 403,
    'app token': 403,
    "another machine's owner": 404,
    "another machine's app token": 404,
  },
  reader: {
    ...ALL_401,
    owner: 'ok',
    session: 'ok',
    'forward key': 'ok',
    'read key': 'ok',
    'app token': 403,
    "another machine's owner": 404,
    "another machine's app token": 404,
  },
  forward: {
    ...ALL_401,
    owner: 'ok',
    session: 'ok',
    'forward key': 'ok',
    'read key': 403,
    'app token': 'ok',
    "another machine's owner": 404,
    "another machine's app token": 404,
  },
  bearer: {
    ...ALL_401,
    owner: 'ok',
    session: 'ok',
    'forward key': 'ok',
    'read key': 'ok',
    'app token': 403,
    "another machine's owner": 'ok',
    "another machine's app token": 403,
  },
};

/** Parameters whose value matters to who answers. */
const PARAMETERS: Record<string, string> = { slug: 'alice', asset: 'swagger-ui.css' };

// Hundreds of requests, on a machine that may be busy with other tests.
jest.setTimeout(60_000);

describe('every route for every kind of caller', () => {
  let rig: Rig;
  let headersOf: Record<Kind, Record<string, string>>;
  beforeAll(async () => {
    rig = await startRig({ allServices: true });
  });
  // anew for each: one of the routes ends the session that it is asked with
  beforeEach(async () => {
    headersOf = await credentials(rig);
  });
  afterAll(() => rig.stop());

  it.each(ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))(
    '%s',
    async (_name, route) => {
      const found = await Promise.all(
        CALLERS.map(async (kind) => [kind, cellOf(await ask(rig, route, headersOf[kind]))]),
      );

      expect(Object.fromEntries(found)).toEqual(TABLE[route.audience]);
    },
  );
});

function ask({ url }: Rig, { method, path }: RouteSpec, headers: Record<string, string>): Promise<Reply> {
  const filled = path.replace(/:(\w+)/g, (_, name: string) => PARAMETERS[name] ?? 'x1').replace('*', 'v1');
  const hasBody = method === 'POST' || method === 'PUT' || method === 'PATCH';
  return call(`${url}${filled}`, {
    method: method === 'ANY' ? 'GET' : method,
    headers: { ...headers, ...(hasBody && { 'content-type': 'application/json' }) },
    ...(hasBody && { body: '{}' }),
  });
}

/** A refusal by access, and nothing else: a file that is not there, or a service that says no, is no refusal of the gateway. */
function cellOf({ status, text }: Reply): Cell {
  if (status === 401 || status === 403) return status;
  return status === 404 && text.includes(NOT_FOUND) ? 404 : 'ok';
}

async function credentials({ register, url }: Rig): Promise<Record<Kind, Record<string, string>>> {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const key = register.add(owner('alice')).token;
  const session = await call(`${url}/api/zeq/session`, { method: 'POST', headers: bearer(key) });
  const forged = String(session.json().token).replace(/.$/, (last) => (last === 'A' ? 'E' : 'A'));
  const service = new ServiceTokenSigner('gateway', INTERNAL_SECRET).sign(
    'operator-engine',
    { kind: 'operator' },
    'x',
  );
  return {
    nobody: {},
    'platform key': { 'x-api-key': PLATFORM_KEY },
    'operator key': { 'x-admin-key': ADMIN_KEY },
    owner: bearer(key),
    'forward key': bearer(register.add(owner('alice', 'forward')).token),
    'read key': bearer(register.add(owner('alice', 'read')).token),
    session: bearer(String(session.json().token)),
    'app token': bearer(register.add(app('alice')).token),
    "another machine's owner": bearer(register.add(owner('bob')).token),
    "another machine's app token": bearer(register.add(app('bob')).token),
    'expired key': bearer(register.add(owner('alice', 'owner', true)).token),
    'expired app token': bearer(register.add(app('alice', true)).token),
    'revoked key': bearer(owner('alice').token),
    'forged session': bearer(forged),
    'service token': { ...bearer(service), 'x-zeq-service': service },
  };
}
