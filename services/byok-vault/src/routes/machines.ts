import { CreateMachine, MintKey, PLATFORM_SLUG } from '@zeq/contracts';
import { ProblemError, parseInput } from '@zeq/service-kit';
import { notFound } from '../apis/not-found.ts';
import { viewKey, viewMachine } from '../apis/views.ts';
import { type Actor, actorOf } from '../audit/record-change.ts';
import { createMachine, type MachineDeps, mintKey, removeMachine, revokeKey } from '../owners/machines.ts';
import type { Machine } from '../store/machine-store.ts';
import { pageOf, refOf } from './parse-call.ts';
import type { Handlers } from './route-table.ts';

export const machineHandlers = (deps: MachineDeps): Handlers => ({
  'POST /api/zeq/machines': async ({ caller, body }) => {
    const input = parseInput(CreateMachine, body);
    const { machine, apiKey } = await createMachine(deps, input, actorOf(caller));
    return { body: { machine: viewMachine(machine), api_key: apiKey } };
  },

  'DELETE /api/zeq/machines/:slug': async ({ caller, machineId, params }) => {
    refusePlatform(params.slug);
    await removeMachine(deps, machineId, actorOf(caller));
    return {};
  },

  'GET /api/zeq/machines/:slug/keys': async (call) => {
    const { items, next } = await deps.store.keys.list(call.machineId, pageOf(call));
    return { body: { keys: items.map(viewKey) }, next };
  },

  'POST /api/zeq/machines/:slug/keys': async ({ caller, machineId, body }) =>
    mintedKey(deps, machineId, parseInput(MintKey, body ?? {}), actorOf(caller)),

  'DELETE /api/zeq/machines/:slug/keys/:keyId': async (call) => {
    await revokeKey(deps, call.machineId, refOf(call, 'keyId'), actorOf(call.caller));
    return {};
  },

  'GET /api/zeq/admin/machines': async (call) => {
    const { items, next } = await deps.store.machines.list(pageOf(call));
    return { body: { machines: items.map(viewMachine), next: next ?? null } };
  },

  'DELETE /api/zeq/admin/machines/:name': async (call) => {
    const slug = refOf(call, 'name');
    refusePlatform(slug);
    await removeMachine(deps, (await findMachine(deps, slug)).id, actorOf(call.caller));
    return {};
  },

  'POST /api/zeq/admin/platform/keys': async ({ caller, body }) => {
    const machine = await findMachine(deps, PLATFORM_SLUG);
    return mintedKey(deps, machine.id, parseInput(MintKey, body ?? {}), actorOf(caller));
  },
});

async function mintedKey(deps: MachineDeps, machineId: string, input: MintKey, by: Actor) {
  const { key, apiKey } = await mintKey(deps, machineId, input, by);
  return { body: { key: viewKey(key), api_key: apiKey } };
}

/** @throws ProblemError `not_found` */
export async function findMachine({ store }: MachineDeps, slug: string): Promise<Machine> {
  const machine = await store.machines.findBySlug(slug);
  if (machine === undefined) throw notFound();
  return machine;
}

/** The platform's machine comes back at the next start, so removing it would only be a surprise. */
function refusePlatform(slug: string | undefined): void {
  if (slug === PLATFORM_SLUG)
    throw new ProblemError('conflict', "The platform's own machine cannot be removed.");
}
