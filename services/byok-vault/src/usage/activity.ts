import { ACTIVITY_KEPT, type ActivityEntry, type ActivityPage, type ActivityQuery } from '@zeq/contracts';
import type { ActivityStore, KeptCall } from '../store/activity-store.ts';

const DEFAULT_LIMIT = 100;

/** One page of an API's latest calls, newest first. */
export async function readActivity(
  store: ActivityStore,
  apiId: string,
  query: ActivityQuery,
  defaultLimit: number = DEFAULT_LIMIT,
): Promise<ActivityPage> {
  const limit = query.limit ?? defaultLimit;
  const head = await store.head(apiId); // first: what is appended from here on comes with the next `after`
  const found = await store.read(apiId, {
    before: numberOf(query.before),
    after: numberOf(query.after),
    limit: limit + 1,
    status: query.status,
    outcome: query.outcome,
    said_no: query.said_no,
    kind: query.kind,
    caller: query.caller,
    method: query.method,
    path: query.path,
  });
  const calls = found.slice(0, limit);
  const hasMore = found.length > limit;
  if (query.after !== undefined) calls.reverse();
  const newest = calls[0]?.seq ?? 0;
  return {
    entries: calls.map(viewCall),
    next: hasMore && query.after === undefined ? String(calls.at(-1)!.seq) : null,
    // a follower that was given a part goes on right behind it
    latest: String(hasMore && query.after !== undefined ? newest : Math.max(head, newest)),
  };
}

/** Everything that is kept and matches. */
export const readAllActivity = (store: ActivityStore, apiId: string, query: ActivityQuery) =>
  readActivity(store, apiId, query, ACTIVITY_KEPT);

const numberOf = (cursor: string | undefined): number | undefined =>
  cursor === undefined ? undefined : Number(cursor);

function viewCall(call: KeptCall): ActivityEntry {
  return {
    id: String(call.seq),
    at: call.at.toISOString(),
    kind: call.kind,
    caller: {
      kind: call.caller_id.startsWith('key_') ? 'key' : 'token',
      id: call.caller_id,
      name: call.callerName,
      prefix: call.callerPrefix,
    },
    method: call.method,
    path: call.path,
    status: call.status === 0 ? null : call.status,
    outcome: call.outcome,
    said_no: call.code !== null ? 'mesh' : call.status >= 400 ? 'upstream' : null,
    code: call.code,
    duration_ms: call.duration_ms,
    bytes_in: call.bytes_in,
    bytes_out: call.bytes_out,
    tokens_in: call.tokens_in,
    tokens_out: call.tokens_out,
    request_id: call.request_id,
  };
}
