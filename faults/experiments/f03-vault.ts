import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment } from '../src/experiment.ts';
import { isRefusedRightly } from '../src/judge/calls.ts';
import { isForward, judgeOldLeases } from '../src/judge/leases.ts';
import { killAtRandom } from '../src/kill-at-random.ts';

const AWAY_MS = 8_000;
/** A reader of the change feed comes back within this time; until then its leases still age. */
const FEED_BACK_MS = 2_500;
const READY_MS = 3_000;

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
    const restarts = mesh.outages.map(({ at, backAt }) => backAt - at).slice(0, kills.length);
    verdict.within('restart to ready', [...restarts, performance.now() - startedAgain], READY_MS);
    await sleep(1_500);
    judgeOldLeases(verdict, load.calls, 'the vault is away', away.at, startedAgain);
    return {
      faults: [...kills, away],
      mayRefuse: ({ kind, detail }) =>
        !isForward(kind) &&
        ['service_unavailable', 'vault_unavailable', 'database_unavailable'].includes(detail),
    };
  },
};
