import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { gzipSync } from 'node:zlib';
import type { Edge } from '../../../nginx/test/edge.ts';
import { type Part, type RawAnswer, sendRaw } from '../../../nginx/test/raw-client.ts';
import type { Rig } from '../../../services/forwarder/test/rig.ts';
import { type HostileCase, partsOf, violations } from '../../../services/gateway/test/kit/hostile-cases.ts';
import type { TestMesh } from '../test-mesh.ts';
import { type Echoed, type EchoUpstream, LARGE_BYTES } from './echo-upstream.ts';

/** A place at which a stranger's bytes arrive. */
export interface Door {
  name: string;
  /** Whether a case means something here. */
  knows: (one: HostileCase) => boolean;
  /** Plays a case. @returns What came back. */
  send: (one: HostileCase, n: number) => Promise<RawAnswer>;
  /** What of a case's requests has come to the application. */
  seen: (n: number) => Echoed[];
  /** An honest call of somebody else. @returns What is wrong with its answer. */
  honest: (n: number) => Promise<string[]>;
}

/** The application answers with the path it was asked for, so an answer tells whose it is. */
async function honestCall(url: string, token: string, n: number): Promise<string[]> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const ask = url.startsWith('https:') ? requestTls : request;
  const headers = { host: 'gateway.example.com', authorization: `Bearer ${token}` };
  const options = { headers, agent: false, localAddress: addressOf(9, n), rejectUnauthorized: false };
  const req = ask(`${url}/honest-${n}`, { ...options, servername: 'gateway.example.com' }, (res) => {
    let body = `${res.statusCode} `;
    res.on('data', (chunk) => {
      body += chunk;
    });
    res.on('close', () => resolve(body));
  });
  req.on('error', (err) => resolve(String(err))).end();
  const answer = await promise;
  return answer === `200 /honest-${n}` ? [] : [`call ${n} got ${answer.slice(0, 200)}`];
}

/** What is wrong with how a case ended at a door; empty when it passes. */
export function wrongWith(one: HostileCase, answer: RawAnswer, seen: Echoed[]): string[] {
  const { statuses, interim, closed, bytes, code } = answer;
  // a reader that takes nothing gets what had gone into buffers, and then its end
  if (one.id === 'slow/slow-read') return closed && bytes < LARGE_BYTES ? [] : [`${bytes} bytes were sent`];
  const status = statuses[0]?.toString() ?? (closed ? 'close' : 'timeout');
  const { responses = statuses.length } = one.expect;
  const count = statuses.length === responses ? [] : [`${statuses.length} answers, wanted ${responses}`];
  const wrong = violations(one, { status, statuses: [...interim, ...statuses], closed, text: '' }, seen);
  return [...count, ...wrong].map((what) => (code === undefined ? what : `${what} (${code})`));
}

const API = 'echo';
/** The same application for honest calls: they must not meet the limit of calls in flight that others have used up. */
const HONEST_API = 'honest';

/** A machine of its own, so that what one door stores is not in the way of another. */
async function newMachine(mesh: TestMesh, slug: string, upstream: EchoUpstream) {
  const { api_key: token } = await mesh.createMachine(slug);
  for (const name of [API, HONEST_API]) {
    const json = {
      name,
      base_url: `http://127.0.0.1:${upstream.port}`,
      auth_header: 'X-Key: canary-3c9e1b7f5d2a8640',
      rate_limit_per_min: 1_000_000,
    };
    const answer = await mesh.call('POST', `/api/zeq/apis/${slug}`, { token, json });
    if (answer.status !== 201) throw new Error(`no API for ${slug}: ${await answer.text()}`);
  }
  return { slug, token };
}

/** The gateway, reached without anything in front of it. */
export async function openGatewayDoor(mesh: TestMesh, upstream: EchoUpstream): Promise<Door> {
  const machine = await newMachine(mesh, 'hostile-1', upstream);
  const target = { port: mesh.mesh.ports.GATEWAY_PORT!, tls: false };
  return {
    name: 'gateway',
    knows: ({ id, target }) => target !== 'nginx' && !OF_NGINX.has(id),
    send: (one, n) =>
      sendRaw({ ...target, from: addressOf(2, n) }, meshParts(one, n, 'g', machine), ...patience(one)),
    seen: (n) => upstream.seen(markOf('g', n)),
    honest: (n) =>
      honestCall(
        `http://127.0.0.1:${target.port}/api/zeq/apis/${machine.slug}/${HONEST_API}/forward`,
        machine.token,
        n,
      ),
  };
}

