import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { residentBytes } from '../../e2e/src/memory.ts';
import type { Experiment, Stage } from '../src/experiment.ts';
import { makeCall } from '../src/load/call.ts';
import type { Tenant } from '../src/tenant.ts';

const AT_ONCE = 16;
const MORE_BYTES = 16 * 2 ** 20;
/** In the short form the code is still being compiled at its first mark. */
const MORE_BYTES_SHORT = 48 * 2 ** 20;
/** Longer than any connection lies idle. */
const IDLE_MS = 40_000;
/** Connections between the services and to the upstream that lie idle are closed by then (ms): a leak must not hide among them. */
const REST_MS = 20_000;
/** A collection has been made by then (ms). */
const COLLECTED_MS = 1_500;
const WATCHED = ['gateway', 'forwarder', 'byok-vault'];

export const manyCalls: Experiment = {
  name: 'F21',
  injects: 'calls without end: 1,000,000 in the whole form',
  passes: 'memory in use at the end is that at the first tenth plus at most 16 MiB; handles are equal',
  collectsOnSignal: true,
  rates: { forwardsPerSecond: 1, registrationsPerSecond: 0, adminReadsPerSecond: 0 },
  async run(stage) {
    const { verdict, pick, say } = stage;
    const calls = pick(6_000, 1_000_000);
    const failed: string[] = [];
    // an API of their own: the record of the standing calls is read whole afterwards
    const { forward } = await stage.tenant.register({ name: 'many', policy: { concurrency: 1_000 } });
    const drive = () => callMany({ forward, headers: stage.tenant.headers }, calls / 10, failed);
    await drive();
    if (stage.whole) say(`  ${calls / 10} calls: ${describe(snapshot(stage))}`);
    await sleep(pick(0, REST_MS));
    await collect(stage);
    const first = snapshot(stage);
    const begun = performance.now();
    for (let tenth = 2; tenth <= 10; tenth += 1) {
      await drive();
      if (stage.whole) say(`  ${(calls / 10) * tenth} calls: ${describe(snapshot(stage))}`);
    }
    const perSecond = Math.round((0.9 * calls) / ((performance.now() - begun) / 1_000));
    await sleep(pick(0, REST_MS));
    await collect(stage);
    const last = await restingSnapshot(stage, first);
    say(`  ${perSecond} calls/s; after collections: ${describe(first)} → ${describe(last)}`);
    verdict.none('calls that failed', failed);
    for (const name of WATCHED) {
      const more = last[name]!.bytes - first[name]!.bytes;
      verdict.that(
        `${name} holds no more memory than at the first tenth`,
        more <= pick(MORE_BYTES_SHORT, MORE_BYTES),
        `${mib(more)} MiB more`,
      );
      const handles = last[name]!.handles - first[name]!.handles;
      verdict.that(`${name} holds no more handles`, handles <= 4, handles);
    }
    return { faults: [] };
  },
};

async function callMany(
  { forward, headers }: Pick<Tenant, 'forward' | 'headers'>,
  count: number,
  failed: string[],
): Promise<void> {
  const agent = new Agent({ connections: AT_ONCE });
  let left = count;
  const work = async () => {
    while (left-- > 0) {
      const { outcome, detail } = await makeCall(agent, 'many', 'many', {
        method: 'GET',
        url: `${forward}/hello`,
        headers,
      });
      if (outcome !== 'ok') failed.push(`${outcome} ${detail}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await agent.destroy();
}

/** Twice: what the first one finds to be finalized, the second one frees. By itself V8 lets tens of MiB come together, and keeps their pages. */
async function collect({ mesh }: Stage): Promise<void> {
  const pids = mesh.pids();
  for (let again = 0; again < 2; again += 1) {
    for (const name of WATCHED) process.kill(pids[name]!, 'SIGUSR2');
    await sleep(COLLECTED_MS);
  }
}

/** Connections that lie idle between the services are closed after a while; what a leak holds is not. */
async function restingSnapshot(stage: Stage, first: Snapshot): Promise<Snapshot> {
  const until = performance.now() + IDLE_MS;
  for (;;) {
    const now = snapshot(stage);
    const rests = WATCHED.every((name) => now[name]!.handles <= first[name]!.handles);
    if (rests || performance.now() > until) return now;
    await sleep(500);
  }
}

type Snapshot = Record<string, { bytes: number; handles: number }>;

function snapshot({ mesh }: Stage): Snapshot {
  const pids = mesh.pids();
  return Object.fromEntries(
    WATCHED.map((name) => [
      name,
      { bytes: residentBytes(pids[name]!), handles: readdirSync(`/proc/${pids[name]}/fd`).length },
    ]),
  );
}

const mib = (bytes: number) => Math.round(bytes / 2 ** 20);

const describe = (now: Snapshot) =>
  Object.entries(now)
    .map(([name, { bytes, handles }]) => `${name} ${mib(bytes)} MiB, ${handles} handles`)
    .join('; ');
