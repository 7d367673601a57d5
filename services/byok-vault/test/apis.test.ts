import { jest } from '@jest/globals';
import { ApiView, DEFAULT_POLICY, PROVIDERS } from '@zeq/contracts';
import { newCanary, openTestVault, type TestVault } from './support/test-vault.ts';

jest.setTimeout(30_000);

let vault: TestVault;
beforeAll(async () => {
  vault = await openTestVault();
});
afterAll(() => vault.close());

const registration = (over: object = {}) => ({
  name: 'openai',
  base_url: 'https://api.openai.com',
  auth_header: `Authorization: Bearer ${newCanary()}wxyz`,
  ...over,
});

/** The view of `registration()`. */
const shown = (over: object = {}) => ({
  id: expect.stringMatching(/^api_[0-9A-Za-z]{22}$/),
  name: 'openai',
  provider: null,
  base_url: 'https://api.openai.com',
  has_auth_header: true,
  auth_hint: '…wxyz',
  auth_shape: { type: 'header', name: 'Authorization' },
  auth_state: 'ok',
  warnings: [],
  rate_limit_per_min: 60,
  extra_headers: {},
  policy: DEFAULT_POLICY,
  schema: null,
  test_path: null,
  created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  ...over,
});

async function registered(over: object = {}) {
  const made = await vault.newMachine();
  const { body } = await made.owner.post(`/api/zeq/apis/${made.slug}`).send(registration(over)).expect(201);
  return { ...made, api: body as ApiView, path: `/api/zeq/apis/${made.slug}/${body.id}` };
}

const credentialOf = async ({ id }: { id: string }) =>
  (
    await vault.db.query(
      'SELECT auth_header_enc AS enc, auth_header_iv AS iv, auth_header_kid AS kid FROM user_external_apis WHERE id = $1',
      [id],
    )
  )[0] as { enc: Uint8Array | null; iv: Uint8Array | null; kid: string | null };

const codeOf = (res: { body: { code: string } }) => res.body.code;

