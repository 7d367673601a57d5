import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { jest } from '@jest/globals';
import { type ApiView, type Change, Lease, leaseContext } from '@zeq/contracts';
import { LeaseRecipient } from '@zeq/crypto';
import { buildLogger, VaultFeed } from '@zeq/service-kit';
import request from 'supertest';
import { ANONYMOUS, OPERATOR, serviceToken } from './support/callers.ts';
import { newCanary, openTestVault, type TestVault } from './support/test-vault.ts';

jest.setTimeout(30_000);

let vault: TestVault;
beforeAll(async () => {
  vault = await openTestVault();
});
afterAll(() => vault.close());

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

async function withApi(over: object = {}) {
  const made = await vault.newMachine();
  const canary = newCanary();
  const { body } = await made.owner
    .post(`/api/zeq/apis/${made.slug}`)
    .send({
      name: 'openai',
      base_url: 'https://api.openai.com/v1',
      auth_header: `Authorization: Bearer ${canary}`,
      ...over,
    })
    .expect(201);
  return { ...made, canary, api: body as ApiView, path: `/api/zeq/apis/${made.slug}/${body.id}` };
}

describe('POST /internal/identify', () => {
  const identify = (body: object, iss: 'gateway' | 'operator-engine' | 'forwarder' = 'gateway') =>
    request(vault.app)
      .post('/internal/identify')
      .set('x-zeq-service', serviceToken(ANONYMOUS, iss))
      .send(body);

  it('knows a machine key by its hash and by its id', async () => {
    const { machine, slug, apiKey } = await vault.newMachine();

    const { body } = await identify({ token_sha256: sha256(apiKey) }).expect(200);

    expect(body).toEqual({
      caller: { kind: 'owner', machine_id: machine.id, slug, key_id: expect.any(String), scope: 'owner' },
      expires_at: null,
      expired: false,
    });
    expect((await identify({ key_id: body.caller.key_id }, 'operator-engine').expect(200)).body).toEqual(
      body,
    );
  });

  it('knows an app token, with what it may do', async () => {
    const { owner, path, api, machine, slug } = await withApi();
    const minted = await owner
      .post(`${path}/tokens`)
      .send({ allowed_methods: ['GET'] })
      .expect(201);

    const { body } = await identify({ token_sha256: sha256(minted.body.token) }).expect(200);

    expect(body).toEqual({
      caller: {
        kind: 'app',
        machine_id: machine.id,
        slug,
        token_id: minted.body.app_token.id,
        api_ids: [api.id],
        allowed_methods: ['GET'],
        allowed_path_prefixes: null,
        rate_limit_per_min: null,
      },
      expires_at: null,
      expired: false,
    });
  });

  it('tells an expired key and token as such', async () => {
    const { owner, slug, path } = await withApi();
    const soon = new Date(Date.now() + 300).toISOString();
    const key = await owner.post(`/api/zeq/machines/${slug}/keys`).send({ expires_at: soon }).expect(201);
    const token = await owner.post(`${path}/tokens`).send({ expires_at: soon }).expect(201);
    await new Promise((done) => setTimeout(done, 350));

    for (const secret of [key.body.api_key, token.body.token]) {
      const { body } = await identify({ token_sha256: sha256(secret) }).expect(200);
      expect(body).toMatchObject({ expired: true, expires_at: soon });
    }
  });

  it('answers 404 for what it does not know, and for what was revoked', async () => {
    const { owner, slug, apiKey } = await vault.newMachine();
    const { body } = await identify({ token_sha256: sha256(apiKey) });
    await owner.delete(`/api/zeq/machines/${slug}/keys/${body.caller.key_id}`).expect(204);

    await identify({ token_sha256: sha256(apiKey) }).expect(404);
    await identify({ key_id: body.caller.key_id }).expect(404);
    await identify({ token_sha256: sha256('nobody') }).expect(404);
  });

  it('refuses other questions and other services', async () => {
    await identify({ token: 'zsm_x' }).expect(400);
    await identify({ token_sha256: `${sha256('x').slice(1)}'` }).expect(400);
    await identify({ token_sha256: sha256('x') }, 'forwarder').expect(401);
  });
});

