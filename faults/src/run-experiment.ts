import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSlowUpstream } from '../../e2e/src/start-slow-upstream.ts';
import { DnsStub } from '../../services/forwarder/test/dns-stub.ts';
import type { Experiment } from './experiment.ts';
import { footprints, judgeBaseline } from './judge/baseline.ts';
import { isRefusedRightly, judgeCalls } from './judge/calls.ts';
import { judgeChain } from './judge/chain.ts';
import { judgeRecord, logHead } from './judge/record.ts';
import { judgeRows } from './judge/rows.ts';
import { judgeFiles } from './judge/sweep.ts';
import type { Call } from './load/call.ts';
import { SHORT, StandingLoad, WHOLE } from './load/standing-load.ts';
import { FaultMesh } from './mesh.ts';
import type { Postgres } from './postgres.ts';
import { randomFrom } from './random.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { createTenant, newCanary } from './tenant.ts';
import { Upstream } from './upstream.ts';
import { Verdict } from './verdict.ts';

const COLLECT_ON_SIGNAL = new URL('./collect-on-signal.ts', import.meta.url).href;

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
  const verdict = new Verdict(options.patience);
  const canary = newCanary();
  const surroundings = await openSurroundings(experiment, options, canary);
  try {
    await hurtAndJudge(experiment, options, surroundings, verdict, canary);
  } finally {
    await surroundings.close();
    if (verdict.holds) rmSync(surroundings.folder, { recursive: true, force: true });
    else options.say(`  logs and data: ${surroundings.folder}`);
  }
  return verdict;
}

type Surroundings = Awaited<ReturnType<typeof openSurroundings>>;

/** All that stands around the mesh: its folder, its database, the upstream, proxies, a name server. */
async function openSurroundings(experiment: Experiment, { seed, server }: RunOptions, canary: string) {
  const folder = mkdtempSync(join(tmpdir(), 'zeq-faults-'));
  const upstream = await new Upstream((key) => key.startsWith(canary)).open();
  const upstreamProxy = await new TcpProxy(upstream.port).open();
  const slowUpstream = experiment.slowUpstream ? await startSlowUpstream() : undefined;
  const dns = new DnsStub();
  const nameServer = await dns.open();
  const database = `f_${seed}_${experiment.name.toLowerCase()}`;
  await server?.createDatabase(database);
  const databaseProxy =
    server && experiment.slowDatabase ? await new TcpProxy(server.port).open() : undefined;
  const env: Record<string, string> = {
    LOG_LEVEL: 'trace',
    ZEQ_DNS_SERVERS: nameServer,
    ZEQ_EGRESS_ALLOW: [
      ...[upstream, upstreamProxy].map(({ port }) => `127.0.0.1:${port}`),
      `upstream.faults.example:${upstream.port}`,
      ...(slowUpstream ? [`127.0.0.1:${slowUpstream.port}`] : []),
    ].join(),
    ...(experiment.collectsOnSignal && { NODE_OPTIONS: `--import ${COLLECT_ON_SIGNAL}` }),
    ZEQ_SYNC_UID: 'faults',
    ZEQ_SYNC_SIGNING_KEY: '42'.repeat(32),
    ...(server && { DATABASE_URL: server.urlOf(database, databaseProxy?.port) }),
  };
  const close = async () => {
    await Promise.all([
      ...[upstream, upstreamProxy, databaseProxy, dns].map((each) => each?.close()),
      slowUpstream?.stop(),
    ]);
  };
  return { folder, upstream, upstreamProxy, databaseProxy, slowUpstream, dns, database, env, close };
}

async function hurtAndJudge(
  experiment: Experiment,
  { whole, seed, server, say }: RunOptions,
  { folder, env, database, close: _close, ...around }: Surroundings,
  verdict: Verdict,
  canary: string,
): Promise<void> {
  const { upstream } = around;
  const mesh = await FaultMesh.start({ folder, env, doors: experiment.doors });
  try {
    const newTenant = (slug: string) => createTenant(mesh, slug, upstream.origin, canary);
    const tenant = await newTenant('standing');
    const load = new StandingLoad(
      tenant,
      { ...(whole ? WHOLE : SHORT), ...experiment.rates },
      !experiment.doors,
    );
    load.start();
    await sleep(whole ? 10_000 : 1_500); // warm: leases held, connections kept, code compiled
    const before = footprints(mesh);
    const log = await logHead(tenant);
    const rules = await experiment.run({
      ...{ whole, seed, verdict, mesh, tenant, newTenant, load, say, ...around },
      random: randomFrom(seed),
      postgres: server && { server, database },
      pick: (short, long) => (whole ? long : short),
    });
    await sleep(whole ? 5_000 : 500);
    await load.stop();
    const known = (call: Call) => rules.mayRefuse?.(call) || isRefusedRightly(call, mesh.outages);
    judgeCalls(verdict, load.calls, { ...rules, mayRefuse: known });
    verdict.none('unsafe calls that came to the upstream more than once', upstream.duplicates());
    verdict.none(
      'echoes out of order',
      load.talkers.flatMap(({ faults }) => faults),
    );
    verdict.none('processes that ended by themselves', mesh.surprises);
    // before the judges ask for much themselves
    await judgeBaseline(verdict, { mesh, upstream }, before, {
      settleMs: whole ? 30_000 : 13_000, // connections that a crowd has used lie idle for ten seconds
      keepsBytes: whole ? experiment.keepsBytes : 0,
    });
    await judgeRecord(verdict, tenant, load.calls, rules.faults, log);
    await judgeRows(verdict, [tenant]);
    await judgeChain(
      verdict,
      mesh,
      load.readers.flatMap(({ shown }) => shown),
    );
  } finally {
    await mesh.stop();
  }
  if (server === undefined) return judgeFiles(verdict, [folder], canary);
  await server.end('fast'); // with a checkpoint; and files of a running server come and go
  try {
    await judgeFiles(verdict, [folder, server.dataFolder], canary);
  } finally {
    await server.begin();
  }
}
