import { type Lease, leaseContext } from '@zeq/contracts';
import type { LeaseRecipient, OpenedLease } from '@zeq/crypto';
import { type EgressRules, type ParsedBaseUrl, parseBaseUrl } from '@zeq/egress';
import type { ApiState } from '../limits/api-state.ts';
import { LeasedSecrets } from '../redaction/leased-secrets.ts';
import { canonicalName } from '../request/request-head.ts';
import { usableExtraHeaders } from '../request/request-headers.ts';
import type { UpstreamPool } from '../upstream/pools.ts';

/** Where the credential goes. */
export type Injection = { kind: 'header'; name: string; canonical: string } | { kind: 'query'; name: string };

/** A lease made ready for calls: what can be worked out once is worked out here, not at every call. */
export interface LeasedApi {
  lease: Lease;
  base: ParsedBaseUrl;
  inject: Injection | undefined;
  credential: OpenedLease | undefined;
  /** What must not come back in an answer. */
  secrets: LeasedSecrets | undefined;
  extraHeaders: readonly { name: string; canonical: string; value: string }[];
  /** Counters of this API; they outlive the lease. */
  state: ApiState;
  /** The addresses that were checked last for this lease, and the pool to the one in use. */
  route: { addresses: readonly string[]; pool: UpstreamPool } | undefined;
}

/** @throws LeaseError if the credential was not sealed to this process, or for something else. */
export function prepareLease(
  lease: Lease,
  recipient: LeaseRecipient,
  rules: EgressRules,
  state: ApiState,
): LeasedApi {
  const inject = injectionOf(lease);
  const context = Buffer.from(leaseContext(lease), 'utf8');
  const credential = lease.credential === null ? undefined : recipient.accept(lease.credential, context);
  return {
    lease,
    base: parseBaseUrl(lease.base_url, rules),
    inject,
    credential,
    secrets: credential && new LeasedSecrets(credential),
    extraHeaders: usableExtraHeaders(
      lease.extra_headers,
      inject?.kind === 'header' ? inject.canonical : undefined,
    ),
    state,
    route: undefined,
  };
}

function injectionOf({ auth_shape: shape, credential }: Lease): Injection | undefined {
  if (shape === null || credential === null) return undefined;
  if (shape.type === 'query') return { kind: 'query', name: shape.name };
  const name = shape.type === 'basic' ? 'Authorization' : shape.name;
  return { kind: 'header', name, canonical: canonicalName(name) };
}
