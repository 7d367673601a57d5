import { type ApiView, Lease, leaseContext, SERVICE_TOKEN_HEADER } from '@zeq/contracts';
import { LeaseRecipient } from '@zeq/crypto';
import { ServiceTokenSigner } from '@zeq/service-kit';
import { Pool } from 'undici';
import { expectJson, type Tenant } from '../tenant.ts';
import type { Verdict } from '../verdict.ts';

const AT_ONCE = 8;

/**
 * Every credential whose registration was acknowledged is there and opens, as a forwarder would find it: by a lease from the
 * vault. So does every other row that is there: what nobody was told of may have been written, but not by half.
 */
export async function judgeRows(verdict: Verdict, tenants: readonly Tenant[]): Promise<void> {
  for (const tenant of tenants) {
    const rows = await listed(tenant);
    const acknowledged = [...tenant.secrets.keys()];
    const names = [...new Set([...acknowledged, ...rows])];
    const lost = await unopened(tenant, names);
    verdict.none(
      `credentials of ${tenant.slug} that do not open, of ${names.length} (${acknowledged.length} acknowledged)`,
      lost,
    );
  }
}

/** The names of all rows, whether their callers were told of them or not. */
async function listed({ slug, call }: Tenant): Promise<string[]> {
  const names: string[] = [];
  for (let path: string | undefined = `/api/zeq/apis/${slug}?limit=1000`; path !== undefined; ) {
    const answer = await call('GET', path);
    path = /<([^>]+)>;\s*rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
    names.push(...(await expectJson<ApiView[]>(200, answer)).map(({ name }) => name));
  }
  return names;
}

async function unopened({ mesh, machineId, secretOf }: Tenant, wanted: readonly string[]): Promise<string[]> {
  const recipient = new LeaseRecipient();
  const extra = { lease_key: recipient.publicKey };
  const signer = new ServiceTokenSigner('forwarder', mesh.secrets.ZEQ_INTERNAL_SECRET, extra);
  const pool = new Pool(mesh.urlOf('byok-vault'), { connections: AT_ONCE });
  const lost: string[] = [];
  const names = [...wanted];
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
      else if (openLease(text, recipient) !== secretOf(name)) lost.push(`${name}: another credential`);
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
