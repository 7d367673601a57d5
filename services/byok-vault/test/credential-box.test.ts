import { randomBytes } from 'node:crypto';
import { KeyRing } from '@zeq/crypto';
import { buildLogger } from '@zeq/service-kit';
import { CredentialBox } from '../src/credentials/credential-box.ts';
import { Secret } from '../src/credentials/secret.ts';
import { buildVaultMetrics } from '../src/metrics.ts';
import type { StoredApi } from '../src/store/api-store.ts';
import { newApi, newMachine } from './store.contract.ts';

const TENANTS = 5;
const ROWS_EACH = 4;

const boxOf = (ring: KeyRing) => new CredentialBox(ring, buildVaultMetrics(), buildLogger('test', 'silent'));

/** Rows over several tenants, each with a credential of its own. */
function rowsIn(box: CredentialBox): StoredApi[] {
  return Array.from({ length: TENANTS }, () => newMachine()).flatMap(({ id, slug, kdfSalt }) =>
    Array.from({ length: ROWS_EACH }, (_, i) => {
      const row = newApi(id);
      const credential = box.encrypt(row, kdfSalt, Secret.fromText(`Bearer secret-${slug}-${i}`));
      return { ...row, credential, slug, tenantSalt: kdfSalt };
    }),
  );
}

const textOf = (secret: Secret | undefined) => secret?.reveal().toString('utf8');

describe('CredentialBox', () => {
  const box = boxOf(new KeyRing(randomBytes(32)));
  const rows = rowsIn(box);
  const pairs = rows.flatMap((row) =>
    rows.filter((other) => other !== row).map((other) => [row, other] as const),
  );

  it('opens what it encrypted, in its place', () => {
    expect(rows.map((row) => textOf(box.open(row)))).toEqual(
      rows.map((row, i) => `Bearer secret-${row.slug}-${i % ROWS_EACH}`),
    );
  });

  it('opens none of the 380 credentials that stand in another row, with its IV or with the row’s own', () => {
    expect(pairs).toHaveLength(380);
    for (const [row, other] of pairs) {
      const { ciphertext, kid } = other.credential!;
      expect(box.open({ ...row, credential: other.credential })).toBeUndefined();
      expect(box.open({ ...row, credential: { ciphertext, kid, iv: row.credential!.iv } })).toBeUndefined();
    }
  });

  it('opens none under another tenant’s salt or another master key', () => {
    const stranger = boxOf(new KeyRing(randomBytes(32)));

    for (const row of rows) {
      expect(box.open({ ...row, tenantSalt: randomBytes(32) })).toBeUndefined();
      expect(stranger.open(row)).toBeUndefined();
    }
  });

  it('opens none whose row differs in any bound column', () => {
    const [row] = rows as [StoredApi];
    const edits: Partial<StoredApi>[] = [
      { id: 'api_x' },
      { machineId: 'mch_x' },
      { name: 'x' },
      { provider: null },
      { baseUrl: 'https://api.example.com/v2' },
      { baseOrigin: 'https://api.example.org' },
      { authShape: null },
      { authHint: null },
      { warnings: '[ ]' },
      { rateLimitPerMin: 61 },
      { extraHeaders: '{}' },
      { policy: '{"spaces":"are kept"}' },
      { schema: null },
      { createdAt: new Date(row.createdAt.getTime() + 1) },
      { updatedAt: new Date(row.updatedAt.getTime() + 1) },
    ];

    for (const edit of edits) expect(box.open({ ...row, ...edit })).toBeUndefined();
  });

  it('opens what is empty or missing as nothing', () => {
    const [row] = rows as [StoredApi];
    const empty = Buffer.alloc(0);

    expect(box.open({ ...row, credential: null })).toBeUndefined();
    for (const credential of [
      { ...row.credential!, ciphertext: empty },
      { ...row.credential!, iv: empty },
      { ...row.credential!, kid: '' },
    ])
      expect(box.open({ ...row, credential })).toBeUndefined();
  });
});
