import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { RegisterApi } from '@zeq/contracts';
import { type ByteUpstream, openByteUpstream } from './byte-upstream.ts';
import { openDenyingResolver, type Resolver } from './denying-resolver.ts';
import type { LocalUpstream } from './local-upstream.ts';
import { NeedleSearch } from './needle-search.ts';
import { openReflectingUpstream } from './reflecting-upstream.ts';
import { formsOf } from './secret-forms.ts';
import { type CallOptions, freePorts, openTestMesh, type TestMesh } from './test-mesh.ts';

const canary = () => randomBytes(24).toString('hex').toUpperCase();

/** One secret per way in, so that a hit tells how it got out. */
const CANARIES = {
  header: canary(),
  bytes: canary(),
  query: canary(),
  username: canary(),
  password: canary(),
  preset: canary(),
  replaced: canary(),
  unsaved: canary(),
  refused: canary(),
  misplaced: canary(),
};

/** What the mesh runs on, and where else than in its data folder a secret could have come to lie. */
export interface Surroundings {
  env: NodeJS.ProcessEnv;
  /** Called when the mesh has stopped. Each holds something that is known to be in there, or the search searched nothing. */
  surfaces: (known: string) => Promise<Surface[]>;
  close: () => Promise<void>;
}

export interface Surface {
  label: string;
  bytes: Buffer;
  /** Whether what is known to be in there was found. */
  isTheRightOne: boolean;
}

let reflecting: LocalUpstream;
let bytes: ByteUpstream;
let resolver: Resolver;
let closedPort: number;
let mesh: TestMesh;
let surroundings: Surroundings;
/** Every answer that the mesh made itself, and those of /test: status, headers, body. */
const answers: string[] = [];
const search = new NeedleSearch(
  Object.entries(CANARIES).flatMap(([name, secret]) =>
    formsOf(secret).map(([form, needle]): [string, Buffer] => [`${name} (${form})`, needle]),
  ),
);

/**
 * Plants credentials in every way there is, makes everything go wrong that can, and then searches every surface. One suite, because
 * what must not leak does not depend on the stores; the surfaces do.
 */
