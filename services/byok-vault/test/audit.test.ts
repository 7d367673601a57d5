import { jest } from '@jest/globals';
import { AuditGrowth, AuditPage, type RecordedCall } from '@zeq/contracts';
import { checkAuditEntry, logHasGrown } from '@zeq/crypto/web';
import request from 'supertest';
import { ANONYMOUS, OPERATOR, serviceToken } from './support/callers.ts';
import { newCanary, openTestVault, type TestVault } from './support/test-vault.ts';
import { newBatch, newCall } from './support/usage.ts';

jest.setTimeout(60_000);

let vault: TestVault;
let now = new Date('2026-03-10T12:00:00.000Z');
beforeAll(async () => {
  vault = await openTestVault({ now: () => now });
});
afterAll(() => vault.close());

const close = async (zeqond: number) => {
  const token = serviceToken(ANONYMOUS, 'sync-engine');
  const sent = request(vault.app).post('/internal/audit/close').set('x-zeq-service', token);
  return (await sent.send({ zeqond }).expect(200)).body;
};

/** A machine with an API, and the routes of its record. */
async function setup() {
  const { slug, owner, machine } = await vault.newMachine();
  const canary = newCanary();
  const registration = { name: 'openai', base_url: 'https://api.openai.com', auth_header: `K: ${canary}` };
  const { body } = await owner.post(`/api/zeq/apis/${slug}`).send(registration).expect(201);
  const path = `/api/zeq/apis/${slug}/openai/audit`;
  return {
    slug,
    owner,
    machine,
    canary,
    apiId: body.id as string,
    report: (calls: Partial<RecordedCall>[]) =>
      request(vault.app)
        .post('/internal/usage')
        .set('x-zeq-service', serviceToken(ANONYMOUS, 'forwarder'))
        .send(newBatch({ calls: calls.map((call) => newCall(body.id, call)) }))
        .expect(200),
    get: (query = '') => owner.get(path + query),
    page: async (query = ''): Promise<AuditPage> => (await owner.get(path + query).expect(200)).body,
  };
}

const faultsOf = ({ entries, head }: AuditPage) =>
  Promise.all(entries.map((entry) => checkAuditEntry(entry, head)));
const namesOf = ({ entries }: AuditPage) =>
  entries.map((entry) => (entry.kind === 'call' ? entry.number : entry.change.what));
const sound = (page: AuditPage) => page.entries.map(() => undefined);

