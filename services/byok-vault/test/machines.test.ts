import { createHash } from 'node:crypto';
import { jest } from '@jest/globals';
import { OPERATOR, ownerOf, PLATFORM } from './support/callers.ts';
import { newCanary, openTestVault, type TestVault } from './support/test-vault.ts';

jest.setTimeout(30_000);

let vault: TestVault;
beforeAll(async () => {
  vault = await openTestVault();
});
afterAll(() => vault.close());

const MOMENT = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('POST /api/zeq/machines', () => {
  it('makes a machine and shows its first key once', async () => {
    const res = await vault.as(PLATFORM).post('/api/zeq/machines').send({ slug: 'alice' }).expect(201);

    expect(res.body).toEqual({
      machine: {
        id: expect.stringMatching(/^mch_[0-9A-Za-z]{22}$/),
        slug: 'alice',
        display_name: 'alice',
        created_at: MOMENT,
      },
      api_key: expect.stringMatching(/^zsm_[0-9A-Za-z]{43}$/),
    });
    const stored = await vault.store.keys.findByHash(sha256(res.body.api_key));
    expect(stored).toMatchObject({ scope: 'owner', prefix: res.body.api_key.slice(0, 8), expiresAt: null });
    const dump = JSON.stringify(await vault.db.query('SELECT * FROM machine_keys'));
    expect(dump).not.toContain(res.body.api_key);
  });

  it('gives every machine a salt of its own', async () => {
    const machines = [await vault.newMachine(), await vault.newMachine()];

    const salts = await Promise.all(machines.map(({ machine }) => vault.store.machines.find(machine.id)));

    expect(salts[0]?.kdfSalt).toHaveLength(32);
    expect(salts[0]?.kdfSalt.equals(salts[1]!.kdfSalt)).toBe(false);
  });

  it('answers 409 slug_taken, also when two come at once and for the platform’s own', async () => {
    const send = (slug: string) => vault.as(PLATFORM).post('/api/zeq/machines').send({ slug });

    const twice = await Promise.all([send('bob'), send('bob')]);

    expect(twice.map((res) => res.status).sort()).toEqual([201, 409]);
    expect((await send('platform')).body.code).toBe('slug_taken');
  });

  it.each(['', 'A', 'a b', 'a'.repeat(65), 'a/b', 'ä'])('refuses the slug %p', async (slug) => {
    const res = await vault.as(PLATFORM).post('/api/zeq/machines').send({ slug });

    expect([res.status, res.body.code]).toEqual([400, 'invalid_body']);
  });

  it('refuses control characters in a name', async () => {
    const res = await vault
      .as(PLATFORM)
      .post('/api/zeq/machines')
      .send({ slug: 'nul', display_name: 'a\0b' });

    expect([res.status, res.body.code]).toEqual([400, 'invalid_body']);
  });
});

describe('/api/zeq/machines/:slug/keys', () => {
  it('mints, lists by prefix and revokes', async () => {
    const { owner, slug } = await vault.newMachine();
    const path = `/api/zeq/machines/${slug}/keys`;

    const minted = await owner.post(path).send({ name: 'ci', scope: 'read' }).expect(201);
    const listed = await owner.get(path).expect(200);
    await owner.delete(`${path}/${minted.body.key.id}`).expect(204);

    const key = {
      id: expect.stringMatching(/^key_[0-9A-Za-z]{22}$/),
      name: 'ci',
      prefix: minted.body.api_key.slice(0, 8),
      scope: 'read',
      created_at: MOMENT,
      expires_at: null,
    };
    expect(minted.body).toEqual({ key, api_key: expect.stringMatching(/^zsm_[0-9A-Za-z]{43}$/) });
    expect(listed.body).toEqual({ keys: [expect.objectContaining({ name: 'first key' }), key] });
    expect(JSON.stringify(listed.body)).not.toContain(minted.body.api_key.slice(8));
    expect((await owner.get(path)).body.keys).toHaveLength(1);
    await owner.delete(`${path}/${minted.body.key.id}`).expect(404);
  });

  it('needs no body to mint, and refuses an expiry that has passed', async () => {
    const { owner, slug } = await vault.newMachine();
    const path = `/api/zeq/machines/${slug}/keys`;

    await owner.post(path).expect(201);
    const res = await owner.post(path).send({ expires_at: '2020-01-01T00:00:00.000Z' });

    expect([res.status, res.body.code]).toEqual([400, 'invalid_body']);
  });

  it('does not touch the keys of others', async () => {
    const [mine, other] = [await vault.newMachine(), await vault.newMachine()];
    const { body } = await other.owner.get(`/api/zeq/machines/${other.slug}/keys`);

    await mine.owner.delete(`/api/zeq/machines/${mine.slug}/keys/${body.keys[0].id}`).expect(404);

    expect((await other.owner.get(`/api/zeq/machines/${other.slug}/keys`)).body).toEqual(body);
  });
});