export function canarySuite(on: string, open: () => Promise<Surroundings>): void {
  beforeAll(async () => {
    reflecting = await openReflectingUpstream();
    bytes = await openByteUpstream({ header: 'x-canary', value: CANARIES.bytes });
    resolver = await openDenyingResolver();
    [closedPort] = (await freePorts(1)) as [number];
    const upstreams = [reflecting.port, bytes.port, closedPort].map((port) => `127.0.0.1:${port}`);
    surroundings = await open();
    mesh = await openTestMesh(upstreams, {
      LOG_LEVEL: 'trace',
      ZEQ_DNS_SERVERS: resolver.address,
      ...surroundings.env,
    });
  });

  afterAll(async () => {
    await mesh?.stop();
    await reflecting?.stop();
    await bytes?.stop();
    resolver?.stop();
    await surroundings?.close();
  });

  describe(`planted credentials, ${on}`, () => {
    it('reach the upstream, and do not come back from /test whatever the upstream reflects', async () => {
      await register('header', { auth_header: `X-Canary: ${CANARIES.header}` });
      await register('query', { auth: { type: 'query', name: 'key', value: CANARIES.query } });
      await register('basic', {
        auth: { type: 'basic', username: CANARIES.username, password: CANARIES.password },
      });
      await register('preset', { provider: 'openai', api_key: CANARIES.preset });

      for (const name of ['header', 'query', 'basic', 'preset']) {
        expect(await reach(name, 'reflect')).toBe(200);
        expect(await reach(name, 'status/403')).toBe(403);
        expect(await ask('POST', `/${name}/test`, { json: { path: '/reflect' } })).toBe(200);
      }

      const api = { base_url: reflecting.origin, auth_header: `X-Canary: ${CANARIES.unsaved}` };
      expect(await ask('POST', '/test', { json: { api, path: '/reflect' } })).toBe(200);

      const arrived = JSON.stringify(reflecting.arrivals);
      const basic = Buffer.from(`${CANARIES.username}:${CANARIES.password}`).toString('base64');
      for (const secret of [CANARIES.header, CANARIES.query, CANARIES.preset, CANARIES.unsaved, basic])
        expect(arrived).toContain(secret);
    });

    it('stay inside on every failing path of a call', async () => {
      const auth_header = `X-Canary: ${CANARIES.bytes}`;
      const hasty = { first_byte_timeout_ms: 300, connect_timeout_ms: 500 };
      await register('bytes', { base_url: bytes.origin, auth_header, policy: hasty });
      await register('closed', { base_url: `http://127.0.0.1:${closedPort}`, auth_header });
      await register('clear', { base_url: `https://127.0.0.1:${bytes.port}`, auth_header });
      await register('nowhere', { base_url: 'https://nowhere.zeq-e2e.com', auth_header });

      expect(await forward('bytes', 'silent')).toBe(504);
      expect(await forward('bytes', 'reset')).toBe(502);
      expect(await forward('closed', 'x')).toBe(502);
      expect(await forward('clear', 'x')).toBe(502);
      expect(await forward('nowhere', 'x')).toBe(502);
      expect(await forward('bytes', '..%2f..%2fetc')).toBe(400);
      await breakOff('bytes', 'broken');
      await leave('bytes', 'events');
    });

    it('stay inside when they are refused, replaced or removed', async () => {
      const refused = `X-Canary: ${CANARIES.refused}`;
      expect(await create({ name: 'a', auth_header: `Host: ${CANARIES.refused}` })).toBe(422);
      expect(await create({ name: 'b', auth_header: `${refused}\r\nX-Other: 1` })).toBe(422);
      expect(await create({ name: 'c', auth_header: refused + 'x'.repeat(5000) })).toBe(422);
      expect(await create({ name: 'NOT VALID', auth_header: refused })).toBe(400);
      expect(await create({ name: 'd', base_url: 'http://169.254.169.254', auth_header: refused })).toBe(422);
      expect(await sendText(`{"name":"e","auth_header":"${refused}"`)).toBe(400);

      await register('changing', { auth_header: `X-Canary: ${CANARIES.replaced}` });
      await reach('changing', 'reflect');
      expect(await ask('PATCH', '/changing', { json: { auth_header: `X-Canary: ${CANARIES.header}` } })).toBe(
        200,
      );
      expect(await ask('DELETE', '/changing')).toBe(204);
      expect(await ask('GET', '')).toBe(200);
      expect(await ask('GET', '/header')).toBe(200);
    });

    it('stay inside when a caller puts one where a token belongs', async () => {
      const headers = { 'x-api-key': CANARIES.misplaced };

      expect(await ask('GET', '', { token: CANARIES.misplaced })).toBe(401);
      expect(await ask('GET', '/header/forward/x', { token: `zat_${CANARIES.misplaced}` })).toBe(401);
      expect(await note(mesh.call('POST', '/api/zeq/machines', { headers, json: { slug: 'x' } }))).toBe(401);
    });

    it('are readable by no process but the vault: no other one is given the field key', async () => {
      const holders: string[] = [];
      for (const [name, pid] of Object.entries(mesh.mesh.pids())) {
        const environment = await readFile(`/proc/${pid}/environ`, 'latin1');
        if (environment.includes('ZEQ_FIELD_KEY')) holders.push(name);
      }

      expect(holders).toEqual(['byok-vault']);
    });

    it('stand in no answer, metric, log line or file of the data folder, in no form', async () => {
      const { GATEWAY_PORT, VAULT_PORT, FORWARDER_PORT } = mesh.mesh.ports;
      for (const port of [GATEWAY_PORT, VAULT_PORT, FORWARDER_PORT]) answers.push(await metricsAt(port!));
      expect(await note(mesh.call('GET', '/api-docs/openapi.json'))).toBe(200);
      // single calls are stored packed, where no search finds anything: they are searched as they are shown
      for (const name of ['header', 'query', 'basic', 'preset', 'bytes'])
        expect(await ask('GET', `/${name}/activity?limit=10000`)).toBe(200);
      const tokenSearch = new NeedleSearch((await useTokens()).flatMap(formsOf));
      await mesh.mesh.stop(); // so that everything is on the disk

      expect(await search.hitsBelow(mesh.mesh.dataDir)).toEqual([]);
      expect(await tokenSearch.hitsBelow(mesh.mesh.dataDir)).toEqual([]); // stored as hashes alone
      expect(search.hitsIn(Buffer.from(answers.join('\n')))).toEqual([]);
      for (const { label, bytes: found, isTheRightOne } of await surroundings.surfaces(mesh.owner.slug)) {
        expect([label, isTheRightOne]).toEqual([label, true]);
        expect([label, search.hitsIn(found), tokenSearch.hitsIn(found)]).toEqual([label, [], []]);
      }
    });
  });
}