describe('GET …/:id/audit', () => {
  it('shows every call and every change in their order, each with a proof that holds', async () => {
    const { report, page, owner, slug, machine, apiId } = await setup();
    await report([{ path: '/one' }, { path: '/two', outcome: 'refused', status: 429, code: 'rate_limited' }]);
    await owner.patch(`/api/zeq/apis/${slug}/openai`).send({ rate_limit_per_min: 7 }).expect(200);
    await owner.post(`/api/zeq/apis/${slug}/openai/tokens`).send({ name: 'app' }).expect(201);
    await report([{ path: '/three' }]);

    const body = await page();

    expect(AuditPage.parse(body)).toEqual(body);
    expect(namesOf(body)).toEqual([
      'machine_created',
      'key_minted',
      'api_registered',
      1,
      2,
      'api_changed',
      'token_minted',
      3,
    ]);
    expect(await faultsOf(body)).toEqual(sound(body));
    expect(body.entries[4]).toMatchObject({
      kind: 'call',
      call: { path: '/two', outcome: 'refused', status: 429, code: 'rate_limited' },
      page: { machine_id: machine.id, api_id: apiId, first: 1, calls: 2 },
    });
    expect(body.entries[5]).toMatchObject({
      change: {
        machine_id: machine.id,
        api_ids: [apiId],
        subject_id: apiId,
        by: { kind: 'owner', id: `key_${'k'.repeat(22)}` },
        details: {
          changed: ['rate_limit_per_min'],
          credential: 'kept',
          base_origin: 'https://api.openai.com',
        },
      },
    });
  });

  it('says what became of the credential', async () => {
    const { page, owner, slug, canary } = await setup();
    const patch = (body: object) => owner.patch(`/api/zeq/apis/${slug}/openai`).send(body).expect(200);
    await patch({ auth_header: `K: ${newCanary()}` });
    await patch({ base_url: 'https://api.example.com' });
    await patch({ policy: { concurrency: 3 } });
    await patch({ auth_header: `K: ${canary}` });

    const body = await page();

    const fates = body.entries.map((entry) => entry.kind === 'change' && entry.change.details.credential);
    expect(fates.filter((fate) => fate)).toEqual(['stored', 'replaced', 'dropped', 'none', 'stored']);
    expect(JSON.stringify(body)).not.toContain(canary);
  });

  it('goes on where the page before ended, whether between pages of calls or within one', async () => {
    const { report, page } = await setup();
    await report([{}, {}, {}, {}]);
    await report([{}, {}, {}]);

    const found: unknown[] = [];
    for (let next = '', turns = 0; turns < 20; turns += 1) {
      const body = await page(`?limit=2${next}`);
      found.push(...namesOf(body));
      if (body.next === null) break;
      next = `&after=${body.next}`;
    }

    expect(found).toEqual(['machine_created', 'key_minted', 'api_registered', 1, 2, 3, 4, 5, 6, 7]);
  });

  it('reads on over more leaves than it reads at once', async () => {
    const { report, page } = await setup();
    for (let i = 0; i < 70; i += 1) await report([{}]);

    const body = await page();

    expect(namesOf(body).slice(3)).toEqual(Array.from({ length: 70 }, (_, i) => i + 1));
    expect(await faultsOf(body)).toEqual(sound(body));
  });

  it('shows one call by its number, and what was recorded between two moments', async () => {
    const { report, page, get } = await setup();
    await report([{}, { path: '/this' }, {}]);

    const one = await page('?call=2');

    expect(one.entries).toEqual([expect.objectContaining({ number: 2 })]);
    expect(await faultsOf(one)).toEqual([undefined]);
    expect((await page('?from=2100-01-01T00:00:00.000Z')).entries).toEqual([]);
    expect((await page('?to=2000-01-01T00:00:00.000Z')).entries).toEqual([]);
    expect((await get('?call=4').expect(404)).body.code).toBe('not_found');
    for (const query of ['?call=0', '?from=yesterday', '?after=x', '?limit=501', '?whatever=1'])
      expect((await get(query).expect(400)).body.code).toBe('invalid_query');
  });

  it('stays with the machine when the API is removed, by its id', async () => {
    const { report, owner, slug, apiId, get } = await setup();
    await report([{}]);
    await owner.delete(`/api/zeq/apis/${slug}/openai`).expect(204);

    const { body } = await owner.get(`/api/zeq/apis/${slug}/${apiId}/audit`).expect(200);

    expect(namesOf(body)).toEqual(['machine_created', 'key_minted', 'api_registered', 1, 'api_removed']);
    expect(await faultsOf(body)).toEqual(sound(body));
    await get().expect(404);
    const other = await vault.newMachine();
    await other.owner.get(`/api/zeq/apis/${other.slug}/${apiId}/audit`).expect(404);
  });

  it('is proven against the head that the clock took last, and shows what came later when it takes the next', async () => {
    const { report, page, get } = await setup();
    await report([{}]);
    await close(1_000);
    await report([{}, {}]);

    const before = await page();
    await get('?call=2').expect(404);
    await close(1_001);
    const after = await page();

    expect([before.head.zeqond, after.head.zeqond]).toEqual([1_000, 1_001]);
    expect(namesOf(before)).toEqual(['machine_created', 'key_minted', 'api_registered', 1]);
    expect(namesOf(after).slice(3)).toEqual([1, 2, 3]);
    expect(await faultsOf(after)).toEqual(sound(after));
  });

  it('is proven against the newest head, for which no clock vouches, when none has asked for five seconds', async () => {
    const { report, page } = await setup();
    await close(2_000);
    await report([{}]);
    now = new Date(now.getTime() + 5_000);

    const body = await page();

    expect(body.head.zeqond).toBeNull();
    expect(namesOf(body).at(-1)).toBe(1);
    expect(await faultsOf(body)).toEqual(sound(body));
  });

  it('tells what was changed in the database', async () => {
    const { report, page, owner, slug, apiId } = await setup();
    await report([{}, {}]);
    await owner.patch(`/api/zeq/apis/${slug}/openai`).send({ rate_limit_per_min: 7 }).expect(200);
    const { db } = vault;
    const [saved] = await db.query('SELECT calls FROM activity_pages WHERE api_id = $1', [apiId]);
    const { packCalls } = await import('../src/store/sql/call-pages.ts');
    const calls = (await page()).entries.flatMap((entry) => (entry.kind === 'call' ? [entry.call] : []));
    const write = (edited: object[]) =>
      db.query(`UPDATE activity_pages SET calls = decode($2, 'base64') WHERE api_id = $1`, [
        apiId,
        packCalls(edited.map((call) => JSON.stringify(call))),
      ]);

    await write([calls[0]!, { ...calls[1]!, bytes_out: 1 }]);
    const edited = await faultsOf(await page());
    await write([calls[1]!, calls[0]!]);
    const swapped = await faultsOf(await page());
    await write([calls[1]!]);
    const cut = await page();
    const cutFaults = await faultsOf(cut);
    await db.query('UPDATE activity_pages SET calls = $2 WHERE api_id = $1', [apiId, saved!.calls]);
    await db.query(
      `UPDATE audit_changes SET change = replace(change, '"api_changed"', '"api_registered"') WHERE machine_id = $1`,
      [(await page()).entries.find((entry) => entry.kind === 'call')!.page.machine_id],
    );
    const reworded = await faultsOf(await page());

    expect(edited).toEqual([undefined, undefined, undefined, 'log', 'log', undefined]);
    expect(swapped).toEqual([undefined, undefined, undefined, 'log', 'log', undefined]);
    expect(cutFaults).toEqual([undefined, undefined, undefined, 'log', undefined]);
    expect(namesOf(cut)[3]).toBe(2); // and the first is missing
    expect(reworded).toEqual([undefined, undefined, undefined, undefined, undefined, 'log']);
  });

  it('holds no secret of any kind', async () => {
    const { owner, slug, page, canary } = await setup();
    const minted = await owner.post(`/api/zeq/machines/${slug}/keys`).send({ scope: 'read' }).expect(201);
    const app = await owner.post(`/api/zeq/apis/${slug}/openai/tokens`).send({}).expect(201);

    const text = JSON.stringify(await page());

    for (const secret of [canary, minted.body.api_key, app.body.token])
      expect(text).not.toContain(secret.slice(-16));
  });
});

