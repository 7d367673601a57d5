import { jest } from '@jest/globals';
import { Lease, leaseContext } from '@zeq/contracts';
import { LeaseRecipient, newId } from '@zeq/crypto';
import request from 'supertest';
import { ANONYMOUS, serviceToken } from './support/callers.ts';
import { newCanary, openTestVault, type TestVault } from './support/test-vault.ts';

jest.setTimeout(30_000);

describe('POST /internal/drafts', () => {
  let vault: TestVault;
  beforeAll(async () => {
    vault = await openTestVault();
  });
  afterAll(() => vault.close());

  const recipient = new LeaseRecipient();
  const draft = (body: object, iss: 'forwarder' | 'gateway' = 'forwarder') =>
    request(vault.app)
      .post('/internal/drafts')
      .set('x-zeq-service', serviceToken(ANONYMOUS, iss, recipient.publicKey))
      .send(body);

  it('leases what is not registered to the forwarder that asks, and keeps nothing', async () => {
    const { machine, slug, owner } = await vault.newMachine();
    const canary = newCanary();

    const res = await draft({ machine_id: machine.id, api: { provider: 'anthropic', api_key: canary } });

    const lease = Lease.parse(res.body);
    expect(lease).toMatchObject({
      slug,
      base_url: 'https://api.anthropic.com',
      auth_state: 'ok',
      auth_shape: { type: 'header', name: 'x-api-key' },
      rate_limit_per_min: 30,
    });
    const aad = Buffer.from(leaseContext(lease), 'utf8');
    expect(recipient.accept(lease.credential!, aad).open().toString('latin1')).toBe(canary);
    expect((await owner.get(`/api/zeq/apis/${slug}`).expect(200)).body).toEqual([]);
    expect(res.text + vault.logLines.join('')).not.toContain(canary);
  });

  it.each([
    [
      'base_url_refused',
      { base_url: 'http://169.254.169.254', auth_header: 'Authorization: Bearer 0123456789' },
    ],
    ['auth_header_refused', { base_url: 'https://api.example.com', auth_header: 'Host: elsewhere.example' }],
    ['invalid_body', { auth_header: 'Authorization: Bearer 0123456789' }],
  ])('refuses with %s what could not be registered', async (code, api) => {
    const { machine } = await vault.newMachine();

    expect((await draft({ machine_id: machine.id, api })).body.code).toBe(code);
  });

  it('says that a credential is missing instead of calling without one', async () => {
    const { machine } = await vault.newMachine();

    const { body } = await draft({ machine_id: machine.id, api: { base_url: 'https://api.example.com' } });

    expect(body).toMatchObject({ auth_state: 'missing', credential: null });
  });

  it('is for forwarders, and for machines that exist', async () => {
    const api = { base_url: 'https://api.example.com' };

    expect((await draft({ machine_id: newId('mch'), api })).status).toBe(404);
    expect((await draft({ machine_id: newId('mch'), api }, 'gateway')).status).toBe(401);
  });
});
