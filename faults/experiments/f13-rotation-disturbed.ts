import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiView, RotationStatus } from '@zeq/contracts';
import type { Experiment, Stage } from '../src/experiment.ts';
import { gauge } from '../src/judge/baseline.ts';
import { wasInFlight } from '../src/judge/calls.ts';
import { LockWatch } from '../src/lock-watch.ts';
import type { Fault, Replica } from '../src/mesh.ts';
import { between } from '../src/random.ts';
import { dropOldKey, fill, giveNewKey, RotationWatch } from '../src/rotation.ts';
import { expectJson } from '../src/tenant.ts';

/** A row that somebody edits in the database: its credential does not open any more, under any key. */
const CORRUPT = 'corrupt';

/** After PostgreSQL or the vault was away (ms). */
const WELL_AGAIN_MS = 5_000;
/** How long a write may wait for a row that is being moved. */
const LOCK_WAIT_MS = 1_000;

export const rotationDisturbed: Experiment = {
  name: 'F13',
  injects:
    'rotation by two vaults, the clock of one jumping, with a PostgreSQL restart, new rows beside it and one corrupt row',
  passes:
    'the corrupt row alone is flagged; no deadlock, no long wait for a lock; everything else moves, by both',
  needsPostgres: true,
  async run(stage) {
    const { tenant, mesh, random, verdict, pick, postgres } = stage;
    const { server, database } = postgres!;
    await fill(tenant, pick(1_000, 20_000));
    await corrupt(stage);
    await giveNewKey(mesh);
    const second = await mesh.replica('byok-vault');
    const watch = new RotationWatch(mesh);
    const locks = new LockWatch(server);
    const away: Fault[] = [];
    await watch.start();
    const done = watch.untilDone();
    await sleep(between(random, 20, pick(150, 3_000)));
    second.jumpClock();
    const at = performance.now();
    await server.end('fast');
    await server.begin();
    away.push({ what: 'PostgreSQL restarted', at, seenAt: performance.now() });
    await sleep(pick(0, 2_000));
    second.jumpClock();
    const last = await done;
    await locks.stop();
    await judgeShares(stage, second);
    await second.stop();
    const [stats] = await server.run('SELECT deadlocks FROM pg_stat_database WHERE datname = $1', [database]);
    verdict.none('times when more rows were left than before', watch.rises());
    verdict.that('deadlocks', Number(stats?.deadlocks) === 0, String(stats?.deadlocks));
    verdict.within('waits for a lock end', [locks.longestMs], LOCK_WAIT_MS);
    await judgeCorruptRow(stage, last);
    const isKnown = ['database_unavailable', 'vault_unavailable', 'service_unavailable'];
    return {
      faults: [],
      mayRefuse: (call) =>
        ['register', 'admin'].includes(call.kind) &&
        isKnown.includes(call.detail) &&
        [...away, ...mesh.outages.map(({ at, backAt }) => ({ what: '', at, seenAt: backAt }))].some((fault) =>
          wasInFlight(call, { ...fault, seenAt: fault.seenAt + WELL_AGAIN_MS }),
        ),
    };
  },
};

/** A thousand rows may all be moved before the other vault has looked whether there is work, so the short form only says it. */
async function judgeShares({ mesh, verdict, whole }: Stage, second: Replica): Promise<void> {
  const name = 'zeq_vault_rotated_rows_total';
  const shares = await Promise.all([
    gauge(mesh, name, { service: 'byok-vault' }),
    gauge(mesh, name, { url: second.url }),
  ]);
  verdict.that(
    'both vaults have moved rows',
    !whole || shares.every((rows) => rows > 0),
    shares.join(' and '),
  );
}

/** It is flagged, alone; its owner learns of it and mends it; then nothing needs the old key any more. */
async function judgeCorruptRow({ mesh, tenant, verdict }: Stage, last: RotationStatus): Promise<void> {
  const old = last.rows_by_kid.filter(({ kid }) => kid !== last.current_kid);
  verdict.that(
    'the corrupt row alone is flagged, and alone is under the old key',
    last.rows_failed === 1 && last.rows_left === 0 && old.length === 1 && old[0]!.rows === 1,
    `${last.rows_failed} flagged, ${last.rows_left} left, ${JSON.stringify(last.rows_by_kid)}`,
  );
  const path = `/api/zeq/apis/${tenant.slug}/${CORRUPT}`;
  const { auth_state } = (await (await tenant.call('GET', path)).json()) as ApiView;
  verdict.that('its owner learns that it needs a new header', auth_state === 'needs_new_header', auth_state);
  const secret = tenant.secretOf(CORRUPT);
  await expectJson(200, await tenant.call('PATCH', path, { auth_header: `x-key: ${secret}` }));
  tenant.secrets.set(CORRUPT, secret);
  await dropOldKey(mesh);
  verdict.that('once it has one, the vault starts without the old key', true, 'it started');
}

async function corrupt({ tenant, postgres }: Stage): Promise<void> {
  const { server, database } = postgres!;
  await tenant.register({ name: CORRUPT });
  tenant.secrets.delete(CORRUPT); // not expected to open any more
  await server.run("UPDATE user_external_apis SET auth_hint = 'edited' WHERE name = $1", [CORRUPT], database);
}