describe('POST /api/zeq/apis/:slug', () => {
  it('answers 201 with the view, without the credential', async () => {
    const { owner, slug } = await vault.newMachine();

    const res = await owner.post(`/api/zeq/apis/${slug}`).send(registration()).expect(201);

    expect(res.body).toEqual(shown());
    expect(ApiView.strict().safeParse(res.body).success).toBe(true);
    expect(res.headers['cache-control']).toBe('no-store');
  });

  it('stores commitment, ciphertext and tag under a fresh IV, and the name of the key', async () => {
    const canary = newCanary();
    const { api } = await registered({ auth_header: `X-Api-Key: ${canary}` });

    const { enc, iv, kid } = await credentialOf(api);

    expect(enc).toHaveLength(32 + canary.length + 16);
    expect(iv).toHaveLength(12);
    expect(kid).toBe(vault.ring.currentKid);
    expect(Buffer.from(enc!).includes(canary)).toBe(false);
  });

  it('fills in what a provider preset knows, and lets the owner go before it', async () => {
    const { owner, slug } = await vault.newMachine();
    const send = (body: object) => owner.post(`/api/zeq/apis/${slug}`).send(body);

    const { body } = await send({ name: 'claude', provider: 'anthropic', api_key: newCanary() }).expect(201);
    const { body: own } = await send({
      name: 'own',
      provider: 'anthropic',
      base_url: 'https://proxy.example.com/a/',
      api_key: newCanary(),
      extra_headers: { 'Anthropic-Version': '2099-01-01' },
    }).expect(201);

    expect(body).toMatchObject({
      provider: 'anthropic',
      base_url: PROVIDERS.anthropic.baseUrl,
      auth_shape: { type: 'header', name: 'x-api-key' },
      extra_headers: PROVIDERS.anthropic.extraHeaders,
      test_path: '/v1/models',
    });
    expect(own).toMatchObject({
      base_url: 'https://proxy.example.com/a',
      extra_headers: { 'Anthropic-Version': '2099-01-01' },
    });
  });

  it('keeps an API without a credential, and says that it is missing', async () => {
    const { api } = await registered({ auth_header: undefined });

    expect(api).toMatchObject({
      has_auth_header: false,
      auth_hint: null,
      auth_shape: null,
      auth_state: 'missing',
    });
  });

  it('keeps policy, description and extra headers as they were given', async () => {
    const given = {
      policy: { concurrency: 3, allowed_methods: ['GET'] },
      schema: { openapi: '3.1.0', odd: ['\u0000', '\ud800', 1e300] },
      extra_headers: { 'OpenAI-Organization': 'org-1' },
      rate_limit_per_min: 7,
    };
    const { api } = await registered(given);

    expect(api).toEqual(shown({ ...given, policy: { ...DEFAULT_POLICY, ...given.policy } }));
  });

  it('writes the address in its one spelling', async () => {
    const { api } = await registered({ base_url: 'HTTPS://API.Example.COM:443/' });

    expect(api.base_url).toBe('https://api.example.com');
  });

  it('answers 409 name_taken when the machine has an API of that name, also when two come at once', async () => {
    const { owner, slug } = await vault.newMachine();
    const send = () => owner.post(`/api/zeq/apis/${slug}`).send(registration());

    const results = await Promise.all([send(), send(), send()]);

    expect(results.map((res) => res.status).sort()).toEqual([201, 409, 409]);
    expect(results.filter((res) => res.status === 409).map(codeOf)).toEqual(['name_taken', 'name_taken']);
  });

  it.each([
    ['no body', undefined, 400, 'invalid_body'],
    ['an array', [registration()], 400, 'invalid_body'],
    ['no name', registration({ name: undefined }), 400, 'invalid_body'],
    ['a name like an id', registration({ name: 'api_x' }), 400, 'invalid_body'],
    ['no address', registration({ base_url: undefined }), 400, 'invalid_body'],
    ['a column of ours', registration({ auth_header_enc: 'AA' }), 400, 'invalid_body'],
    ['a rate of zero', registration({ rate_limit_per_min: 0 }), 400, 'invalid_body'],
    ['a huge rate', registration({ rate_limit_per_min: 1e20 }), 400, 'invalid_body'],
    ['an object for a name', registration({ name: { toString: null } }), 400, 'invalid_body'],
    ['null for the credential', registration({ auth_header: null }), 400, 'invalid_body'],
    ['plain http', registration({ base_url: 'http://api.example.com' }), 422, 'base_url_refused'],
    ['an address of this machine', registration({ base_url: 'https://127.0.0.1' }), 422, 'base_url_refused'],
    ['a metadata address', registration({ base_url: 'https://169.254.169.254' }), 422, 'base_url_refused'],
    [
      'a forbidden header',
      registration({ auth_header: 'Host: evil.example.com' }),
      422,
      'auth_header_refused',
    ],
    ['a line break', registration({ auth_header: 'A: abcdefgh\r\nB: c' }), 422, 'auth_header_refused'],
    ['a key in the clear', registration({ extra_headers: { 'X-Api-Key': 'abc' } }), 400, 'invalid_header'],
    ['a framing header', registration({ extra_headers: { 'Content-Length': '1' } }), 400, 'invalid_header'],
    [
      'the credential twice',
      registration({ auth_header: 'X-Key: abcdefghijkl', extra_headers: { 'x-key': 'b' } }),
      400,
      'invalid_header',
    ],
    ['one header twice', registration({ extra_headers: { A: '1', a: '2' } }), 400, 'invalid_header'],
    ['a huge description', registration({ schema: 'x'.repeat(300_000) }), 413, 'payload_too_large'],
  ])('refuses %s and stores nothing', async (_what, body, status, code) => {
    const { owner, slug } = await vault.newMachine();

    const res = await owner.post(`/api/zeq/apis/${slug}`).send(body as object);

    expect([res.status, res.body.code, res.headers['x-zeq-error']]).toEqual([status, code, code]);
    expect((await owner.get(`/api/zeq/apis/${slug}`)).body).toEqual([]);
  });

  it('answers 413 for a body over a mebibyte and 415 for one that is not JSON', async () => {
    const { owner, slug } = await vault.newMachine();
    const path = `/api/zeq/apis/${slug}`;

    await owner
      .post(path)
      .send({ name: 'x'.repeat(1_100_000) })
      .expect(413);
    await owner.post(path).type('text/plain').send('{}').expect(415);
  });

  it('answers 503 key_exhausted when the tenant has encrypted 0.9 · 2^32 times, and stores nothing', async () => {
    const { owner, slug, machine } = await vault.newMachine();
    await vault.db.query('INSERT INTO key_writes VALUES ($1, $2, $3)', [
      machine.id,
      vault.ring.currentKid,
      Math.floor(0.9 * 2 ** 32),
    ]);

    const res = await owner.post(`/api/zeq/apis/${slug}`).send(registration());

    expect([res.status, res.body.code]).toEqual([503, 'key_exhausted']);
    expect((await owner.get(`/api/zeq/apis/${slug}`)).body).toEqual([]);
  });

  it('raises the alarm from 2^30 encryptions on', async () => {
    const { owner, slug, machine } = await vault.newMachine();
    const alarms = async () => (await vault.metrics.keyWritesAlarm.get()).values[0]?.value ?? 0;
    const before = await alarms();
    const count = (encryptions: number) =>
      vault.db.query('UPDATE key_writes SET encryptions = $2 WHERE machine_id = $1', [
        machine.id,
        encryptions,
      ]);

    await owner
      .post(`/api/zeq/apis/${slug}`)
      .send(registration({ name: 'one' }))
      .expect(201);
    await count(2 ** 30 - 2);
    await owner
      .post(`/api/zeq/apis/${slug}`)
      .send(registration({ name: 'two' }))
      .expect(201);
    expect(await alarms()).toBe(before);
    await owner
      .post(`/api/zeq/apis/${slug}`)
      .send(registration({ name: 'three' }))
      .expect(201);

    expect(await alarms()).toBe(before + 1);
  });
});

