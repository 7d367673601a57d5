import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment } from './experiment.ts';
import { footprints, judgeBaseline } from './judge/baseline.ts';
import { judgeCalls } from './judge/calls.ts';
import { judgeChain } from './judge/chain.ts';
import { judgeRows } from './judge/rows.ts';
import { judgeFiles } from './judge/sweep.ts';
import { SHORT, StandingLoad, WHOLE } from './load/standing-load.ts';
import { FaultMesh } from './mesh.ts';
import type { Postgres } from './postgres.ts';
import { randomFrom } from './random.ts';
import { createTenant, newCanary } from './tenant.ts';
import { Upstream } from './upstream.ts';
import { Verdict } from './verdict.ts';

export interface RunOptions {
  whole: boolean;
  seed: number;
  /** Times that are judged are multiplied by this. */
  patience: number;
  /** Without one the mesh runs on PGlite. */
  server: Postgres | undefined;
  say: (text: string) => void;
}

/** Starts a mesh, puts it under the standing load, lets the experiment hurt it, and judges what came of it. */
export async function runExperiment(experiment: Experiment, options: RunOptions): Promise<Verdict> {
  const { whole, seed, patience, server, say } = options;
  const verdict = new Verdict(patience);
  const canary = newCanary();
  const folder = mkdtempSync(join(tmpdir(), 'zeq-faults-'));
  const upstream = await new Upstream((key) => key.startsWith(canary)).open();
  const database = `f_${seed}_${experiment.name.toLowerCase()}`;
  const databaseUrl = await server?.createDatabase(database);
  let mesh: FaultMesh | undefined;
  try {
    const extra = (await experiment.env?.({ upstream, databaseUrl })) ?? {};
    mesh = await FaultMesh.start({ folder, env: { ...environment(upstream, databaseUrl), ...extra } });
    const tenant = await createTenant(mesh, 'standing', upstream.origin, canary);
    const load = new StandingLoad(tenant, { ...(whole ? WHOLE : SHORT), ...experiment.rates });
    load.start();
    await sleep(whole ? 10_000 : 1_500); // warm: leases held, connections kept, code compiled
    const before = footprints(mesh);
    const rules = await experiment.run({
      ...{ whole, seed, verdict, mesh, tenant, upstream, load, say },
      random: randomFrom(seed),
      postgres: server && { server, database },
      pick: (short, long) => (whole ? long : short),
    });
    await sleep(whole ? 5_000 : 500);
    await load.stop();
    judgeCalls(verdict, load.calls, rules);
    verdict.none('calls that came to the upstream more than once', upstream.duplicates());
    verdict.none(
      'echoes out of order',
      load.talkers.flatMap(({ faults }) => faults),
    );
    verdict.none('processes that ended by themselves', mesh.surprises);
    await judgeRows(verdict, [tenant]);
    await judgeChain(
      verdict,
      mesh,
      load.readers.flatMap(({ shown }) => shown),
    );
    await judgeBaseline(verdict, mesh, upstream, before);
    await mesh.stop();
    await server?.run('CHECKPOINT');
    await judgeFiles(verdict, [folder, ...(server ? [server.dataFolder] : [])], canary);
  } finally {
    await mesh?.stop();
    await experiment.close?.();
    await upstream.close();
    if (verdict.holds) rmSync(folder, { recursive: true, force: true });
    else say(`  logs and data: ${folder}`);
  }
  return verdict;
}

const environment = (upstream: Upstream, databaseUrl: string | undefined): Record<string, string> => ({
  LOG_LEVEL: 'trace',
  ZEQ_EGRESS_ALLOW: `127.0.0.1:${upstream.port}`,
  ZEQ_SYNC_UID: 'faults',
  ZEQ_SYNC_SIGNING_KEY: '42'.repeat(32),
  ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
});
