import { gzipSync } from 'node:zlib';
import { jest } from '@jest/globals';
import { call, type Rig, startRig } from './kit/gateway.ts';
import { type HostileCase, hostileCases, partsOf, violations } from './kit/hostile-cases.ts';
import { judge } from './kit/judge.ts';
import { owner, type Person } from './kit/people.ts';
import { type Part, play } from './kit/raw-http.ts';

const JSON_ROUTES = new Set(['json', 'content-type', 'forward-call']);
/** What a stored header or a call's settings mean is the vault's and the forwarder's to judge, in their own tests. */
const ELSEWHERE = /^(?:auth-header-field|forward-call\/(?:method|path|caller))/;
/** Cases that wait for a timeout of many seconds: hostile-slow.ci.test.ts. */
const SLOW = new Set(['slow', 'expect/expect-then-no-body']);
/** What these cases ask of `/echo` only a route for a platform key can show. */
const PLATFORM = new Set(
  ['dup-authorization', 'dup-api-key', 'comma-api-key', 'underscore-api-key'].map(
    (id) => `header-syntax/${id}`,
  ),
);
/** And these, a route that has a limit on its body. */
const LIMITED = new Set(['size', 'expect/100-continue-oversize']);

const cases = hostileCases().filter(
  ({ id, category }) => !ELSEWHERE.test(id) && !SLOW.has(category) && !SLOW.has(id),
);

// Hundreds of requests, on a machine that may be busy with other tests.
jest.setTimeout(60_000);

describe('hostile requests over raw sockets', () => {
  let rig: Rig;
  let alice: Person;
  beforeAll(async () => {
    rig = await startRig({ env: { DOMAIN: 'gateway.example.com' } });
    alice = rig.register.add(owner('alice'));
  });
  afterAll(() => rig.stop());

  it.each(cases.map((one, n) => [one.id, one, n] as const))('%s', async (_id, one, n) => {
    const isJson = JSON_ROUTES.has(one.category);
    rig.vault.answer = isJson ? judge : undefined;
    rig.forwarder.answer = isJson ? judge : undefined;

    const outcome = await play(rig.port, conversation(one, n, alice), {
      untilClosed: one.expect.close === true,
      patienceMs: /timeout/.test(one.expect.status ?? '') ? 300 : 10_000,
    });

    const seen = [...rig.forwarder.seen, ...rig.vault.seen].filter(({ url }) => url.includes(markOf(n)));
    expect(violations(one, outcome, seen)).toEqual([]);
  });

  it('is left as it was: it answers, and no prototype has changed', async () => {
    const reply = await call(`${rig.url}/health`, { headers: { host: 'gateway.example.com' } });

    expect(reply.status).toBe(200);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });
});

/** Tells the requests of one case from the stragglers of the one before. */
const markOf = (n: number) => `case-${n}-`;

function conversation(one: HostileCase, n: number, { token }: Person): Part[] {
  const forwarded = (rest: string) => `/api/zeq/apis/alice/sample/forward/${markOf(n)}${rest}?key=${token}`;
  const limited = LIMITED.has(one.category) || LIMITED.has(one.id);
  const echo = limited ? `/api/zeq/apis/alice?${markOf(n)}&key=${token}` : forwarded('echo');
  const routes = {
    '/echo': PLATFORM.has(one.id) ? '/api/v1/status' : echo,
    '/__smuggled': forwarded('__smuggled'),
    '/large': forwarded('large'),
  };
  const fill = {
    KEY: token,
    KEY_PREFIX: token.slice(0, 20),
    SLUG: 'alice',
    SLUG_UPPER: 'ALICE',
    ID: 'sample',
    OTHER_ID: 'api_0000000000000000000000',
    N: '7',
  };
  return DESCRIBED[one.id]?.(token) ?? partsOf(one, fill, routes);
}

/** The cases of which the list gives only a description. */
const DESCRIBED: Record<string, (token: string) => Part[]> = {
  'size/gzip-bomb-request': (token) => registration(token, 1, gzipSync(Buffer.alloc(2 ** 26))),
  'size/gzip-chain': (token) => {
    let body: Buffer = Buffer.from('{}');
    for (let i = 0; i < 6; i += 1) body = gzipSync(body);
    return registration(token, 6, body);
  },
};

function registration(token: string, times: number, body: Buffer): Part[] {
  const head = `POST /api/zeq/apis/alice HTTP/1.1\r\nHost: gateway.example.com\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
  const encodings = 'Content-Encoding: gzip\r\n'.repeat(times);
  return [{ text: `${head}${encodings}Content-Length: ${body.length}\r\n\r\n${body.toString('latin1')}` }];
}
