import { readFileSync } from 'node:fs';
import { createServer as createHttps } from 'node:https';
import { connect as connectTcp, createServer, type Server, type TcpNetConnectOpts } from 'node:net';
import { TestAuthority } from './certificates.ts';
import { BEARER, Rig } from './rig.ts';

interface EgressCase {
  case: string;
  stage: 'register' | 'forward' | 'connect' | 'redirect';
  base_url: string;
  path: string;
  resolves_to: string[];
  resolves_to_at_connect?: string[];
  second_answer?: 'same-call' | 'next-call';
  cname?: string[];
  must_not_dial?: string[];
  redirect?: { status: number; headers: Record<string, string> };
  expect: 'allow' | 'deny';
  deny_means?: string;
  wire_host?: string;
  wire_path?: string;
}

const cases = (
  JSON.parse(readFileSync(new URL('./vectors/ssrf-cases.json', import.meta.url), 'utf8')) as EgressCase[]
).filter((row) => row.stage !== 'register');
const at = (stage: EgressCase['stage']) =>
  cases.filter((row) => row.stage === stage).map((row) => [row.case, row] as const);

/**
 * Public addresses cannot be dialled in a test, so the connection that would go to one goes to a local server that speaks TLS
 * for that name; every address that is dialled is written down. Addresses of this machine are dialled as they are: there the
 * listener is the witness.
 */
const LOCAL = /^(?:127\.|::1$|::$|0\.|::ffff:)/;
const HOSTS = [...new Set(cases.map(({ base_url }) => new URL(base_url).hostname))];

let rig: Rig;
let dialled: string[];
let touched: number;
let requests: { host: string | undefined; url: string }[];
let redirect: EgressCase['redirect'];
const authority = new TestAuthority();
const tls = createHttps(authority.issue(HOSTS), (req, res) => {
  requests.push({ host: req.headers.host, url: req.url! });
  if (redirect === undefined) res.end('hello');
  else res.writeHead(redirect.status, redirect.headers).end();
});
const witnesses: Server[] = [];

const dial = (options: TcpNetConnectOpts) => {
  dialled.push(options.host!);
  if (LOCAL.test(options.host!)) return connectTcp(options);
  return connectTcp({ ...options, host: '127.0.0.1', port: portOf(tls) });
};

const portOf = (server: Pick<Server, 'address'>) => (server.address() as { port: number }).port;
const listenAt = (server: Pick<Server, 'listen' | 'once'>, host: string, port = 0) =>
  new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, ipv6Only: true }, () => resolve());
  });

beforeAll(async () => {
  await listenAt(tls as never, '127.0.0.1');
  const v4 = createServer((socket) => {
    touched += 1;
    socket.destroy();
  });
  await listenAt(v4, '0.0.0.0');
  const v6 = createServer((socket) => {
    touched += 1;
    socket.destroy();
  });
  await listenAt(v6, '::', portOf(v4));
  witnesses.push(v4, v6);
  rig = await Rig.start({
    allow: '',
    ca: authority.pem,
    connect: dial,
    rules: { ownHosts: ['gateway.example.com'], ownAddresses: ['93.184.215.99'] },
  });
});

afterAll(async () => {
  await rig.stop();
  tls.closeAllConnections();
  for (const server of [tls, ...witnesses]) server.close();
});

beforeEach(() => {
  dialled = [];
  requests = [];
  touched = 0;
  redirect = undefined;
  rig.dns.queries.length = 0;
  rig.plane.pools.sweep(Number.POSITIVE_INFINITY); // so that every case dials for itself
});

/** The case's base URL with the witnesses' port, so that a dial to this machine would be seen by them. */
function witnessed(baseUrl: string): string {
  const url = new URL(baseUrl);
  url.port = String(portOf(witnesses[0]!));
  return url.toString().replace(/\/$/, '');
}

/** Sends the path as the bytes that it has in UTF-8, without a client that would repair it. */
async function send(id: string, path: string): Promise<string> {
  const head = rig.head('GET', id, path, ['Connection: close']);
  return rig.raw(Buffer.from(head, 'utf8'));
}

