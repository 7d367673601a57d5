import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { until } from '../../e2e/src/until.ts';
import type { Experiment } from '../src/experiment.ts';
import { type Call, makeCall } from '../src/load/call.ts';
import type { Tenant } from '../src/tenant.ts';

export const upstreamSlow: Experiment = {
  name: 'F10',
  injects: 'an upstream that accepts and is silent, or sends a byte a second, for many calls at once',
  passes: '504 at the stated second; other calls at most twice as slow; sockets back within 5 s',
  async run(stage) {
    const { upstream, verdict, load, pick } = stage;
    const slow = await stage.newTenant('slow');
    const waitMs = pick(1_000, 30_000);
    const policy = { first_byte_timeout_ms: waitMs, concurrency: 10_000, circuit_failures: 0 };
    await slow.register({ name: 'silent', policy });
    const quietFrom = performance.now();
    await sleep(pick(1_500, 15_000));
    const connections = await upstream.connections();
    const slowFrom = performance.now();
    const leave = new AbortController();
    const dripping = askMany(slow, '/drip', pick(5, 200), leave.signal);
    const silent = await askMany(slow, '/never', pick(30, 2_000));
    const slowUntil = performance.now();
    leave.abort();
    await dripping;
    const codes = [...new Set(silent.map(({ outcome, detail }) => `${outcome} ${detail}`))];
    verdict.that(
      'silence is answered with 504 upstream_timeout',
      codes.join() === 'refused upstream_timeout',
      codes.join(),
    );
    const late = silent.map(({ startedAt, endedAt }) => Math.abs(endedAt - startedAt - waitMs));
    verdict.within(`off the stated ${waitMs} ms`, late, 1_000);
    const back = await until(async () => (await upstream.connections()) <= connections + 8, 15_000);
    verdict.within('connections to the upstream are back', [back], 5_000);
    const quiet = p99(load.calls, quietFrom, slowFrom);
    const beside = p99(load.calls, slowFrom, slowUntil);
    // Some ten calls in the short form make no p99: there it is only said.
    verdict.that(
      'other calls take at most twice their quiet p99',
      !stage.whole || beside <= 2 * quiet,
      `${quiet} → ${beside} ms`,
    );
    return { faults: [] };
  },
};

async function askMany(
  { forward, headers }: Tenant,
  path: string,
  count: number,
  signal?: AbortSignal,
): Promise<Call[]> {
  const agent = new Agent({ connections: count, headersTimeout: 120_000, bodyTimeout: 120_000 });
  const calls = await Promise.all(
    Array.from({ length: count }, (_, i) =>
      makeCall(agent, 'slow', `slow-${i}`, {
        method: 'GET',
        url: forward.replace('/steady/', '/silent/') + path,
        headers,
        ...(signal !== undefined && { signal }),
      }),
    ),
  );
  await agent.destroy();
  return calls;
}

/** Of the forwards that began and ended in this time, in ms. */
function p99(calls: readonly Call[], from: number, until_: number): number {
  const times = calls
    .filter(
      ({ kind, outcome, startedAt, endedAt }) =>
        kind === 'forward' && outcome === 'ok' && startedAt >= from && endedAt <= until_,
    )
    .map(({ startedAt, endedAt }) => endedAt - startedAt)
    .sort((a, b) => a - b);
  return Math.round(times[Math.floor(times.length * 0.99)] ?? Number.NaN);
}
