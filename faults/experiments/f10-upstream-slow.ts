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
/** The crowd comes in this time, and goes in it: between the two all of it is in flight. */
const OVER_MS = { short: 200, whole: 10_000 };
const OFF_MS = 1_000;
/** More than this the upstream need not hold: connections that others left idle. */
const SPARE = 8;

export const upstreamSlow: Experiment = {
  name: 'F10',
  injects: 'an upstream that accepts and is silent, or sends a byte a second, for many calls at once',
  passes: '504 at the stated second; other calls at most twice as slow; sockets back within 5 s',
  slowUpstream: true,
  async run(stage) {
    const { verdict, pick } = stage;
    const upstream = stage.slowUpstream!;
    const waitMs = pick(WAIT_MS.short, WAIT_MS.whole);
    const crowdOf = await newCrowds(stage, upstream, waitMs);
    const overMs = pick(OVER_MS.short, OVER_MS.whole);
    const dripping = await crowdOf('/drip', pick(DRIPPING.short, DRIPPING.whole), overMs);
    const waiting = await crowdOf('/never', pick(AT_ONCE.short, AT_ONCE.whole), overMs);
    const quietFrom = performance.now();
    await sleep(pick(1_500, 20_000));
    const connections = await connectionsOf(upstream);
    const slowFrom = performance.now();
    const dripped = dripping.begin();
    const silent = await waiting.begin();
    const slowUntil = performance.now();
    dripping.leave();
    const back = await until(async () => (await connectionsOf(upstream)) <= connections + SPARE, 15_000);
    judgeSilent(stage, silent, waitMs);
    verdict.none(
      'answers of a byte a second that were cut: they are slow, not silent',
      (await dripped).filter(({ status }) => status !== 200),
    );
    verdict.within('connections to the upstream are back', [back], 5_000);
    judgeOthers(stage, {
      quiet: [quietFrom, slowFrom],
      coming: [slowFrom, slowFrom + overMs],
      inFlight: [slowFrom + overMs, slowFrom + waitMs],
      going: [slowFrom + waitMs, slowUntil],
    });
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
    return Crowd.open({ port: Number(new URL(mesh.gateway).port), head, count, overMs });
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

/**
 * What an upstream's silence does to others is seen while all wait. While they come and go it is as with any other crowd of hundreds of
 * new connections a second on a machine that the callers share: that is only said.
 */
function judgeOthers(
  { verdict, load, whole }: Stage,
  phases: Record<'quiet' | 'coming' | 'inFlight' | 'going', [from: number, to: number]>,
): void {
  const p99 = (phase: keyof typeof phases) => p99OfForwards(load.calls, ...phases[phase]);
  const said = (phase: keyof typeof phases) => `${p99(phase).toFixed(1)} ms`;
  // Some ten calls in the short form make no p99.
  verdict.that(
    'other calls take at most twice their quiet p99 while all are in flight',
    !whole || p99('inFlight') <= 2 * p99('quiet'),
    `${said('quiet')} → ${said('inFlight')}; while they come ${said('coming')}, while they go ${said('going')}`,
  );
}

async function connectionsOf({ port }: SlowUpstream): Promise<number> {
  return Number(await (await fetch(`http://127.0.0.1:${port}/connections`)).text());
}
