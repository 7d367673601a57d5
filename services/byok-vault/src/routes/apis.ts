import { PatchApi, RegisterApi } from '@zeq/contracts';
import { parseInput } from '@zeq/service-kit';
import { notFound } from '../apis/not-found.ts';
import { patchApi } from '../apis/patch-api.ts';
import { type ApiDeps, registerApi } from '../apis/register-api.ts';
import { viewApi } from '../apis/views.ts';
import { actorOf } from '../audit/record-change.ts';
import { removeApi } from '../owners/app-tokens.ts';
import { pageOf, refOf } from './parse-call.ts';
import type { Handlers } from './route-table.ts';

export const apiHandlers = (deps: ApiDeps): Handlers => ({
  'GET /api/zeq/apis/:slug': async (call) => {
    const { items, next } = await deps.store.apis.list(call.machineId, pageOf(call));
    return { body: items.map((row) => viewApi(row, deps.box)), next };
  },

  'POST /api/zeq/apis/:slug': async ({ caller, machineId, body }) => {
    const row = await registerApi(deps, machineId, parseInput(RegisterApi, body), actorOf(caller));
    return { body: viewApi(row, deps.box) };
  },

  'GET /api/zeq/apis/:slug/:id': async (call) => {
    const row = await deps.store.apis.find(call.machineId, refOf(call, 'id'));
    if (row === undefined) throw notFound();
    return { body: viewApi(row, deps.box) };
  },

  'PATCH /api/zeq/apis/:slug/:id': async (call) => {
    const patch = parseInput(PatchApi, call.body);
    const row = await patchApi(deps, call.machineId, refOf(call, 'id'), patch, actorOf(call.caller));
    return { body: viewApi(row, deps.box) };
  },

  'DELETE /api/zeq/apis/:slug/:id': async (call) => {
    await removeApi(deps, call.machineId, refOf(call, 'id'), actorOf(call.caller));
    return {};
  },
});