describe('/api/zeq/apis/:slug/:id/tokens', () => {
  async function withApis() {
    const made = await vault.newMachine();
    const add = (name: string) =>
      made.owner
        .post(`/api/zeq/apis/${made.slug}`)
        .send({ name, base_url: 'https://api.example.com', auth_header: `X-Key: ${newCanary()}` })
        .expect(201);
    const ids = [(await add('one')).body.id, (await add('two')).body.id] as const;
    return { ...made, ids, path: `/api/zeq/apis/${made.slug}/one/tokens` };
  }

  it('mints a token for the APIs it names, shows it once, lists and revokes it', async () => {
    const { owner, slug, ids, path } = await withApis();

    const minted = await owner
      .post(path)
      .send({
        name: 'phone',
        apis: ['two', ids[0]],
        allowed_methods: ['GET'],
        allowed_path_prefixes: ['/v1/'],
        rate_limit_per_min: 3,
        expires_in_seconds: 60,
      })
      .expect(201);

    const token = {
      id: expect.stringMatching(/^tok_[0-9A-Za-z]{22}$/),
      name: 'phone',
      prefix: minted.body.token.slice(0, 8),
      api_ids: [...ids].sort(),
      allowed_methods: ['GET'],
      allowed_path_prefixes: ['/v1/'],
      rate_limit_per_min: 3,
      created_at: MOMENT,
      expires_at: MOMENT,
    };
    expect(minted.body).toEqual({ token: expect.stringMatching(/^zat_[0-9A-Za-z]{43}$/), app_token: token });
    const { created_at, expires_at } = minted.body.app_token;
    expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(60_000);
    expect((await owner.get(path)).body).toEqual({ tokens: [token] });
    expect((await owner.get(`/api/zeq/apis/${slug}/two/tokens`)).body).toEqual({ tokens: [token] });
    await owner.delete(`${path}/${minted.body.app_token.id}`).expect(204);
    await owner.delete(`${path}/${minted.body.app_token.id}`).expect(404);
    expect((await owner.get(path)).body).toEqual({ tokens: [] });
  });

  it.each([
    [{ apis: ['nothing'] }, 'not_found'],
    [{ expires_at: '2020-01-01T00:00:00.000Z' }, 'invalid_body'],
    [{ expires_at: '2999-01-01T00:00:00.000Z', expires_in_seconds: 5 }, 'invalid_body'],
    [{ allowed_methods: ['get'] }, 'invalid_body'],
    [{ allowed_path_prefixes: ['v1'] }, 'invalid_body'],
    [{ unknown: 1 }, 'invalid_body'],
  ])('refuses %j', async (body, code) => {
    const { owner, path } = await withApis();

    expect((await owner.post(path).send(body)).body.code).toBe(code);
    expect((await owner.get(path)).body).toEqual({ tokens: [] });
  });

  it('takes no API of another machine into a token', async () => {
    const [mine, other] = [await withApis(), await withApis()];

    const res = await mine.owner.post(mine.path).send({ apis: [other.ids[0]] });

    expect(res.body.code).toBe('not_found');
  });

  it('removes a token with the last API it covers', async () => {
    const { owner, slug, path } = await withApis();
    const { body } = await owner.post(path).expect(201);

    await owner.delete(`/api/zeq/apis/${slug}/one`).expect(204);

    expect(await vault.store.tokens.findByHash(sha256(body.token))).toBeUndefined();
  });
});

describe('removing a machine', () => {
  it('is for its owner and for the operator, and leaves nothing', async () => {
    const [one, two] = [await vault.newMachine(), await vault.newMachine()];

    await one.owner.delete(`/api/zeq/machines/${one.slug}`).expect(204);
    await vault.as(OPERATOR).delete(`/api/zeq/admin/machines/${two.slug}`).expect(204);

    for (const { machine, apiKey } of [one, two]) {
      expect(await vault.store.machines.find(machine.id)).toBeUndefined();
      expect(await vault.store.keys.findByHash(sha256(apiKey))).toBeUndefined();
    }
    await one.owner.delete(`/api/zeq/machines/${one.slug}`).expect(404);
  });

  it('is refused for the platform’s own', async () => {
    const platform = (await vault.store.machines.findBySlug('platform'))!;

    const byOperator = await vault.as(OPERATOR).delete('/api/zeq/admin/machines/platform');
    const byOwner = await vault.as(ownerOf(platform)).delete('/api/zeq/machines/platform');

    expect([byOperator.body.code, byOwner.body.code]).toEqual(['conflict', 'conflict']);
  });
});

describe('GET /api/zeq/admin/machines', () => {
  it('lists all of them in pages', async () => {
    await vault.newMachine();
    const first = await vault.as(OPERATOR).get('/api/zeq/admin/machines?limit=1').expect(200);
    const second = await vault
      .as(OPERATOR)
      .get(`/api/zeq/admin/machines?limit=1000&after=${first.body.next}`)
      .expect(200);

    expect(first.body).toEqual({
      machines: [expect.objectContaining({ slug: 'platform' })],
      next: expect.any(String),
    });
    expect(second.body.next).toBeNull();
    expect(second.body.machines.length).toBeGreaterThan(0);
  });
});

describe('POST /api/zeq/admin/platform/keys', () => {
  it('mints a key of the platform’s own machine', async () => {
    const { body } = await vault
      .as(OPERATOR)
      .post('/api/zeq/admin/platform/keys')
      .send({ scope: 'forward' })
      .expect(201);

    expect(await vault.store.keys.findByHash(sha256(body.api_key))).toMatchObject({
      slug: 'platform',
      scope: 'forward',
    });
  });
});