/** Notes an answer for the search at the end. @returns Its status. */
async function note(answer: Promise<Response>): Promise<number> {
  const { status, headers, ...rest } = await bodyOf(await answer);
  answers.push(`${status}\n${[...headers].join('\n')}\n${rest.body}`);
  return status;
}

async function bodyOf(answer: Response) {
  return { status: answer.status, headers: answer.headers, body: await answer.text() };
}

const apis = () => `/api/zeq/apis/${mesh.owner.slug}`;

const ask = (method: string, path: string, options: CallOptions = {}) =>
  note(mesh.call(method, apis() + path, { token: mesh.owner.api_key, ...options }));

const forward = (name: string, path: string) => ask('GET', `/${name}/forward/${path}`);

/** A call whose answer is the upstream's own and not searched. @returns Its status. */
async function reach(name: string, path: string): Promise<number> {
  const answer = await mesh.call('GET', `${apis()}/${name}/forward/${path}`, { token: mesh.owner.api_key });
  await answer.arrayBuffer();
  return answer.status;
}

const create = (api: Partial<RegisterApi>) =>
  ask('POST', '', { json: { base_url: reflecting.origin, rate_limit_per_min: 1000, ...api } });

async function register(name: string, api: Partial<RegisterApi>): Promise<void> {
  expect(await create({ name, ...api })).toBe(201);
}

function sendText(body: string): Promise<number> {
  const headers = { authorization: `Bearer ${mesh.owner.api_key}`, 'content-type': 'application/json' };
  return note(fetch(mesh.mesh.gateway + apis(), { method: 'POST', headers, body }));
}

/** An answer that breaks in its middle: what came before counts. */
async function breakOff(name: string, path: string): Promise<void> {
  await expect(forward(name, path)).rejects.toThrow();
}

/** Mints and uses what callers hold. @returns The tokens. */
async function useTokens(): Promise<string[]> {
  const { token } = await mesh.mintToken('header');
  const machine = await mesh.createMachine('second');
  const places: Record<string, string>[] = [{ authorization: `Bearer ${token}` }, { 'x-api-key': token }];
  for (const headers of places)
    expect((await mesh.call('GET', `${apis()}/header/forward/x`, { headers })).status).toBe(200);
  const options = { token: machine.api_key };
  expect((await mesh.call('GET', `/api/zeq/apis/${machine.slug}`, options)).status).toBe(200);
  return [token, machine.api_key];
}

async function metricsAt(port: number): Promise<string> {
  const headers = { 'x-admin-key': mesh.mesh.xAdminKey };
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers });
  expect(answer.status).toBe(200);
  return answer.text();
}

/** Leaves while the answer is still coming. */
async function leave(name: string, path: string): Promise<void> {
  const gone = new AbortController();
  const options = { token: mesh.owner.api_key, signal: gone.signal };
  const answer = await mesh.call('GET', `${apis()}/${name}/forward/${path}`, options);
  gone.abort();
  await expect(answer.text()).rejects.toThrow();
}
