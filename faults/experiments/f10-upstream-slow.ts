import { setTimeout as sleep } from 'node:timers/promises';
import { headOf, rawTarget } from '../../e2e/src/raw-call.ts';
import type { SlowUpstream } from '../../e2e/src/start-slow-upstream.ts';
import { until } from '../../e2e/src/until.ts';
import type { Experiment, Stage } from '../src/experiment.ts';
import { p99OfForwards } from '../src/judge/calls.ts';
import { Crowd, type CrowdCall } from '../src/load/crowd.ts';

/** How long the upstream of the crowd may be silent before and inside its answers: longer than the second between two of its bytes. */
const WAIT_MS = { short: 2_000, whole: 30_000 };
const AT_ONCE = { short: 30, whole: 2_000 };
const DRIPPING = { short: 5, whole: 200 };
/** The crowd comes in this time: all of it is in flight long before the first is answered. */
const OVER_MS = { short: 200, whole: 5_000 };
const OFF_MS = 1_000;
/** More than this the upstream need not hold: connections that others left idle. */
const SPARE = 8;

export const upstreamSlow: Experiment = {
  name: 'F10',
  injects: 'an upstream that accepts and is silent, or sends a byte a second, for many calls at once',
  passes: '504 at the stated second; other calls at most twice as slow; sockets back within 5 s',
  slowUpstream: true,
  async run(stage) {
    const { verdict, load, pick } = stage;
    const upstream = stage.slowUpstream!;
    const waitMs = pick(WAIT_MS.short, WAIT_MS.whole);
    const crowdOf = await newCrowds(stage, upstream, waitMs);
    const quietFrom = performance.now();
    await sleep(pick(1_500, 20_000));
    const connections = await connectionsOf(upstream);
    const slowFrom = performance.now();
    const overMs = pick(OVER_MS.short, OVER_MS.whole);
    const dripping = crowdOf('/drip', pick(DRIPPING.short, DRIPPING.whole), overMs);
    const silent = await crowdOf('/never', pick(AT_ONCE.short, AT_ONCE.whole), overMs).ended;
    const slowUntil = performance.now();
    dripping.leave();
    const back = await until(async () => (await connectionsOf(upstream)) <= connections + SPARE, 15_000);
    judgeSilent(stage, silent, waitMs);
    verdict.none(
      'answers of a byte a second that were cut: they are slow, not silent',
      (await dripping.ended).filter(({ status }) => status !== 200),
    );
    verdict.within('connections to the upstream are back', [back], 5_000);
    const quiet = p99OfForwards(load.calls, quietFrom, slowFrom);
    const beside = p99OfForwards(load.calls, slowFrom, slowUntil);
    // Some ten calls in the short form make no p99: there it is only said.
    verdict.that(
      'other calls take at most twice their quiet p99',
      !stage.whole || beside <= 2 * quiet,
      `${quiet.toFixed(1)} → ${beside.toFixed(1)} ms`,
    );
    return { faults: [] };
  },
};

/** Another tenant, whose calls may all be in flight at once. */
async function newCrowds({ newTenant, mesh }: Stage, { port }: SlowUpstream, waitMs: number) {
  const slow = await newTenant('slow');
  const policy = {
    first_byte_timeout_ms: waitMs,
    idle_timeout_ms: waitMs,
    concurrency: 10_000,
    circuit_failures: 0,
  };
  const { forward } = await slow.register({ name: 'slow', base_url: `http://127.0.0.1:${port}`, policy });
  const target = rawTarget(forward, slow.headers.authorization!.slice('Bearer '.length));
  return (path: string, count: number, overMs: number) => {
    const head = headOf(target, 'GET', path, ['Connection: close']);
    return new Crowd({ port: Number(new URL(mesh.gateway).port), head, count, overMs });
  };
}

function judgeSilent({ verdict }: Stage, silent: readonly CrowdCall[], waitMs: number): void {
  const outcomes = [...new Set(silent.map(({ status, code }) => `${status} ${code}`))].join();
  verdict.that(
    'silence is answered with 504 upstream_timeout',
    outcomes === '504 upstream_timeout',
    outcomes,
  );
  const off = silent.map(({ headMs }) => Math.abs(headMs - waitMs));
  verdict.within(`off the stated ${waitMs} ms`, off, OFF_MS);
}

async function connectionsOf({ port }: SlowUpstream): Promise<number> {
  return Number(await (await fetch(`http://127.0.0.1:${port}/connections`)).text());
}
