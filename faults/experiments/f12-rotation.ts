import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment, Stage } from '../src/experiment.ts';
import { isRefusedRightly } from '../src/judge/calls.ts';
import type { Fault } from '../src/mesh.ts';
import { between } from '../src/random.ts';
import { dropOldKey, fill, giveNewKey, RotationWatch } from '../src/rotation.ts';

/** A kill waits this long after the vault is back (ms), so that the points lie all over the run. */
const PAUSE: Record<'short' | 'whole', readonly [number, number]> = { short: [400, 900], whole: [100, 900] };
const GOAL_ROWS_PER_SECOND = 1_000;

export const rotationKilled: Experiment = {
  name: 'F12',
  injects: 'rotation of the master key over many rows, the vault killed again and again',
  passes:
    'no forward notices; rows left never rise; every row ends under one key; the old key is taken away and all open',
  async run(stage) {
    const { tenant, verdict, load, mesh, pick } = stage;
    await fill(tenant, pick(1_000, 20_000));
    await rotateUndisturbed(stage);
    const { kills, last, watch } = await rotateUnderKills(stage);
    await dropOldKey(mesh);
    await sleep(1_000);
    const noticed = load.calls.filter(
      (call) =>
        ['forward', 'stream'].includes(call.kind) &&
        call.outcome !== 'ok' &&
        !isRefusedRightly(call, mesh.outages),
    );
    verdict.none('forwards that noticed', noticed);
    verdict.none('times when more rows were left than before', watch.rises());
    verdict.that(
      'it ends with nothing left under the old key',
      last.done && last.rows_left === 0,
      JSON.stringify(last.rows_by_kid),
    );
    verdict.that(
      'every row is under exactly one key',
      last.rows_by_kid.length === 1,
      last.rows_by_kid.length,
    );
    return {
      faults: kills,
      mayRefuse: ({ kind, detail }) =>
        ['register', 'admin'].includes(kind) &&
        ['service_unavailable', 'vault_unavailable', 'database_unavailable'].includes(detail),
    };
  },
};

/** How fast it is with nothing but the standing load beside it. */
async function rotateUndisturbed({ mesh, verdict, whole, postgres, say }: Stage): Promise<void> {
  await giveNewKey(mesh);
  const watch = new RotationWatch(mesh);
  await watch.start();
  const last = await watch.untilDone();
  const rate = last.rows_per_second ?? 0;
  say(`  undisturbed: ${last.rows_done} rows, ${rate} rows/s`);
  const isJudged = whole && postgres !== undefined; // a thousand rows are over before the rate is one
  verdict.that(
    `undisturbed, ${GOAL_ROWS_PER_SECOND} rows/s`,
    !isJudged || rate >= GOAL_ROWS_PER_SECOND,
    `${rate} rows/s`,
  );
}

async function rotateUnderKills({ mesh, random, pick, say }: Stage) {
  await giveNewKey(mesh);
  const watch = new RotationWatch(mesh);
  const begun = performance.now();
  await watch.start();
  const kills: Fault[] = [];
  for (let i = 0; i < pick(3, 20); i += 1) {
    const [low, high] = pick(PAUSE.short, PAUSE.whole);
    await sleep(between(random, low, high));
    kills.push(await mesh.kill('byok-vault'));
    await mesh.ready('byok-vault');
    await watch.look();
  }
  const last = await watch.untilDone();
  const took = Math.round(performance.now() - begun);
  say(`  with ${kills.length} kills: ${last.rows_done} rows in ${took} ms`);
  return { kills, last, watch };
}
