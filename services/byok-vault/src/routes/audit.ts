import { AuditHeadQuery, AuditQuery } from '@zeq/contracts';
import { parseInput } from '@zeq/service-kit';
import { notFound } from '../apis/not-found.ts';
import { showGrowth } from '../audit/heads.ts';
import { readAudit, readAuditedCall } from '../audit/read-audit.ts';
import type { Store } from '../store/store.ts';
import { refOf } from './parse-call.ts';
import type { Call, Handlers } from './route-table.ts';

export interface AuditDeps {
  store: Store;
  now: () => Date;
}

export const auditHandlers = (deps: AuditDeps): Handlers => ({
  'GET /api/zeq/apis/:slug/:id/audit': async (call) => {
    const query = parseInput(AuditQuery, call.query, 'invalid_query');
    const apiId = await findAuditedApi(deps, call);
    const { store, now } = deps;
    if (query.call === undefined)
      return { body: await readAudit(store, call.machineId, apiId, query, now()) };
    return { body: await readAuditedCall(store, call.machineId, apiId, Number(query.call), now()) };
  },

  'GET /api/zeq/audit/head': async (call) => {
    const { since } = parseInput(AuditHeadQuery, call.query, 'invalid_query');
    return { body: await showGrowth(deps.store.audit, since, deps.now()) };
  },
});

/** An API of the machine, by its id or name; by its id also one that was removed. @throws ProblemError `not_found` */
async function findAuditedApi({ store }: AuditDeps, call: Call): Promise<string> {
  const ref = refOf(call, 'id');
  const api = await store.apis.find(call.machineId, ref);
  if (api !== undefined) return api.id;
  const machines = await store.audit.machinesOf([ref]);
  if (machines.get(ref) !== call.machineId) throw notFound();
  return ref;
}
