import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICE_TOKEN_HEADER, type ServiceName } from '@zeq/contracts';
import { ServiceTokenSigner } from '@zeq/service-kit';
import type { Experiment, Stage } from '../src/experiment.ts';
import { Keepers } from '../src/load/keepers.ts';

/** Services that sign with the internal secret or verify by it; in any order, because each step is safe alone. */
const HOLDERS: readonly ServiceName[] = ['byok-vault', 'sync-engine', 'forwarder', 'gateway'];

/**
 * The steps of docs/operations.md: what is new is accepted everywhere before anybody uses it, and what is old until nobody does.
 * The experiment has no number in the list of faults; nothing is broken here, and nobody may notice anything.
 */
export const secretsChanged: Experiment = {
  name: 'SECRETS',
  injects:
    'ZEQ_INTERNAL_SECRET, JWT_SECRET, ZEQ_API_KEYS and a tenant’s salt are changed step by step, service by service',
  passes: 'no call fails; afterwards what was old is refused',
  needsPostgres: true,
  doors: true,
  rates: { sockets: 0, tickReaders: 0 }, // what never ends is cut when its process is replaced
  async run(stage) {
    const { mesh, tenant, verdict } = stage;
    const old = { ...mesh.secrets };
    const keepers = await Keepers.open(tenant);
    await changeSecrets(stage, keepers);
    await rotateSalt(stage);
    await sleep(500);
    const calls = await keepers.stop();
    verdict.none(
      `failed calls of ${calls.length} with sessions and platform keys`,
      calls.filter(({ outcome }) => outcome !== 'ok'),
    );
    await dropOld(stage);
    await judgeRefusals(stage, old, keepers.oldSession);
    return { faults: [] };
  },
};

async function changeSecrets(stage: Stage, keepers: Keepers): Promise<void> {
  const { mesh, say } = stage;
  const { secrets } = mesh;
  const next = { internal: newSecret(), jwt: newSecret(), apiKey: newSecret() };
  say('  step 1: the new ones are accepted beside the old');
  const both = `${secrets.ZEQ_API_KEYS},${next.apiKey}`;
  await everywhere(stage, {
    ZEQ_INTERNAL_SECRET_PREV: next.internal,
    JWT_SECRET_PREV: next.jwt,
    ZEQ_API_KEYS: both,
  });
  keepers.platformKey = next.apiKey;
  say('  step 2: the new ones are used, the old still accepted');
  await everywhere(stage, {
    ZEQ_INTERNAL_SECRET: next.internal,
    ZEQ_INTERNAL_SECRET_PREV: secrets.ZEQ_INTERNAL_SECRET,
    JWT_SECRET: next.jwt,
    JWT_SECRET_PREV: secrets.JWT_SECRET,
  });
  Object.assign(secrets, {
    ZEQ_INTERNAL_SECRET: next.internal,
    JWT_SECRET: next.jwt,
    ZEQ_API_KEYS: next.apiKey,
  });
}

/** The last step waits until the sessions of the old secret have ended; nobody holds one here any more. */
async function dropOld(stage: Stage): Promise<void> {
  stage.say('  step 3: the old ones are dropped');
  const { ZEQ_API_KEYS } = stage.mesh.secrets;
  await everywhere(stage, { ZEQ_INTERNAL_SECRET_PREV: '', JWT_SECRET_PREV: '', ZEQ_API_KEYS });
}

async function everywhere({ mesh, whole }: Stage, env: Record<string, string>): Promise<void> {
  if (whole) for (const name of HOLDERS) await mesh.replace(name, env);
  else await Promise.all(HOLDERS.map((name) => mesh.replace(name, env)));
  await mesh.restart('operator-engine', env); // two of them do not share one embedded store
}

async function rotateSalt({ mesh, tenant, verdict }: Stage): Promise<void> {
  const url = `${mesh.gateway}/api/zeq/admin/machines/${tenant.slug}/rotate-salt`;
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'x-admin-key': mesh.secrets.ZEQ_ADMIN_KEYS },
  });
  const text = await answer.text();
  verdict.that(
    'the tenant’s salt is changed under its calls',
    answer.status === 200 && text.includes('"rows_failed":0'),
    text,
  );
}

async function judgeRefusals(
  { mesh, verdict, tenant }: Stage,
  old: Stage['mesh']['secrets'],
  session: string,
): Promise<void> {
  const { gateway } = mesh;
  const status = async (url: string, headers: Record<string, string>, method = 'GET') => {
    const answer = await fetch(url, { method, headers });
    await answer.body?.cancel();
    return answer.status;
  };
  const token = new ServiceTokenSigner('gateway', old.ZEQ_INTERNAL_SECRET).sign(
    'byok-vault',
    { kind: 'operator' },
    'operator',
  );
  const statuses = {
    'a service token of the old secret': await status(`${mesh.urlOf('byok-vault')}/internal/changes`, {
      [SERVICE_TOKEN_HEADER]: token,
    }),
    'a session of the old secret': await status(`${gateway}/api/zeq/apis/${tenant.slug}`, {
      authorization: `Bearer ${session}`,
    }),
    'the old platform key': await status(`${gateway}/api/v1/status`, { 'x-api-key': old.ZEQ_API_KEYS }),
  };
  for (const [what, seen] of Object.entries(statuses)) verdict.that(`${what} is refused`, seen === 401, seen);
}

const newSecret = (): string => randomBytes(48).toString('hex');
