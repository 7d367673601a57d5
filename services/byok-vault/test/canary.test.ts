import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import request from 'supertest';
import { openEmbedded } from '../src/db/embedded.ts';
import { ANONYMOUS, OPERATOR, PLATFORM, serviceToken } from './support/callers.ts';
import { makeImage } from './support/embedded.ts';
import { newCanary, openTestVault } from './support/test-vault.ts';

jest.setTimeout(60_000);

/** A secret as it might lie about, cut into pieces of 12 bytes. */
function tracesOf(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const base64 = [0, 1, 2].map((shift) => bytes.subarray(shift).toString('base64').slice(0, 24));
  const forms = [
    secret,
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    [...secret].reverse().join(''),
    bytes.toString('utf8').split('').join('\0'),
    encodeURIComponent(secret),
  ];
  const windows = Array.from({ length: bytes.length - 11 }, (_, i) => secret.slice(i, i + 12));
  return [...new Set([...forms, ...windows])];
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('a credential that is registered, used, changed and removed', () => {
  it('is in no answer, no log line, no metric and no file of the database', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'byok-vault-canary-'));
    const vault = await openTestVault({ db: await openEmbedded(dataDir, await makeImage()) });
    const { owner, slug, machine } = await vault.newMachine();
    const answers: string[] = [];
    const canaries = Array.from({ length: 6 }, newCanary);
    const [line, query, password, next, refused, broken] = canaries as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    const path = `/api/zeq/apis/${slug}`;
    const base = { base_url: 'https://api.example.com' };
    const note = (res: { headers: object; text: string }) =>
      void answers.push(JSON.stringify(res.headers) + res.text);
    const post = async (body: object) => note(await owner.post(path).send(body));

    await post({ ...base, name: 'line', auth_header: `Authorization: Bearer ${line}` });
    await post({ ...base, name: 'query', auth: { type: 'query', name: 'key', value: query } });
    await post({ ...base, name: 'basic', auth: { type: 'basic', username: 'u', password } });
    await post({ ...base, name: 'line', auth_header: `Authorization: Bearer ${refused}` }); // taken
    await post({ ...base, name: 'bad', auth_header: `Host: ${refused}` });
    await post({ ...base, name: 'bad', auth_header: `X-Key: ${refused}\r\n` });
    await post({ name: 'bad', base_url: `https://user:${refused}@example.com`, api_key: refused });
    await post({ name: refused, base_url: refused, auth_header: { value: refused } });
    note(await owner.post(path).type('json').send(`{"auth_header": "X: ${refused}"`));
    note(await owner.patch(`${path}/line`).send({ auth_header: `X-Key: ${next}` }));
    note(await owner.patch(`${path}/query`).send({ rate_limit_per_min: 5 }));
    await post({ ...base, name: 'broken', auth_header: `X-Key: ${broken}` });
    await vault.db.query(
      "UPDATE user_external_apis SET base_url = 'https://evil.example' WHERE name = 'broken'",
    );
    note(await owner.get(path));
    for (const name of ['line', 'query', 'basic', 'broken']) {
      note(await owner.get(`${path}/${name}`));
      const token = serviceToken(ANONYMOUS, 'forwarder', 'A'.repeat(43)); // a key of low order
      const lease = { machine_id: machine.id, api: name };
      note(await request(vault.app).post('/internal/leases').set('x-zeq-service', token).send(lease));
    }
    note(await vault.as(OPERATOR).post(`/api/zeq/admin/machines/${slug}/rotate-salt`));
    note(await vault.as(OPERATOR).get('/api/zeq/admin/rotate-field-key'));
    note(await vault.as(PLATFORM).post('/api/zeq/machines').send({ slug: refused }));
    note(await owner.delete(`${path}/basic`));
    note(await request(vault.app).get('/metrics'));
    const dump = JSON.stringify(await vault.db.query('SELECT * FROM user_external_apis'));
    await vault.db.query('CHECKPOINT');
    await vault.close();

    const places: [string, Buffer][] = [
      ['an answer', Buffer.from(answers.join('\n'))],
      ['the log', Buffer.from(vault.logLines.join(''))],
      ['a dump', Buffer.from(dump)],
      ...filesUnder(dataDir).map((file): [string, Buffer] => [file, readFileSync(file)]),
    ];
    const hits = places.flatMap(([place, bytes]) =>
      canaries.flatMap((canary, i) =>
        tracesOf(canary)
          .filter((trace) => bytes.includes(trace, 0, 'latin1'))
          .map(() => `canary ${i} in ${place}`),
      ),
    );
    rmSync(dataDir, { recursive: true });
    expect(answers.length).toBeGreaterThan(20);
    expect([...new Set(hits)]).toEqual([]);
  });
});
