import { jest } from '@jest/globals';
import type { ApiView } from '@zeq/contracts';
import { boundColumns } from '../src/credentials/bound-columns.ts';
import { newApi } from './store.contract.ts';
import { newCanary, openTestVault, type TestVault } from './support/test-vault.ts';

jest.setTimeout(30_000);

let vault: TestVault;
beforeAll(async () => {
  vault = await openTestVault();
});
afterAll(() => vault.close());

type Made = Awaited<ReturnType<TestVault['newMachine']>>;

async function register(made: Made, over: object = {}): Promise<ApiView> {
  const res = await made.owner
    .post(`/api/zeq/apis/${made.slug}`)
    .send({
      name: `n-${newCanary().slice(-9).toLowerCase().replaceAll('_', '-')}`,
      provider: 'openai',
      base_url: 'https://api.example.com/v1',
      auth_header: `Authorization: Bearer ${newCanary()}`,
      schema: { a: 1 },
      ...over,
    })
    .expect(201);
  return res.body;
}

const statesOf = async ({ owner, slug }: Made): Promise<Record<string, string>> => {
  const res = await owner.get(`/api/zeq/apis/${slug}`).expect(200);
  return Object.fromEntries((res.body as ApiView[]).map((api) => [api.id, api.auth_state]));
};

const edit = (id: string, assignment: string, value: unknown) =>
  vault.db.query(`UPDATE user_external_apis SET ${assignment} WHERE id = $1`, [id, value]);

/** A value for each column of the row that somebody with access to the database might write there. */
const EDITS: [column: string, value: unknown][] = [
  ['name', 'another'],
  ['provider', 'mistral'],
  ['provider', null],
  ['base_url', 'https://evil.example.net/v1'],
  ['base_url', 'https://api.example.com/v2'],
  ['base_origin', 'https://evil.example.net'],
  ['auth_shape', '{"type":"header","name":"X-Other"}'],
  ['auth_shape', '{"type":"query","name":"key"}'],
  ['auth_shape', null],
  ['auth_hint', '…none'],
  ['warnings', '["a lie"]'],
  ['warnings', 'no JSON'],
  ['rate_limit_per_min', 1_000_000],
  ['extra_headers', '{"X-Evil":"1"}'],
  ['policy', '{}'],
  ['policy', 'no JSON'],
  ['schema', '{"a":2}'],
  ['schema', '{"a": 1}'],
  ['created_at', new Date('2020-01-01T00:00:00Z')],
  ['created_at', 'infinity'],
  ['updated_at', new Date('2020-01-01T00:00:00Z')],
  ['auth_header_enc', Buffer.alloc(100)],
  ['auth_header_enc', Buffer.alloc(0)],
  ['auth_header_enc', Buffer.alloc(4097 + 48)],
  ['auth_header_enc', Buffer.alloc(60_000)],
  ['auth_header_iv', Buffer.alloc(12)],
  ['auth_header_iv', Buffer.alloc(16)],
  ['auth_header_iv', Buffer.alloc(0)],
  ['auth_header_kid', '0123456789abcdef'],
  ['auth_header_kid', ''],
];

describe('a row that was edited in the database', () => {
  it.each(EDITS)('does not open when %s was set to %p, and its list is whole', async (column, value) => {
    const made = await vault.newMachine();
    const [edited, other] = [await register(made), await register(made)];

    await edit(edited.id, `${column} = $2`, value);

    expect(await statesOf(made)).toEqual({ [edited.id]: 'needs_new_header', [other.id]: 'ok' });
    const shown = await made.owner.get(`/api/zeq/apis/${made.slug}/${edited.id}`).expect(200);
    expect(shown.body).toMatchObject({ has_auth_header: true, auth_state: 'needs_new_header' });
  });

  it('is covered column by column: whatever the table has is bound, or is the credential itself', async () => {
    const rows = await vault.db.query(
      "SELECT column_name FROM information_schema.columns WHERE table_name = 'user_external_apis'",
    );

    const columns = rows.map((row) => String(row.column_name)).sort();

    const credential = ['auth_header_enc', 'auth_header_iv', 'auth_header_kid'];
    expect(columns).toEqual([...Object.keys(boundColumns(newApi('mch_x'))), ...credential].sort());
    const edited = new Set([...EDITS.map(([column]) => column), 'id', 'machine_id']); // those two: see the swaps below
    expect(columns.filter((column) => !edited.has(column))).toEqual([]);
  });

  it.each([0, 31, 32, 47, 48, -1])('does not open with the bit at %i flipped', async (at) => {
    const made = await vault.newMachine();
    const api = await register(made);

    await edit(
      api.id,
      `auth_header_enc = set_byte(auth_header_enc, (length(auth_header_enc) + $2) % length(auth_header_enc),
        get_byte(auth_header_enc, (length(auth_header_enc) + $2) % length(auth_header_enc)) # 1)`,
      at,
    );

    expect(await statesOf(made)).toEqual({ [api.id]: 'needs_new_header' });
  });

  it('does not open when its credential was swapped with another row’s, of the same or another machine', async () => {
    const [one, two] = [await vault.newMachine(), await vault.newMachine()];
    const rows = [await register(one), await register(one), await register(two)];
    const [mine, sibling, foreign] = rows.map(({ id }) => id);

    for (const from of [sibling, foreign]) {
      await vault.db.query(SWAP, [mine, from]);
      expect((await statesOf(one))[mine!]).toBe('needs_new_header');
    }
    await vault.db.query(SWAP, [foreign, sibling]);
    expect((await statesOf(two))[foreign!]).toBe('needs_new_header');
  });

  it('does not open when the row was given to another machine', async () => {
    const [one, two] = [await vault.newMachine(), await vault.newMachine()];
    const api = await register(one);

    await edit(api.id, 'machine_id = $2', two.machine.id);

    expect(await statesOf(two)).toEqual({ [api.id]: 'needs_new_header' });
  });

  it('does not open under another salt', async () => {
    const made = await vault.newMachine();
    const api = await register(made);

    await vault.db.query('UPDATE machines SET kdf_salt = $2 WHERE id = $1', [
      made.machine.id,
      Buffer.alloc(32, 7),
    ]);

    expect(await statesOf(made)).toEqual({ [api.id]: 'needs_new_header' });
  });

  it('stays closed through a PATCH of something else, and is whole again with a new header', async () => {
    const made = await vault.newMachine();
    const api = await register(made);
    await edit(api.id, 'base_url = $2', 'https://evil.example.net');
    const path = `/api/zeq/apis/${made.slug}/${api.id}`;

    const patched = await made.owner.patch(path).send({ rate_limit_per_min: 3 }).expect(200);
    const healed = await made.owner
      .patch(path)
      .send({ base_url: 'https://api.example.com', auth_header: `X-Key: ${newCanary()}` })
      .expect(200);

    expect(patched.body.auth_state).toBe('needs_new_header');
    expect(healed.body.auth_state).toBe('ok');
  });

  it('is told apart in the log alone', async () => {
    const made = await vault.newMachine();
    const api = await register(made);
    await edit(api.id, 'auth_header_kid = $2', '0123456789abcdef');

    await statesOf(made);

    const line = vault.logLines.findLast((text) => text.includes('a credential does not open'));
    expect(JSON.parse(line ?? '')).toMatchObject({ api_id: api.id, reason: 'unknown_key' });
  });
});

const SWAP = `UPDATE user_external_apis a
  SET auth_header_enc = b.auth_header_enc, auth_header_iv = b.auth_header_iv, auth_header_kid = b.auth_header_kid
  FROM user_external_apis b WHERE a.id = $1 AND b.id = $2`;
