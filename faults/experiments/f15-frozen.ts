import { setTimeout as sleep } from 'node:timers/promises';
import { type ServiceName, STALE_AFTER_MS } from '@zeq/contracts';
import { ServiceTokenSigner } from '@zeq/service-kit';
import { hurtLeaders } from '../../services/sync-engine/test/leader-kills.ts';
import type { Experiment, Stage } from '../src/experiment.ts';
import { gauge } from '../src/judge/baseline.ts';
import { judgeOldLeases } from '../src/judge/leases.ts';
import type { Fault } from '../src/mesh.ts';
import { CALL_ID } from '../src/upstream.ts';

/** Of the leader among three engines; each stands still for longer than its lease lasts. */
const LEADER_FREEZES = 100;

export const processFrozen: Experiment = {
  name: 'F15',
  injects: 'SIGSTOP of forwarder, vault and sync engine, and SIGCONT',
  passes:
    'a forwarder that wakes uses no lease from before; nor does anybody while the vault stands still; each says how long it stood; the chain has no fork',
  async run(stage) {
    const { load, mesh, pick, postgres, say, seed, verdict } = stage;
    const [forwarder, clock] = await Promise.all([
      freezeForwarder(stage, pick(6_000, 10_000)),
      mesh.freeze('sync-engine', pick(1_600, 10_000)),
    ]);
    await judgeStall(stage, 'forwarder', forwarder);
    await judgeStall(stage, 'sync-engine', clock);
    await sleep(2_000);
    const vault = await mesh.freeze('byok-vault', pick(7_000, 10_000));
    await judgeStall(stage, 'byok-vault', vault);
    await sleep(2_000);
    judgeOldLeases(verdict, load.calls, 'the vault stands still', vault.at, vault.seenAt);
    if (stage.whole && postgres !== undefined) {
      const databaseUrl = await postgres.server.createDatabase(`${postgres.database}_leaders`);
      const report = await hurtLeaders({
        databaseUrl,
        kills: LEADER_FREEZES,
        seed,
        how: 'freeze',
        onProgress: say,
      });
      verdict.that(
        'leaders that were frozen, and another took over',
        report.takeoverMs.length === LEADER_FREEZES,
        `${report.takeoverMs.length}, ${report.ticks} ticks`,
      );
      verdict.none('what leaders wrote that had lost their lease', report.faults);
      verdict.that('ticks that were shown and are lost', report.lost === 0, report.lost);
    }
    return {
      faults: [forwarder, clock],
      mayRefuse: ({ kind, detail, startedAt, endedAt }) =>
        ['vault_unavailable', 'service_unavailable'].includes(detail) &&
        endedAt > vault.at &&
        startedAt < vault.seenAt + 1_000 &&
        (!['forward', 'stream'].includes(kind) || startedAt > vault.at + STALE_AFTER_MS - 500),
    };
  },
};

/** What a process shows of itself says that it stood still, and for how long: an alert can be raised on it. */
async function judgeStall(
  { mesh, verdict }: Stage,
  service: ServiceName,
  { at, seenAt }: Fault,
): Promise<void> {
  const stoodMs = seenAt - at;
  const shownMs = 1_000 * (await gauge(mesh, 'nodejs_eventloop_lag_max_seconds', { service }));
  verdict.that(
    `${service} shows that it stood still`,
    shownMs >= 0.9 * stoodMs,
    `${Math.round(shownMs)} of ${Math.round(stoodMs)} ms`,
  );
}

/** While the forwarder stands still its API is removed; its first call afterwards has to know. */
async function freezeForwarder({ mesh, tenant, upstream, verdict }: Stage, forMs: number) {
  const { id } = await tenant.register({ name: 'removed-meanwhile' });
  const ask = (callId: string) => callDirectly({ mesh, tenant }, id, callId);
  const before = await ask('before-the-freeze');
  const freezing = mesh.freeze('forwarder', forMs);
  await sleep(500);
  await tenant.call('DELETE', `/api/zeq/apis/${tenant.slug}/${id}`);
  tenant.secrets.delete('removed-meanwhile');
  const asked = ask('asked-in-the-freeze');
  const fault = await freezing;
  const after = [await asked, await ask('after-the-freeze')];
  verdict.that('the call before the freeze is served', before === 200, before);
  verdict.that(
    'calls after it know that the API is gone',
    after.every((status) => status === 404),
    after.join(),
  );
  const reached = ['asked-in-the-freeze', 'after-the-freeze'].filter((callId) =>
    upstream.arrivals.has(callId),
  );
  verdict.none('calls on a lease from before the freeze', reached);
  return fault;
}

/** As the gateway calls the forwarder, whatever the gateway itself has heard meanwhile. */
async function callDirectly(
  { mesh, tenant }: Pick<Stage, 'mesh' | 'tenant'>,
  api: string,
  callId: string,
): Promise<number> {
  const signer = new ServiceTokenSigner('gateway', mesh.secrets.ZEQ_INTERNAL_SECRET);
  const caller = {
    kind: 'owner' as const,
    machine_id: tenant.machineId,
    slug: tenant.slug,
    key_id: `key_${'0'.repeat(22)}`,
    scope: 'owner' as const,
  };
  const url = `${mesh.urlOf('forwarder')}/api/zeq/apis/${tenant.slug}/${api}/forward/hello`;
  const token = signer.sign('forwarder', caller, 'owner');
  const answer = await fetch(url, { headers: { 'x-zeq-service': token, [CALL_ID]: callId } });
  await answer.body?.cancel();
  return answer.status;
}
