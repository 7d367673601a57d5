import { setTimeout as sleep } from 'node:timers/promises';
import { FEED_HEARTBEAT_MS, STALE_AFTER_MS } from '@zeq/contracts';
import type { Experiment, Stage } from '../src/experiment.ts';
import { recoveries } from '../src/judge/calls.ts';
import { isForward, judgeOldLeases } from '../src/judge/leases.ts';
import type { Call } from '../src/load/call.ts';
import type { Fault } from '../src/mesh.ts';
import type { Ending } from '../src/postgres.ts';
import { between } from '../src/random.ts';

/** A vault that does not see its database is silent, and from here on a lease may be too old to be used. */
const OLD_LEASE_MS = STALE_AFTER_MS - FEED_HEARTBEAT_MS - 250;
const WELL_AGAIN_MS = 5_000;
/** How PostgreSQL ends, and how long it stays away (ms). */
const SHORT: readonly [Ending, number][] = [
  ['fast', 500],
  ['kill', 500],
];
const WHOLE: readonly [Ending, number][] = [
  ['smart', 0],
  ['fast', 0],
  ['immediate', 0],
  ['kill', 0],
  ['fast', 30_000],
];

export const databaseRestarts: Experiment = {
  name: 'F5',
  injects: 'PostgreSQL restarted in its modes, its postmaster killed, and 30 s without it',
  passes:
    'no process of ours ends; leased calls go on for 5 s; writes are refused with 503; all is well 5 s after it accepts',
  needsPostgres: true,
  async run(stage) {
    const { postgres, random, pick, verdict, say, load } = stage;
    const { server } = postgres!;
    const faults: Fault[] = [];
    const recovered: number[] = [];
    for (const [ending, awayMs] of pick(SHORT, WHOLE)) {
      await sleep(between(random, 500, 1_500));
      const at = performance.now();
      await server.end(ending);
      const goneAt = performance.now();
      await sleep(awayMs);
      await server.begin();
      const seenAt = performance.now();
      recovered.push(await untilWritten(stage));
      if (awayMs > STALE_AFTER_MS)
        judgeOldLeases(verdict, load.calls, `PostgreSQL is away (${ending})`, goneAt, seenAt);
      say(
        `  PostgreSQL ended (${ending}, away ${awayMs} ms), first write after ${Math.round(recovered.at(-1)!)} ms`,
      );
      faults.push({ what: `PostgreSQL ended (${ending})`, at, seenAt });
    }
    verdict.within('first write after PostgreSQL accepts again', recovered, WELL_AGAIN_MS);
    await sleep(1_500);
    verdict.within(
      'first forward after PostgreSQL accepts again',
      recoveries(load.calls, faults, ['forward']),
      WELL_AGAIN_MS,
    );
    /** From so long after the end of a PostgreSQL on, until all is well again. */
    const isAway = ({ startedAt, endedAt }: Call, afterMs: number) =>
      faults.some(({ at, seenAt }) => endedAt >= at + afterMs && startedAt <= seenAt + WELL_AGAIN_MS);
    return {
      faults: [],
      mayRefuse: (call) =>
        isForward(call.kind)
          ? call.detail === 'vault_unavailable' && isAway(call, OLD_LEASE_MS)
          : ['database_unavailable', 'vault_unavailable'].includes(call.detail) && isAway(call, 0),
    };
  },
};

/** Registers until it succeeds. @returns How long that took (ms). */
async function untilWritten({ tenant }: Stage): Promise<number> {
  const begun = performance.now();
  for (;;) {
    const { registration, acknowledged } = tenant.nextRegistration();
    const answer = await fetch(registration.url, registration as RequestInit);
    await answer.body?.cancel();
    if (answer.status === 201) {
      acknowledged();
      return performance.now() - begun;
    }
    if (performance.now() - begun > 60_000) throw new Error('nothing could be registered for a minute');
    await sleep(50);
  }
}
