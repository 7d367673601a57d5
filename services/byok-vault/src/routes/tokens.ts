import { MintToken } from '@zeq/contracts';
import { parseInput } from '@zeq/service-kit';
import { notFound } from '../apis/not-found.ts';
import { viewToken } from '../apis/views.ts';
import { actorOf } from '../audit/record-change.ts';
import { mintAppToken, revokeAppToken, type TokenDeps } from '../owners/app-tokens.ts';
import { pageOf, refOf } from './parse-call.ts';
import type { Handlers } from './route-table.ts';

export const tokenHandlers = (deps: TokenDeps): Handlers => ({
  'GET /api/zeq/apis/:slug/:id/tokens': async (call) => {
    const api = await deps.store.apis.find(call.machineId, refOf(call, 'id'));
    if (api === undefined) throw notFound();
    const { items, next } = await deps.store.tokens.list(call.machineId, api.id, pageOf(call));
    return { body: { tokens: items.map(viewToken) }, next };
  },

  'POST /api/zeq/apis/:slug/:id/tokens': async (call) => {
    const input = parseInput(MintToken, call.body ?? {});
    const by = actorOf(call.caller);
    const { token, appToken } = await mintAppToken(deps, call.machineId, refOf(call, 'id'), input, by);
    return { body: { token, app_token: viewToken(appToken) } };
  },

  'DELETE /api/zeq/apis/:slug/:id/tokens/:tokenId': async (call) => {
    const [apiRef, tokenId] = [refOf(call, 'id'), refOf(call, 'tokenId')];
    await revokeAppToken(deps, call.machineId, apiRef, tokenId, actorOf(call.caller));
    return {};
  },
});