/** The same gateway behind nginx and TLS. */
export async function openEdgeDoor(mesh: TestMesh, upstream: EchoUpstream, edge: Edge): Promise<Door> {
  const machine = await newMachine(mesh, 'hostile-2', upstream);
  return {
    name: 'edge',
    knows: ({ id }) => id !== TEN_THOUSAND,
    send: (one, n) => {
      const tls = one.id !== 'request-line/tls-hello-on-plain-port';
      const target = { port: tls ? edge.https : edge.http, tls, from: addressOf(1, n) };
      return sendRaw(target, meshParts(one, n, 'e', machine), ...patience(one));
    },
    seen: (n) => upstream.seen(markOf('e', n)),
    honest: (n) =>
      honestCall(
        `https://127.0.0.1:${edge.https}/api/zeq/apis/${machine.slug}/${HONEST_API}/forward`,
        machine.token,
        n,
      ),
  };
}

/** The forwarder, reached as only the gateway should reach it. It has no route but those of a call and of a test. */
export function openForwarderDoor(rig: Rig, upstream: EchoUpstream): Door {
  const base_url = `http://127.0.0.1:${upstream.port}`;
  const id = rig.register({ base_url, rate_limit_per_min: 1_000_000 });
  const limited = rig.register({ base_url, policy: { max_body_bytes: 1_000_000, idle_timeout_ms: 10_000 } });
  return {
    name: 'forwarder',
    knows: ({ id: name, target }) => target !== 'nginx' && !OF_NGINX.has(name) && !OF_THE_GATEWAY.test(name),
    send: (one, n) => {
      const api = LIMITED.test(one.id) ? limited : id;
      const routes = routesTo(`/api/zeq/apis/alice/${api}/forward/${markOf('f', n)}`);
      const fill = { ...FILL, SLUG: 'alice', ID: id, KEY: 'none', KEY_PREFIX: 'none', SLUG_UPPER: 'ALICE' };
      const parts = partsOf(one, fill, routes).map((part) =>
        'text' in part ? { ...part, text: asTheGatewayWould(part.text, id, rig.token()) } : part,
      );
      return sendRaw(
        { port: rig.port, tls: false, from: addressOf(3, n) },
        parts as Part[],
        ...patience(one),
      );
    },
    seen: (n) => upstream.seen(markOf('f', n)),
    honest: async (n) => {
      const answer = await rig.fetch(id, `/honest-${n}`);
      const text = `${answer.status} ${await answer.text()}`;
      return text === `200 /honest-${n}` ? [] : [`call ${n} got ${text.slice(0, 200)}`];
    },
  };
}

/** Ten thousand connections at once: nginx/test/edge.ci.test.ts. */
const TEN_THOUSAND = 'slow/idle-10k';

/** Idle connections end after 65 s at the edge, and therefore not before 75 s behind it: docs/vectors/http-hostile.md. */
const OF_NGINX: ReadonlySet<string> = new Set(['slow/slow-many-keepalive']);

/**
 * What only the gateway can judge, because the forwarder has no such route, knows none of the names that are served and is shown
 * no credential of a caller: docs/vectors/http-hostile.md.
 */
const OF_THE_GATEWAY =
  /^auth-header-field|^forward-call\/(?:slug|id|query|bearer|basic|api-key)|^size\/gzip|^host\/foreign|^header-syntax\/(?:dup-authorization|.*api-key)|^upgrade\/ws-cross-origin|^slow\/slow-(?:(?:chunked-)?body|read)|^size\/chunked|^json\/(?:empty-body|null)$/;

/** A registration becomes a test, which is read by the same rules; behind each request line stands who calls. */
const asTheGatewayWould = (text: string, id: string, token: string): string =>
  text
    .replaceAll('/api/zeq/apis/alice HTTP', `/api/zeq/apis/alice/${id}/test HTTP`)
    .replace(/^([A-Z]+[ \t]+\/api\/\S*[ \t]+HTTP\/1\.[01]\r\n)(?![ \t])/gm, `$1x-zeq-service: ${token}\r\n`);