describe('GET /api/zeq/audit/head', () => {
  it('shows that the log only grew since any earlier size', async () => {
    const { owner, report } = await setup();
    const head = async (query = ''): Promise<AuditGrowth> =>
      (await owner.get(`/api/zeq/audit/head${query}`).expect(200)).body;
    const heads = [(await head()).head];
    for (const calls of [1, 2, 5]) {
      await report(Array.from({ length: calls }, () => ({})));
      now = new Date(now.getTime() + 6_000);
      heads.push((await head()).head);
    }

    for (const earlier of heads) {
      const grown = await head(`?since=${earlier.size}`);
      expect(AuditGrowth.parse(grown)).toEqual(grown);
      expect(await logHasGrown(earlier, grown.head, grown.path!)).toBe(true);
      expect(await logHasGrown({ ...earlier, root: heads[0]!.root }, grown.head, grown.path!)).toBe(
        earlier === heads[0],
      );
    }
    expect((await owner.get('/api/zeq/audit/head?since=999999').expect(400)).body.code).toBe('invalid_query');
  });

  it('no longer shows it after the log was rewritten', async () => {
    const { owner, report } = await setup();
    await report([{}, {}]);
    now = new Date(now.getTime() + 6_000);
    const { head } = (await owner.get('/api/zeq/audit/head').expect(200)).body as AuditGrowth;
    await vault.db.query(
      `UPDATE audit_nodes SET hash = decode(repeat('ab', 32), 'hex') WHERE level = 0 AND place = 0`,
    );
    await vault.db.query(`UPDATE audit_nodes SET hash = decode(repeat('cd', 32), 'hex') WHERE level > 0`);
    await report([{}]);

    const grown = (await owner.get(`/api/zeq/audit/head?since=${head.size}`).expect(200)).body as AuditGrowth;

    expect(await logHasGrown(head, grown.head, grown.path!)).toBe(false);
  });
});

describe('POST /internal/audit/close', () => {
  it('is for the clock alone', async () => {
    for (const iss of ['gateway', 'forwarder', 'operator-engine'] as const)
      await request(vault.app)
        .post('/internal/audit/close')
        .set('x-zeq-service', serviceToken(OPERATOR, iss))
        .send({ zeqond: 1 })
        .expect(401);
  });
});
