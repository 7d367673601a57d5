import type { SecureContext } from 'node:tls';
import type { DraftApi, Lease } from '@zeq/contracts';
import type { LeaseRecipient } from '@zeq/crypto';
import type { EgressRules } from '@zeq/egress';
import type { Logger, RedisLink, VaultFeed } from '@zeq/service-kit';
import { Guard } from './decision/guard.ts';
import { LiveCalls } from './decision/live-calls.ts';
import { Outbound } from './decision/outbound.ts';
import { recheckOpenCalls } from './decision/recheck.ts';
import { LeaseCache } from './leases/lease-cache.ts';
import { type LeasedApi, prepareLease } from './leases/leased-api.ts';
import type { LeaseSource, Standing } from './leases/vault-client.ts';
import { ApiStates } from './limits/api-state.ts';
import { LocalWindows, ReplicatedWindows } from './limits/call-windows.ts';
import { CircuitWatch } from './limits/circuit-watch.ts';
import { Tenants } from './limits/tenants.ts';
import type { ConnectTcp } from './upstream/dial.ts';
import { Pools } from './upstream/pools.ts';
import type { NameResolver } from './upstream/resolve.ts';

export interface DataPlaneOptions {
  vault: LeaseSource & Standing;
  feed: VaultFeed;
  recipient: LeaseRecipient;
  rules: EgressRules;
  resolver: NameResolver;
  secureContext: SecureContext;
  connect: ConnectTcp;
  maxCalls: number;
  canRecord: (open: number) => boolean;
  /** Where replicas count together; without it this process counts for itself. */
  redis?: RedisLink | undefined;
  /** Monotonic ms, for circuits; the process's own where it is not given. */
  now?: () => number;
  log: Logger;
}

/** Everything that calls share, tied to the vault's changes. */
export interface DataPlane {
  outbound: Outbound;
  pools: Pools;
  live: LiveCalls;
  leases: LeaseCache;
  circuits: CircuitWatch;
  /** Closes the connections to upstreams. First nobody may be there who could call, or a call is broken off. */
  close: () => Promise<void>;
}

export function buildDataPlane(options: DataPlaneOptions): DataPlane {
  const { vault, feed, recipient, rules, resolver, secureContext, connect, maxCalls, redis, canRecord } =
    options;
  const circuits = new CircuitWatch(options.log);
  const now = options.now ?? (() => performance.now());
  const states = new ApiStates({ now, circuitChanged: (id, to) => circuits.changed(id, to) });
  const tenants = new Tenants();
  const windows = redis === undefined ? new LocalWindows() : new ReplicatedWindows(redis);
  const live = new LiveCalls();
  const closing = new AbortController();
  const pools = new Pools({ secureContext, connect });
  const prepare = (lease: Lease) =>
    prepareLease(lease, recipient, rules, states.of(lease.api_id, performance.now()));
  const leases = new LeaseCache(vault, feed, prepare);
  const guard = new Guard(resolver, rules);
  const leaseDraft = async (machineId: string, draft: DraftApi) => {
    const lease = await vault.draft(machineId, draft);
    // counted together: each draft has an id of its own
    const state = states.of(`drafts of ${machineId}`, performance.now());
    return lease && neverHeldBack(prepareLease(lease, recipient, rules, state));
  };
  const outbound = new Outbound({
    leases,
    leaseDraft,
    guard,
    states,
    tenants,
    windows,
    live,
    maxCalls,
    canRecord,
  });
  feed.on('change', (change) => {
    leases.forget(change);
    live.revoke(change);
    if (change.what === 'api_changed') states.changed(change.id);
  });
  feed.on('reset', () => {
    leases.clear();
    void recheckOpenCalls(vault, live, options.log, closing.signal);
  });
  const close = async () => {
    closing.abort();
    live.close();
    resolver.cancel();
    await pools.close();
  };
  return { outbound, pools, live, leases, circuits, close };
}

/** Drafts are counted together, but one that fails says nothing about the next. */
function neverHeldBack(draft: LeasedApi): LeasedApi {
  const { lease } = draft;
  return { ...draft, lease: { ...lease, policy: { ...lease.policy, circuit_failures: 0 } } };
}