describe('POST /internal/standing', () => {
  const ask = (ids: unknown, iss: 'gateway' | 'forwarder' = 'forwarder') =>
    request(vault.app)
      .post('/internal/standing')
      .set('x-zeq-service', serviceToken(ANONYMOUS, iss))
      .send({ ids });

  it('names what was removed, revoked or has expired, and nothing else', async () => {
    const { owner, path, slug, api } = await withApi();
    const mint = async (body: object) =>
      (await owner.post(`${path}/tokens`).send(body).expect(201)).body.app_token.id as string;
    const [kept, revoked, expired] = [await mint({}), await mint({}), await mint({ expires_in_seconds: 1 })];
    const { body: keys } = await owner.get(`/api/zeq/machines/${slug}/keys`).expect(200);
    await owner.delete(`${path}/tokens/${revoked}`).expect(204);
    await vault.db.query("UPDATE app_tokens SET expires_at = now() - interval '1 s' WHERE id = $1", [
      expired,
    ]);
    const [unknown] = [`api_${'0'.repeat(22)}`];

    const { body } = await ask([api.id, keys.keys[0].id, kept, revoked, expired, unknown]).expect(200);

    expect(new Set(body.gone)).toEqual(new Set([revoked, expired, unknown]));
  });

  it('is for forwarders alone, and takes a thousand ids at most', async () => {
    await ask([], 'gateway').expect(401);
    await ask(Array.from({ length: 1001 }, (_, i) => `api_${i}`)).expect(400);
  });
});

describe('POST /internal/leases', () => {
  const recipient = new LeaseRecipient();
  const lease = (body: object, key: string | undefined = recipient.publicKey) =>
    request(vault.app)
      .post('/internal/leases')
      .set('x-zeq-service', serviceToken(ANONYMOUS, 'forwarder', key))
      .send(body);

  it('seals the credential to the one process that asks, by id and by name', async () => {
    const { machine, slug, api, canary } = await withApi({ extra_headers: { 'X-A': 'b' } });

    for (const ref of [api.id, 'openai']) {
      const res = await lease({ machine_id: machine.id, api: ref }).expect(200);

      const answer = Lease.parse(res.body);
      expect(answer).toEqual({
        api_id: api.id,
        name: 'openai',
        machine_id: machine.id,
        slug,
        base_url: 'https://api.openai.com/v1',
        rate_limit_per_min: 60,
        extra_headers: { 'X-A': 'b' },
        policy: api.policy,
        auth_state: 'ok',
        auth_shape: { type: 'header', name: 'Authorization' },
        credential: expect.anything(),
      });
      const aad = Buffer.from(leaseContext(answer), 'utf8');
      expect(recipient.accept(answer.credential!, aad).open().toString('latin1')).toBe(`Bearer ${canary}`);
      expect(() => new LeaseRecipient().accept(answer.credential!, aad)).toThrow();
      const elsewhere = { ...answer, base_url: 'https://evil.example.net' };
      expect(() => recipient.accept(answer.credential!, Buffer.from(leaseContext(elsewhere)))).toThrow();
      expect(res.text).not.toContain(canary);
    }
  });

  it('gives text beyond ASCII as the bytes that travel', async () => {
    const { machine } = await withApi({ auth_header: 'Authorization: Bearer sk-…your-own-key…' });

    const { body } = await lease({ machine_id: machine.id, api: 'openai' }).expect(200);

    const opened = recipient.accept(body.credential, Buffer.from(leaseContext(body))).open();
    expect(opened).toEqual(Buffer.from('Bearer sk-…your-own-key…', 'utf8'));
  });

  it('leases an API without its credential when there is none, or none that opens', async () => {
    const missing = await withApi({ auth_header: undefined });
    const broken = await withApi();
    await vault.db.query(
      "UPDATE user_external_apis SET base_url = 'https://evil.example.net' WHERE id = $1",
      [broken.api.id],
    );
    const keyless = await withApi({
      auth_header: undefined,
      provider: 'ollama',
      base_url: 'https://ollama.example.com',
    });

    const ask = async ({ machine }: { machine: { id: string } }) =>
      (await lease({ machine_id: machine.id, api: 'openai' }).expect(200)).body;

    expect(await ask(missing)).toMatchObject({ auth_state: 'missing', credential: null });
    expect(await ask(broken)).toMatchObject({ auth_state: 'needs_new_header', credential: null });
    expect(await ask(keyless)).toMatchObject({ auth_state: 'ok', credential: null });
  });

  it('answers 404 for an API of another machine', async () => {
    const [mine, other] = [await withApi(), await withApi()];

    await lease({ machine_id: mine.machine.id, api: other.api.id }).expect(404);
    await lease({ machine_id: mine.machine.id, api: 'a\u0000b' }).expect(404);
  });

  it('needs a usable key of the forwarder, and the forwarder', async () => {
    const { machine } = await withApi();
    const body = { machine_id: machine.id, api: 'openai' };
    const low = Buffer.alloc(32).toString('base64url');

    await lease(body, low).expect(400);
    await request(vault.app)
      .post('/internal/leases')
      .set('x-zeq-service', serviceToken(ANONYMOUS, 'forwarder'))
      .send(body)
      .expect(400);
    await request(vault.app)
      .post('/internal/leases')
      .set('x-zeq-service', serviceToken(OPERATOR, 'gateway', recipient.publicKey))
      .send(body)
      .expect(401);
  });
});

