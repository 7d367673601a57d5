import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RegisterApi } from '@zeq/contracts';
import { openDenyingResolver, type Resolver } from './denying-resolver.ts';
import { type FailingUpstream, openFailingUpstream } from './failing-upstream.ts';
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
  failing: canary(),
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

/** Paths of the failing upstream whose answers the mesh refuses, and how. */
const FAILURES = { silent: 504, reset: 502, garbage: 502, 'bad-header': 502, 'bad-status': 502, coding: 502 };
/** And those that it breaks off. */
const BREAKS = ['broken', 'bomb'];

let reflecting: LocalUpstream;
let failing: FailingUpstream;
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
    failing = await openFailingUpstream();
    resolver = await openDenyingResolver();
    [closedPort] = (await freePorts(1)) as [number];
    const upstreams = [reflecting.port, failing.port, closedPort].map((port) => `127.0.0.1:${port}`);
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
    failing?.stop();
    resolver?.stop();
    await surroundings?.close();
  });

  describe(`planted credentials, ${on}`, () => {
    it('reach the upstream, and come back neither from a call nor from /test, whatever the upstream reflects', async () => {
      await register('header', { auth_header: `X-Canary: ${CANARIES.header}` });
      await register('query', { auth: { type: 'query', name: 'key', value: CANARIES.query } });
      await register('basic', {
        auth: { type: 'basic', username: CANARIES.username, password: CANARIES.password },
      });
      await register('preset', { provider: 'openai', api_key: CANARIES.preset });

      for (const name of ['header', 'query', 'basic', 'preset']) {
        expect(await forward(name, 'reflect')).toBe(200);
        expect(await forward(name, 'status/403')).toBe(403);
        expect(await ask('POST', `/${name}/test`, { json: { path: '/reflect' } })).toBe(200);
      }

      const api = { base_url: reflecting.origin, auth_header: `X-Canary: ${CANARIES.unsaved}` };
      expect(await ask('POST', '/test', { json: { api, path: '/reflect' } })).toBe(200);

      const arrived = JSON.stringify(reflecting.arrivals);
      const basic = Buffer.from(`${CANARIES.username}:${CANARIES.password}`).toString('base64');
      for (const secret of [CANARIES.header, CANARIES.query, CANARIES.preset, CANARIES.unsaved, basic])
        expect(arrived).toContain(secret);
    });

    // of a query the whole address is secret, which is what errors of HTTP clients like to quote
    it.each<[string, Partial<RegisterApi>]>([
      ['bytes', { auth_header: `X-Canary: ${CANARIES.bytes}` }],
      ['asked', { auth: { type: 'query', name: 'key', value: CANARIES.failing } }],
      ['paired', { auth: { type: 'basic', username: 'somebody', password: CANARIES.failing } }],
    ])('stay inside on every failing path of a call: %s', async (name, credential) => {
      const policy = { first_byte_timeout_ms: 300, connect_timeout_ms: 500, circuit_failures: 0 };
      const to = (base_url: string) => ({ base_url, policy, ...credential });
      await register(name, to(failing.origin));
      await register(`${name}-closed`, to(`http://127.0.0.1:${closedPort}`));
      await register(`${name}-clear`, to(`https://127.0.0.1:${failing.port}`));
      await register(`${name}-nowhere`, to('https://nowhere.zeq-e2e.com'));

      for (const [path, status] of Object.entries(FAILURES)) {
        expect([path, await forward(name, path)]).toEqual([path, status]);
        expect(await ask('POST', `/${name}/test`, { json: { path: `/${path}` } })).toBe(200);
      }
      for (const where of ['closed', 'clear', 'nowhere']) {
        expect([where, await forward(`${name}-${where}`, 'x')]).toEqual([where, 502]);
        expect(await ask('POST', `/${name}-${where}/test`, { json: { path: '/x' } })).toBe(200);
      }
      expect(await forward(name, '..%2f..%2fetc')).toBe(400);
      for (const path of BREAKS) await breakOff(name, path);
      await leave(name, 'events');
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
      expect(await forward('changing', 'reflect')).toBe(200);
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

    it('can be looked at in no debugger: a signal opens none', async () => {
      const { pids, dataDir } = mesh.mesh;
      const services = Object.entries(pids()).filter(([name]) => name !== 'sample-upstream');
      for (const [, pid] of services) process.kill(pid!, 'SIGUSR1');
      expect(await ask('GET', '')).toBe(200);

      for (const [name, pid] of services) {
        expect([name, pids()[name]]).toEqual([name, pid]);
        expect(await readFile(join(dataDir, 'logs', `${name}.log`), 'utf8')).not.toContain('Debugger');
        expect(await readFile(`/proc/${pid}/cmdline`, 'latin1')).toContain('--disable-sigusr1');
      }
    });

    it('stand in no answer, metric, log line or file of the data folder, in no form', async () => {
      const { GATEWAY_PORT, VAULT_PORT, FORWARDER_PORT } = mesh.mesh.ports;
      for (const port of [GATEWAY_PORT, VAULT_PORT, FORWARDER_PORT]) answers.push(await metricsAt(port!));
      expect(await note(mesh.call('GET', '/api-docs/openapi.json'))).toBe(200);
      // single calls are stored packed, where no search finds anything: they are searched as they are shown
      for (const name of ['header', 'query', 'basic', 'preset', 'bytes', 'asked', 'paired'])
        for (const what of ['activity?limit=10000', 'audit?limit=500'])
          expect(await ask('GET', `/${name}/${what}`)).toBe(200);
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

const create = (api: Partial<RegisterApi>) =>
  ask('POST', '', { json: { base_url: reflecting.origin, rate_limit_per_min: 1000, ...api } });

async function register(name: string, api: Partial<RegisterApi>): Promise<void> {
  expect(await create({ name, ...api })).toBe(201);
}

function sendText(body: string): Promise<number> {
  const headers = { authorization: `Bearer ${mesh.owner.api_key}`, 'content-type': 'application/json' };
  return note(fetch(mesh.mesh.gateway + apis(), { method: 'POST', headers, body }));
}

/** Of each piece of an answer that goes on and on. */
const KEPT_BYTES = 4_096;

/** An answer that breaks in its middle: what came before counts. */
async function breakOff(name: string, path: string): Promise<void> {
  const answer = await mesh.call('GET', `${apis()}/${name}/forward/${path}`, { token: mesh.owner.api_key });
  const reader = answer.body!.getReader();
  const text = new TextDecoder();
  const came = [[...answer.headers].join('\n')];
  const toTheEnd = async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read())
      came.push(text.decode(next.value.subarray(0, KEPT_BYTES), { stream: true }));
  };
  await expect(toTheEnd()).rejects.toThrow();
  answers.push(came.join(''));
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
  const reader = answer.body!.getReader();
  const { value } = await reader.read();
  answers.push([...answer.headers].join('\n') + Buffer.from(value!));
  gone.abort();
  await expect(reader.read()).rejects.toThrow();
}
