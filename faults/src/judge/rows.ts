import { Lease, leaseContext, SERVICE_TOKEN_HEADER } from '@zeq/contracts';
import { LeaseRecipient } from '@zeq/crypto';
import { ServiceTokenSigner } from '@zeq/service-kit';
import { Pool } from 'undici';
import type { Tenant } from '../tenant.ts';
import type { Verdict } from '../verdict.ts';

const AT_ONCE = 8;

/** Every credential whose registration was acknowledged is there and opens, as a forwarder would find it: by a lease from the vault. */
export async function judgeRows(verdict: Verdict, tenants: readonly Tenant[]): Promise<void> {
  for (const tenant of tenants) {
    const lost = await unopened(tenant);
    verdict.none(`credentials of ${tenant.slug} that do not open, of ${tenant.secrets.size}`, lost);
  }
}

async function unopened({ mesh, machineId, secrets }: Tenant): Promise<string[]> {
  const recipient = new LeaseRecipient();
  const extra = { lease_key: recipient.publicKey };
  const signer = new ServiceTokenSigner('forwarder', mesh.secrets.ZEQ_INTERNAL_SECRET, extra);
  const pool = new Pool(mesh.urlOf('byok-vault'), { connections: AT_ONCE });
  const lost: string[] = [];
  const names = [...secrets.keys()];
  const work = async () => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      const answer = await pool.request({
        method: 'POST',
        path: '/internal/leases',
        headers: {
          'content-type': 'application/json',
          [SERVICE_TOKEN_HEADER]: signer.sign('byok-vault', { kind: 'anonymous' }, 'anonymous'),
        },
        body: JSON.stringify({ machine_id: machineId, api: name }),
      });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) lost.push(`${name}: ${answer.statusCode}`);
      else if (openLease(text, recipient) !== secrets.get(name)) lost.push(`${name}: another credential`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await pool.destroy();
  return lost;
}

function openLease(text: string, recipient: LeaseRecipient): string | undefined {
  const lease = Lease.parse(JSON.parse(text));
  if (lease.credential === null) return undefined;
  const context = Buffer.from(leaseContext(lease), 'utf8');
  return Buffer.from(recipient.accept(lease.credential, context).open()).toString('latin1');
}