describe('GET /api/zeq/apis/:slug', () => {
  it('shows that a header is stored, and nothing else of the credential', async () => {
    const { owner, slug } = await registered();

    const res = await owner.get(`/api/zeq/apis/${slug}`).expect(200);

    expect(res.body).toEqual([shown()]);
  });

  it('goes on where a page ended, by its Link', async () => {
    const { owner, slug } = await vault.newMachine();
    for (const name of ['a', 'b', 'c'])
      await owner.post(`/api/zeq/apis/${slug}`).send(registration({ name })).expect(201);

    const first = await owner.get(`/api/zeq/apis/${slug}?limit=2`).expect(200);
    const link = /^<([^>]+)>; rel="next"$/.exec(first.headers.link ?? '')?.[1];
    const second = await owner.get(link ?? 'no link').expect(200);

    expect([...first.body, ...second.body].map((api: ApiView) => api.name)).toEqual(['a', 'b', 'c']);
    expect(second.headers.link).toBeUndefined();
  });

  it.each(['limit=0', 'limit=1001', 'limit=x', 'after=%00', 'other=1'])('refuses ?%s', async (query) => {
    const { owner, slug } = await vault.newMachine();

    const res = await owner.get(`/api/zeq/apis/${slug}?${query}`);

    expect([res.status, res.body.code]).toEqual([400, 'invalid_query']);
  });
});

describe('GET /api/zeq/apis/:slug/:id', () => {
  it('finds an API by its id and by its name', async () => {
    const { owner, slug, api } = await registered();

    for (const ref of [api.id, 'openai'])
      expect((await owner.get(`/api/zeq/apis/${slug}/${ref}`).expect(200)).body).toEqual(shown());
  });

  it('answers alike for what does not exist, what is somebody else’s, and what cannot be', async () => {
    const mine = await registered();
    const other = await registered();
    const problem = async (ref: string) => {
      const res = await mine.owner
        .get(`/api/zeq/apis/${mine.slug}/${ref}`)
        .set('x-request-id', 'the-same-id');
      return [res.status, res.text];
    };

    const unknown = await problem('nothing');

    expect(unknown[0]).toBe(404);
    expect(await problem(other.api.id)).toEqual(unknown);
    expect(await problem('%00')).toEqual(unknown);
    expect(await problem('%F0%9F%92%A9')).toEqual(unknown);
    expect(await problem("a'--")).toEqual(unknown);
  });
});