describe('forward stage', () => {
  it.each(at('forward'))('%s', async (_name, row) => {
    rig.dns.always({ addresses: row.resolves_to });
    const id = rig.register({ base_url: row.base_url, auth: BEARER });

    const answer = await send(id, row.path);

    const fits = /^[\x21-\x7e]*$/.test(row.path); // the runtime's parser refuses any other request line
    if (row.expect === 'allow' && fits) {
      expect(answer).toMatch(/^HTTP\/1.1 200 /);
      expect(requests).toEqual([{ host: row.wire_host, url: row.wire_path }]);
    } else {
      expect(answer).toMatch(/^HTTP\/1.1 4\d\d /);
      expect([dialled, requests, rig.dns.queries]).toEqual([[], [], []]);
    }
  });

  // What cannot be written into a request line reaches `/test` as it is.
  it.each(at('forward'))('%s, through /test', async (_name, row) => {
    rig.dns.always({ addresses: row.resolves_to });
    const id = rig.register({ base_url: row.base_url, auth: BEARER });

    const res = await fetch(`http://127.0.0.1:${rig.port}/api/zeq/apis/alice/${id}/test`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-zeq-service': rig.token() },
      body: JSON.stringify({ path: row.path }),
    });

    const result = (await res.json()) as { ok?: boolean };
    expect(result.ok ?? false).toBe(row.expect === 'allow');
    expect(requests).toEqual(row.expect === 'allow' ? [{ host: row.wire_host, url: row.wire_path }] : []);
    if (row.expect === 'deny') expect(dialled).toEqual([]);
  });
});

describe('connect stage', () => {
  it.each(at('connect'))('%s', async (_name, row) => {
    const { resolves_to: first, resolves_to_at_connect: then = first, cname = [] } = row;
    let calls = 0;
    const firstCallQueries = 2;
    rig.dns.answer = () => {
      calls += 1;
      const late = row.second_answer !== undefined && calls > firstCallQueries;
      return { addresses: late ? then : first, cname };
    };
    const id = rig.register({
      base_url: row.expect === 'allow' ? row.base_url : witnessed(row.base_url),
      auth: BEARER,
    });

    if (row.second_answer === 'next-call') await send(id, row.path);
    const before = dialled.length;
    const answer = await send(id, row.path);

    for (const address of row.must_not_dial ?? []) expect(dialled.slice(before)).not.toContain(address);
    expect(touched).toBe(0);
    if (row.expect === 'allow') {
      expect(answer).toMatch(/^HTTP\/1.1 200 /);
      expect(dialled).toEqual([first[0]]);
      expect(requests.at(-1)).toEqual({ host: row.wire_host, url: row.wire_path });
    } else if (row.deny_means === 'rejected-before-connect') {
      expect(answer).toMatch(/^HTTP\/1.1 502 /);
      expect(dialled.slice(before)).toEqual([]);
    }
    expect(rig.dns.queries.length).toBeLessThanOrEqual(row.second_answer === 'next-call' ? 4 : 2);
  });
});

describe('redirect stage', () => {
  it.each(at('redirect'))('%s', async (_name, row) => {
    rig.dns.always({ addresses: row.resolves_to });
    redirect = row.redirect!;
    const id = rig.register({ base_url: row.base_url, auth: BEARER });

    const answer = await send(id, row.path);

    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${row.redirect!.status} `));
    for (const [name, value] of Object.entries(row.redirect!.headers))
      if (name !== 'alt-svc')
        expect(answer.toLowerCase()).toContain(`${name}: ${value.trim()}`.toLowerCase());
    expect(requests).toHaveLength(1);
    expect(new Set(dialled)).toEqual(new Set([row.resolves_to[0]]));
  });
});

describe('a name whose answers alternate', () => {
  it('is never dialled at the private one, in 300 calls, with two queries each', async () => {
    rig.dns.answer = (_name, asked) => ({ addresses: [asked % 2 === 1 ? '93.184.215.14' : '127.0.0.1'] });
    const id = rig.register({ base_url: witnessed('https://rebind.example.net'), auth: BEARER });
    const statuses = new Map<string, number>();

    for (let call = 0; call < 300; call += 1) {
      const { status } = await rig.fetch(id, '/x');
      statuses.set(String(status), (statuses.get(String(status)) ?? 0) + 1);
    }

    expect(Object.fromEntries(statuses)).toEqual({ 200: 150, 502: 150 });
    expect(new Set(dialled)).toEqual(new Set(['93.184.215.14']));
    expect(touched).toBe(0);
    expect(rig.dns.queries).toHaveLength(600);
  }, 30_000);
});
