import type { SlowUpstream } from '../../e2e/src/start-slow-upstream.ts';
import type { DnsStub } from '../../services/forwarder/test/dns-stub.ts';
import type { CallRules } from './judge/calls.ts';
import type { Rates, StandingLoad } from './load/standing-load.ts';
import type { FaultMesh } from './mesh.ts';
import type { Postgres } from './postgres.ts';
import type { Random } from './random.ts';
import type { TcpProxy } from './tcp-proxy.ts';
import type { Tenant } from './tenant.ts';
import type { Upstream } from './upstream.ts';
import type { Verdict } from './verdict.ts';

/** What an experiment works with. The mesh is up and the standing load runs when it begins. */
export interface Stage {
  whole: boolean;
  seed: number;
  random: Random;
  verdict: Verdict;
  mesh: FaultMesh;
  tenant: Tenant;
  /** Another machine, with an API `steady` of its own. */
  newTenant: (slug: string) => Promise<Tenant>;
  upstream: Upstream;
  load: StandingLoad;
  /** The mesh's database; undefined on PGlite. */
  postgres: { server: Postgres; database: string } | undefined;
  /** In front of the database where the experiment asks for it. */
  databaseProxy: TcpProxy | undefined;
  /** In front of the upstream, on a port that the egress guard lets through. */
  upstreamProxy: TcpProxy;
  /** In a process of its own, for very many calls; where the experiment asks for it. */
  slowUpstream: SlowUpstream | undefined;
  /** The name server of the mesh. */
  dns: DnsStub;
  /** The short form's figure, or the whole one's. */
  pick: <T>(short: T, whole: T) => T;
  say: (text: string) => void;
}

/** One named experiment: what is injected, and what must hold. What holds after every experiment is judged for all of them. */
export interface Experiment {
  name: string;
  injects: string;
  passes: string;
  /** PostgreSQL is what is hurt. */
  needsPostgres?: true;
  /** The mesh reaches its database through `stage.databaseProxy`. */
  slowDatabase?: true;
  /** Very many calls go to `stage.slowUpstream`. */
  slowUpstream?: true;
  /** Services can be replaced without a gap, as in a rolling upgrade. */
  doors?: true;
  /** Services collect their garbage at SIGUSR2. */
  collectsOnSignal?: true;
  /** What a process may hold more afterwards than after the standing load: pages that V8 keeps of what very many connections took. */
  keepsBytes?: number;
  /** Other traffic than the standing load's. */
  rates?: Partial<Rates>;
  /** @returns What the calls of the standing load may have met. */
  run: (stage: Stage) => Promise<CallRules>;
}
