import { call, type Rig, startRig } from './kit/gateway.ts';
import { owner } from './kit/people.ts';

describe("the page's session", () => {
  let rig: Rig;
  const alice = owner('alice');

  beforeAll(async () => {
    rig = await startRig();
    rig.register.add(alice);
  });
  afterAll(() => rig.stop());

  const bearer = { authorization: `Bearer ${alice.token}` };
  const signIn = async (headers: Record<string, string> = {}) =>
    await call(`${rig.url}/api/zeq/session/cookie`, { method: 'POST', headers: { ...bearer, ...headers } });
  const cookieOf = (reply: { headers: Record<string, string | string[] | undefined> }) =>
    String(reply.headers['set-cookie']).split(';', 1)[0]!;
  const fromPage = async (more: Record<string, string> = {}) => ({
    cookie: cookieOf(await signIn()),
    'x-zeq-page': '1',
    ...more,
  });

  it('travels in a cookie that scripts cannot read and no other site can send', async () => {
    const reply = await signIn({ origin: 'https://zeq.example.com' });

    expect(reply.json()).toEqual({
      machine: { slug: 'alice' },
      scope: 'owner',
      expires_at: expect.any(String),
    });
    expect(String(reply.headers['set-cookie'])).toMatch(
      /^zeq_session=[\w.-]+; Path=\/api; HttpOnly; SameSite=Strict; Expires=[^;]+; Secure$/,
    );
  });

  it('leaves Secure out only where the page itself came over http', async () => {
    const withHttp = await signIn({ origin: rig.url });
    const withoutOrigin = await signIn();

    expect(String(withHttp.headers['set-cookie'])).not.toContain('Secure');
    expect(String(withoutOrigin.headers['set-cookie'])).toContain('Secure');
  });

  it('opens what the key opens, when the page says that it asks', async () => {
    const headers = await fromPage({ 'sec-fetch-site': 'same-origin' });

    expect((await call(`${rig.url}/api/zeq/session`, { headers })).json()).toMatchObject({
      machine: { slug: 'alice' },
    });
    const forward = `${rig.url}/api/zeq/apis/alice/openai/forward/v1/models`;
    expect((await call(forward, { method: 'POST', headers })).status).toBe(200);
    expect(JSON.stringify(rig.forwarder.seen.at(-1)?.headers)).not.toContain('zeq_session');
  });

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a neighbour of the same site', { 'sec-fetch-site': 'same-site' }],
    ['another origin, in a browser without Sec-Fetch-Site', { origin: 'https://evil.example' }],
    ['nobody knows where', {}],
  ])('refuses a write that came from %s', async (_where, said) => {
    const headers = await fromPage(said);
    const before = rig.vault.seen.length;

    const reply = await call(`${rig.url}/api/zeq/apis/alice`, { method: 'POST', headers });

    expect([reply.status, reply.json().code]).toEqual([403, 'csrf_refused']);
    expect(rig.vault.seen).toHaveLength(before);
  });

  it('refuses a write that has the cookie without the header of the page', async () => {
    const headers = { cookie: cookieOf(await signIn()), 'sec-fetch-site': 'same-origin' };

    for (const path of ['/api/zeq/apis/alice', '/api/zeq/apis/alice/openai/forward/v1/chat'])
      expect((await call(rig.url + path, { method: 'POST', headers })).json().code).toBe('csrf_refused');
  });

  it('is nobody for a read without the header of the page', async () => {
    const headers = { cookie: cookieOf(await signIn()) };

    expect((await call(`${rig.url}/api/zeq/session`, { headers })).json().code).toBe('unauthorized');
  });

  it('goes after a credential that was sent openly', async () => {
    const bob = rig.register.add(owner('bob'));
    const headers = { ...(await fromPage()), authorization: `Bearer ${bob.token}` };

    const reply = await call(`${rig.url}/api/zeq/session`, { headers });

    expect(reply.json()).toEqual({ machine: { slug: 'bob' }, scope: 'owner', expires_at: null });
  });

  it('refuses two different sessions: one of them was planted', async () => {
    const headers = await fromPage();
    headers.cookie += '; zeq_session=a.b.c';

    expect((await call(`${rig.url}/api/zeq/session`, { headers })).json().code).toBe('ambiguous_credentials');
  });

  it('ends with its machine key', async () => {
    const carol = rig.register.add(owner('alice'));
    const reply = await signIn({ authorization: `Bearer ${carol.token}` });
    rig.register.remove(carol);
    const { caller } = carol.answer;
    if (caller.kind === 'owner') rig.feed.change('key_revoked', caller.key_id, caller.machine_id);

    const headers = { cookie: cookieOf(reply), 'x-zeq-page': '1' };
    expect((await call(`${rig.url}/api/zeq/session`, { headers })).json().code).toBe('unauthorized');
  });

  it('is over for whoever kept a copy of the cookie, when its owner signs out', async () => {
    const first = await fromPage({ origin: rig.url });
    const url = `${rig.url}/api/zeq/session/cookie`;
    const renewal = await call(url, { method: 'POST', headers: first });
    const headers = { ...first, cookie: cookieOf(renewal) };
    const reply = await call(url, { method: 'DELETE', headers });

    expect(reply.status).toBe(204);
    expect(String(reply.headers['set-cookie'])).toMatch(/^zeq_session=; Path=\/api; .*Max-Age=0/);
    for (const copy of [first, headers])
      expect((await call(`${rig.url}/api/zeq/session`, { headers: copy })).json().code).toBe('token_expired');
  });

  it('is not ended by a request that the page did not send', async () => {
    const headers = await fromPage();
    const { 'x-zeq-page': _page, ...foreign } = headers;
    await call(`${rig.url}/api/zeq/session/cookie`, { method: 'DELETE', headers: foreign });

    expect((await call(`${rig.url}/api/zeq/session`, { headers })).status).toBe(200);
  });
});

describe('DELETE /api/zeq/session', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.stop());

  it('ends a session that was presented as a token, and refuses a key: keys are revoked', async () => {
    const key = { authorization: `Bearer ${rig.register.add(owner('alice')).token}` };
    const url = `${rig.url}/api/zeq/session`;
    const { token } = (await call(url, { method: 'POST', headers: key })).json() as { token: string };
    const session = { authorization: `Bearer ${token}` };

    expect((await call(url, { method: 'DELETE', headers: session })).status).toBe(204);
    expect((await call(url, { headers: session })).json().code).toBe('token_expired');
    expect((await call(url, { method: 'DELETE', headers: key })).json().code).toBe('invalid_header');
    expect((await call(url, { headers: key })).status).toBe(200);
  });
});