describe('PATCH /api/zeq/apis/:slug/:id', () => {
  it('changes what is given, keeps the rest, and encrypts anew', async () => {
    const { owner, path, api } = await registered();
    const before = await credentialOf(api);

    const res = await owner
      .patch(path)
      .send({ name: 'renamed', rate_limit_per_min: 5, policy: { concurrency: 9 } })
      .expect(200);

    expect(res.body).toEqual(
      shown({ name: 'renamed', rate_limit_per_min: 5, policy: { ...DEFAULT_POLICY, concurrency: 9 } }),
    );
    const after = await credentialOf(api);
    expect(Buffer.from(after.iv!).equals(before.iv!)).toBe(false);
    expect(Buffer.from(after.enc!).equals(before.enc!)).toBe(false);
  });

  it('replaces the credential', async () => {
    const { owner, path } = await registered();

    const { body } = await owner
      .patch(path)
      .send({ auth_header: `X-Key: ${newCanary()}1234` })
      .expect(200);

    expect(body).toEqual(shown({ auth_hint: '…1234', auth_shape: { type: 'header', name: 'X-Key' } }));
  });

  it.each([
    'https://api.openai.org',
    'https://api.openai.com:8443',
    'https://openai.com',
    'https://api.api.openai.com',
    'https://xn--penai-mye.com',
  ])('drops the credential when the address moves to %s', async (base_url) => {
    const { owner, path, api } = await registered();

    const { body } = await owner.patch(path).send({ base_url }).expect(200);

    expect(body).toEqual(
      shown({
        base_url,
        has_auth_header: false,
        auth_hint: null,
        auth_shape: null,
        auth_state: 'missing',
        warnings: [expect.stringContaining('dropped')],
      }),
    );
    expect(await credentialOf(api)).toEqual({ enc: null, iv: null, kid: null });
  });

  it('keeps it when only the path changes, and when it is given again with the new address', async () => {
    const { owner, path } = await registered();

    const moved = await owner.patch(path).send({ base_url: 'https://api.openai.com/v1' }).expect(200);
    const given = await owner
      .patch(path)
      .send({ base_url: 'https://api.openai.org', auth_header: `X-Key: ${newCanary()}` })
      .expect(200);

    expect(moved.body).toMatchObject({ has_auth_header: true, auth_state: 'ok' });
    expect(given.body).toMatchObject({ has_auth_header: true, auth_state: 'ok', warnings: [] });
  });

  it.each([
    [{ auth_header: '…wxyz' }, 'auth_header_refused'],
    [{ auth_header: 'Authorization: Bearer …wxyz' }, 'auth_header_refused'],
    [{ auth_header: '' }, 'invalid_body'],
    [{ auth_header: null }, 'invalid_body'],
    [{ auth_header: '[redacted]' }, 'auth_header_refused'],
    [{ auth: { type: 'header', name: 'Authorization', value: '…wxyz' } }, 'auth_header_refused'],
    [{ api_key: '[redacted]' }, 'auth_header_refused'],
    [{ base_url: 'http://10.0.0.1' }, 'base_url_refused'],
    [{ provider: 'openai' }, 'invalid_body'],
  ])('refuses %j and leaves the row as it was', async (patch, code) => {
    const { owner, path, api } = await registered();
    const row = async () =>
      (await vault.db.query('SELECT * FROM user_external_apis WHERE id = $1', [api.id]))[0];
    const before = await row();

    const res = await owner.patch(path).send(patch);

    expect(res.body.code).toBe(code);
    expect(await row()).toEqual(before);
  });

  it('answers 409 for a name that is taken and 404 for an API that is not there', async () => {
    const { owner, slug, path } = await registered();
    await owner
      .post(`/api/zeq/apis/${slug}`)
      .send(registration({ name: 'other' }))
      .expect(201);

    expect(codeOf(await owner.patch(path).send({ name: 'other' }))).toBe('name_taken');
    expect(codeOf(await owner.patch(`/api/zeq/apis/${slug}/nothing`).send({ name: 'x' }))).toBe('not_found');
  });

  it('takes changes that come at once one after another, and loses none', async () => {
    const { owner, path } = await registered();

    await Promise.all([
      owner.patch(path).send({ rate_limit_per_min: 11 }).expect(200),
      owner
        .patch(path)
        .send({ policy: { concurrency: 12 } })
        .expect(200),
      owner
        .patch(path)
        .send({ extra_headers: { 'X-A': 'b' } })
        .expect(200),
    ]);

    expect((await owner.get(path)).body).toMatchObject({
      rate_limit_per_min: 11,
      policy: { concurrency: 12 },
      extra_headers: { 'X-A': 'b' },
      auth_state: 'ok',
    });
  });
});

describe('DELETE /api/zeq/apis/:slug/:id', () => {
  it('removes the row, ciphertext and all, and frees the name', async () => {
    const { owner, slug, path, api } = await registered();

    const res = await owner.delete(path).expect(204);

    expect(res.text).toBe('');
    expect(await credentialOf(api)).toBeUndefined();
    await owner.get(path).expect(404);
    await owner.delete(path).expect(404);
    await owner.post(`/api/zeq/apis/${slug}`).send(registration()).expect(201);
  });
});