describe('GET /internal/changes', () => {
  let server: Server;
  let url: string;
  const feeds: VaultFeed[] = [];

  beforeAll(async () => {
    server = createServer(vault.app);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    for (const feed of feeds.splice(0)) await feed.stop();
  });
  afterAll(() => new Promise((done) => server.close(done)));

  function follow() {
    const feed = new VaultFeed({
      url,
      token: () => serviceToken(ANONYMOUS, 'forwarder'),
      log: buildLogger('test', 'silent'),
    });
    const changes: Change[] = [];
    feed.on('change', (change) => changes.push(change));
    feeds.push(feed);
    feed.start();
    return { feed, changes };
  }

  async function until(condition: () => boolean): Promise<void> {
    const start = performance.now();
    while (!condition()) {
      if (performance.now() - start > 5_000) throw new Error('it did not happen');
      await new Promise((done) => setTimeout(done, 5));
    }
  }

  it('ends for its readers when the vault stops, so that they look elsewhere at once', async () => {
    const own = await openTestVault();
    const door = createServer(own.app);
    await new Promise<void>((done) => door.listen(0, '127.0.0.1', done));
    const { port } = door.address() as AddressInfo;
    const headers = { 'x-zeq-service': serviceToken(ANONYMOUS, 'forwarder') };
    const lines = (await fetch(`http://127.0.0.1:${port}/internal/changes`, { headers })).text();

    await own.close();

    expect(await lines).toContain('"hello"'); // it would not come to its end otherwise
    await new Promise((done) => door.close(done));
  });

  it('tells every reader of every change within a second', async () => {
    const readers = [follow(), follow()];
    await until(() => readers.every(({ feed }) => feed.isFresh()));
    const { owner, slug, path, api, machine } = await withApi();
    const token = await owner.post(`${path}/tokens`).expect(201);
    const other = await owner.post(`${path}/tokens`).expect(201);
    const key = await owner.post(`/api/zeq/machines/${slug}/keys`).expect(201);

    await owner.patch(path).send({ rate_limit_per_min: 9 }).expect(200);
    await owner.delete(`${path}/tokens/${token.body.app_token.id}`).expect(204);
    await owner.delete(`/api/zeq/machines/${slug}/keys/${key.body.key.id}`).expect(204);
    await owner.delete(path).expect(204);
    await owner.delete(`/api/zeq/machines/${slug}`).expect(204);
    await until(() => readers.every(({ changes }) => changes.length === 6));

    const expected = [
      ['api_changed', api.id],
      ['token_revoked', token.body.app_token.id],
      ['key_revoked', key.body.key.id],
      ['api_removed', api.id],
      ['token_revoked', other.body.app_token.id],
      ['machine_removed', machine.id],
    ];
    for (const { changes } of readers) {
      expect(changes.map(({ what, id }) => [what, id])).toEqual(expected);
      expect(changes.every(({ machine_id }) => machine_id === machine.id)).toBe(true);
    }
  });

  it('beats as long as the log can be read, and falls silent when it cannot', async () => {
    const { feed } = follow();
    await until(() => feed.isFresh());
    const before = feed.lastHeardAt;
    await until(() => feed.lastHeardAt > before);

    await vault.db.query('ALTER TABLE change_head RENAME TO change_head_away');
    await until(() => vault.notReady().includes('database'));
    const lastBeat = feed.lastHeardAt;
    await new Promise((done) => setTimeout(done, 1_500));

    expect(feed.lastHeardAt).toBe(lastBeat);
    expect(vault.notReady()).toEqual(['database']);
    await vault.db.query('ALTER TABLE change_head_away RENAME TO change_head');
    await until(() => vault.notReady().length === 0 && feed.lastHeardAt > lastBeat);
  });

  it('drops a reader that does not read', async () => {
    const socket = await slowReader(url, serviceToken(ANONYMOUS, 'gateway'));
    const closed = new Promise((done) => socket.once('close', done));
    const { machine } = await vault.newMachine();

    const big = `x${'y'.repeat(200_000)}`;
    await vault.store.atomically(async ({ changes }) => {
      for (let i = 0; i < 40; i += 1)
        await changes.append({ what: 'api_changed', machine_id: machine.id, id: `${big}${i}` });
    });

    await until(() => socket.readableLength > 0 || socket.destroyed);
    socket.resume();
    await closed;
  });
});

/** A socket that asks for the feed and then reads nothing. */
async function slowReader(url: string, token: string) {
  const { port } = new URL(url);
  const socket = connect({ port: Number(port), host: '127.0.0.1' });
  await new Promise((done) => socket.once('connect', done));
  socket.pause();
  socket.write(`GET /internal/changes HTTP/1.1\r\nHost: v\r\nX-Zeq-Service: ${token}\r\n\r\n`);
  await new Promise((done) => setTimeout(done, 200));
  return socket;
}
