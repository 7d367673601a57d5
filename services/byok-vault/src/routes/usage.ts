import { ActivityQuery, UsageQuery } from '@zeq/contracts';
import { parseInput } from '@zeq/service-kit';
import { notFound } from '../apis/not-found.ts';
import type { StoredApi } from '../store/api-store.ts';
import type { Store } from '../store/store.ts';
import { readActivity, readAllActivity } from '../usage/activity.ts';
import { activityCsv, usageCsv } from '../usage/csv.ts';
import { foldedBefore, type UsageRetention } from '../usage/housekeeping.ts';
import { reportUsage, spanOf } from '../usage/report.ts';
import { summarize, summaryFrom } from '../usage/summary.ts';
import { refOf } from './parse-call.ts';
import type { Answer, Call, Handlers } from './route-table.ts';

export interface UsageDeps {
  store: Store;
  retention: UsageRetention;
  now: () => Date;
}

export const usageHandlers = (deps: UsageDeps): Handlers => ({
  'GET /api/zeq/usage/:slug': async ({ machineId }) => {
    const from = summaryFrom(deps.now());
    return { body: summarize(from, await deps.store.usage.readMinutes(machineId, from)) };
  },

  'GET /api/zeq/apis/:slug/:id/usage': async (call) => {
    const { format, ...query } = parseInput(UsageQuery, call.query, 'invalid_query');
    const api = await findApi(deps, call);
    const span = spanOf(query, deps.now());
    const rows = await deps.store.usage.read(api.id, new Date(span.from), new Date(span.to));
    const report = reportUsage(api.id, span, rows, coarseBefore(deps, span.step));
    return wantsCsv(call, format) ? csv(`${api.name}-usage.csv`, usageCsv(report)) : { body: report };
  },

  'GET /api/zeq/apis/:slug/:id/activity': async (call) => {
    const { format, ...query } = parseInput(ActivityQuery, call.query, 'invalid_query');
    const api = await findApi(deps, call);
    const { activity } = deps.store;
    if (!wantsCsv(call, format)) return { body: await readActivity(activity, api.id, query) };
    const { entries } = await readAllActivity(activity, api.id, query);
    return csv(`${api.name}-activity.csv`, activityCsv(entries));
  },
});

/** @throws ProblemError `not_found` */
async function findApi({ store }: UsageDeps, call: Call): Promise<StoredApi> {
  const api = await store.apis.find(call.machineId, refOf(call, 'id'));
  if (api === undefined) throw notFound();
  return api;
}

/** Before this moment (ms since 1970) figures are kept by longer steps than the one asked for. */
function coarseBefore({ retention, now }: UsageDeps, step: 'minute' | 'hour' | 'day'): number {
  if (step === 'day') return 0;
  return foldedBefore(retention, now())[step].getTime();
}

/** `format` says it plainly; otherwise the first type of `Accept` does. */
function wantsCsv({ accept }: Call, format: 'json' | 'csv' | undefined): boolean {
  if (format !== undefined) return format === 'csv';
  return /^\s*text\/csv\s*(?:[;,]|$)/i.test(accept);
}

/** A name is made of letters that need no quoting. */
const csv = (fileName: string, text: string): Answer => ({
  file: { type: 'text/csv; charset=utf-8; header=present', name: fileName, text },
});