const FILL = { OTHER_ID: 'api_0000000000000000000000', N: '7' };

const markOf = (door: string, n: number): string => `${door}${n}-`;

/** Limits count by address, so each case comes from one of its own. */
const addressOf = (door: number, n: number): string => `127.${door}.${Math.floor(n / 200)}.${(n % 200) + 1}`;

const routesTo = (path: string, query = ''): Record<string, string> => ({
  '/echo': `${path}echo${query}`,
  '/__smuggled': `${path}__smuggled${query}`,
  '/large': `${path}large${query}`,
  '/ws': `${path}ws${query}`,
});

/** Cases of `/echo` that speak of a route with a limit on its body, or of one for platform keys. */
const LIMITED =
  /^size\/|^expect\/(?:100-continue-oversize|expect-then-no-body)$|^slow\/slow-(?:chunked-)?body$/;
const PLATFORM = /^header-syntax\/(?:dup-authorization|dup-api-key|comma-api-key|underscore-api-key)$/;

function meshParts(
  one: HostileCase,
  n: number,
  door: string,
  { slug, token }: { slug: string; token: string },
): Part[] {
  const described = DESCRIBED[one.id]?.(slug, token);
  if (described !== undefined) return described;
  const routes = routesTo(`/api/zeq/apis/${slug}/${API}/forward/${markOf(door, n)}`, `?key=${token}`);
  if (LIMITED.test(one.id)) routes['/echo'] = `/api/zeq/apis/${slug}?key=${token}`;
  if (PLATFORM.test(one.id)) routes['/echo'] = '/api/v1/status';
  const fill = {
    ...FILL,
    KEY: token,
    KEY_PREFIX: token.slice(0, token.length / 2),
    SLUG: slug,
    SLUG_UPPER: slug.toUpperCase(),
    ID: API,
  };
  return partsOf(one, fill, routes) as Part[];
}

/** The cases of which the list gives only a description. */
const DESCRIBED: Record<string, (slug: string, token: string) => Part[]> = {
  'size/gzip-bomb-request': (slug, token) => registration(slug, token, gibibyteOfZeros(), 1),
  'size/gzip-chain': (slug, token) => {
    let body: Buffer = Buffer.from('{}');
    for (let i = 0; i < 6; i += 1) body = gzipSync(body);
    return registration(slug, token, body, 6);
  },
  'auth-header-field/over-4k': (slug, token) =>
    registration(slug, token, apiWith(`Authorization: Bearer ${'k'.repeat(4096)}`)),
  'auth-header-field/exactly-4k': (slug, token) =>
    registration(slug, token, apiWith('Authorization: Bearer '.padEnd(4096, 'k0'))),
};

/** Members one behind the other are one gzip file. */
function gibibyteOfZeros(): Buffer {
  const member = gzipSync(Buffer.alloc(2 ** 24));
  return Buffer.concat(Array.from({ length: 2 ** 6 }, () => member));
}

const apiWith = (auth_header: string): Buffer =>
  Buffer.from(JSON.stringify({ name: 'long', base_url: 'https://api.example.com', auth_header }));

function registration(slug: string, token: string, body: Buffer, gzipped = 0): Part[] {
  const head = `POST /api/zeq/apis/${slug} HTTP/1.1\r\nHost: gateway.example.com\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
  const encodings = 'Content-Encoding: gzip\r\n'.repeat(gzipped);
  return [{ text: `${head}${encodings}Content-Length: ${body.length}\r\n\r\n${body.toString('latin1')}` }];
}

/** How long to wait for an answer behind the last byte, less where none has to come; and then for the connection's end. */
const patience = ({ expect }: HostileCase): [number, number] => [
  /timeout/.test(expect.status ?? '') ? 1_500 : 30_000,
  expect.close === true ? 10_000 : 200,
];

/** Cases that last as long as the timeouts which end them. */
export const isSlow = ({ id, category }: HostileCase): boolean =>
  category === 'slow' || id === 'expect/expect-then-no-body';
