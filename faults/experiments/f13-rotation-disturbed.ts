import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment, Stage } from '../src/experiment.ts';
import { between } from '../src/random.ts';
import { fill, giveNewKey, RotationWatch } from '../src/rotation.ts';

/** A row that somebody edits in the database: its credential does not open any more, under any key. */
const CORRUPT = 'corrupt';

export const rotationDisturbed: Experiment = {
  name: 'F13',
  injects: 'rotation by two vaults, with a PostgreSQL restart, new rows beside it and one corrupt row',
  passes: 'the corrupt row alone is flagged; no deadlock; everything else moves',
  needsPostgres: true,
  async run(stage) {
    const { tenant, mesh, random, verdict, pick, postgres } = stage;
    const { server, database } = postgres!;
    await fill(tenant, pick(600, 20_000));
    await corrupt(stage);
    await giveNewKey(mesh);
    const second = await mesh.replica('byok-vault');
    const watch = new RotationWatch(mesh);
    const begun = performance.now();
    await watch.start();
    await sleep(between(random, 20, pick(150, 3_000)));
    await server.end('fast');
    await server.begin();
    const accepts = performance.now();
    const last = await watch.untilDone();
    await second.stop();
    const [stats] = await server.run('SELECT deadlocks FROM pg_stat_database WHERE datname = $1', [database]);
    verdict.none('times when more rows were left than before', watch.rises());
    verdict.that(
      'the corrupt row alone is flagged',
      last.rows_failed === 1 && last.rows_left === 0,
      `${last.rows_failed} flagged, ${last.rows_left} left`,
    );
    verdict.that('deadlocks', Number(stats?.deadlocks) === 0, String(stats?.deadlocks));
    const view = await (await tenant.call('GET', `/api/zeq/apis/${tenant.slug}/${CORRUPT}`)).json();
    const { auth_state } = view as { auth_state: string };
    verdict.that(
      'its owner learns that it needs a new header',
      auth_state === 'needs_new_header',
      auth_state,
    );
    return {
      faults: [],
      mayRefuse: ({ kind, detail, startedAt }) =>
        ['register', 'admin'].includes(kind) &&
        startedAt >= begun - 60_000 &&
        startedAt <= accepts + 5_000 &&
        ['database_unavailable', 'vault_unavailable', 'service_unavailable'].includes(detail),
    };
  },
};

async function corrupt({ tenant, postgres }: Stage): Promise<void> {
  const { server, database } = postgres!;
  await tenant.register({ name: CORRUPT });
  tenant.secrets.delete(CORRUPT); // not expected to open any more
  await server.run("UPDATE user_external_apis SET auth_hint = 'edited' WHERE name = $1", [CORRUPT], database);
}
