import type { CallRules } from './judge/calls.ts';
import type { Rates, StandingLoad } from './load/standing-load.ts';
import type { FaultMesh } from './mesh.ts';
import type { Postgres } from './postgres.ts';
import type { Random } from './random.ts';
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
  upstream: Upstream;
  load: StandingLoad;
  /** The mesh's database; undefined on PGlite. */
  postgres: { server: Postgres; database: string } | undefined;
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
  /** Other traffic than the standing load's. */
  rates?: Partial<Rates>;
  /** Variables of the mesh, for example the address of a proxy in front of something. */
  env?: (parts: Parts) => Promise<Record<string, string>>;
  /** Ends what `env` or `run` opened. */
  close?: () => Promise<void>;
  /** @returns What the calls of the standing load may have met. */
  run: (stage: Stage) => Promise<CallRules>;
}

/** What stands before the mesh does. */
export interface Parts {
  upstream: Upstream;
  /** Where the mesh's database is, on PostgreSQL. */
  databaseUrl: string | undefined;
}
