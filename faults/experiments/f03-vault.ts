import { setTimeout as sleep } from 'node:timers/promises';
import { STALE_AFTER_MS } from '@zeq/contracts';
import type { Experiment, Stage } from '../src/experiment.ts';
import { isRefusedRightly } from '../src/judge/calls.ts';
import { killAtRandom } from '../src/kill-at-random.ts';
import type { Fault } from '../src/mesh.ts';

const AWAY_MS = 8_000;
/** A reader of the change feed comes back within this time; until then its leases still age. */
const FEED_BACK_MS = 2_500;
/** What a call may take from its start until the forwarder looks at the lease's age. */
const ON_ITS_WAY_MS = 250;

export const vaultKilled: Experiment = {
  name: 'F3',
  injects: 'SIGKILL of the vault at random moments, then 8 s without it',
  passes:
    'leased calls do not notice a short absence; from 5 s on they are refused with 503 and none goes out on an old lease',
  async run(stage) {
    const { verdict, load, mesh, pick } = stage;
    const begun = performance.now();
    const kills = await killAtRandom(stage, 'byok-vault', pick(1, 20));
    await sleep(500);
    const noticed = load.calls.filter(
      (call) =>
        isForward(call.kind) &&
        call.startedAt >= begun &&
        call.outcome !== 'ok' &&
        !isRefusedRightly(call, mesh.outages),
    );
    verdict.none('leased calls that noticed a short absence', noticed);
    await sleep(FEED_BACK_MS);
    const away = await mesh.down('byok-vault');
    await sleep(AWAY_MS);
    const startedAgain = performance.now();
    await mesh.up('byok-vault');
    verdict.within('restart to ready', [performance.now() - startedAgain], 3_000);
    await sleep(1_500);
    judgeOldLeases(stage, away, startedAgain);
    return {
      faults: [...kills, away],
      mayRefuse: ({ kind, detail }) =>
        !isForward(kind) && (detail === 'service_unavailable' || detail === 'vault_unavailable'),
    };
  },
};

const isForward = (kind: string) => kind === 'forward' || kind === 'stream';

function judgeOldLeases({ load, verdict }: Stage, away: Fault, backAt: number): void {
  const late = load.calls.filter(
    ({ kind, startedAt, endedAt }) =>
      isForward(kind) && startedAt > away.at + STALE_AFTER_MS + ON_ITS_WAY_MS && endedAt < backAt,
  );
  verdict.none(
    'calls that went out on a lease older than 5 s',
    late.filter(({ outcome }) => outcome === 'ok'),
  );
  verdict.that(
    'calls were refused meanwhile',
    late.some(({ outcome }) => outcome === 'refused'),
    late.length,
  );
}
