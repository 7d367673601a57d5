import { ACTIVITY_KEPT, type ActivityEntry, type ActivityPage, type ActivityQuery } from '@zeq/contracts';
import type { ActivityPlace, ActivityStore, KeptCall } from '../store/activity-store.ts';
import { matcherOf, whoSaidNo } from './activity-filter.ts';

const DEFAULT_LIMIT = 100;
/** Pages of the first reading; each further one takes more, where a filter lets little through. */
const FIRST_PAGES = 8;
const GROWTH = 8;

/** One page of an API's latest calls, newest first. */
export async function readActivity(
  store: ActivityStore,
  apiId: string,
  query: ActivityQuery,
  defaultLimit: number = DEFAULT_LIMIT,
): Promise<ActivityPage> {
  const limit = query.limit ?? defaultLimit;
  const follows = query.after !== undefined;
  const head = await store.head(apiId); // first: what is appended from here on comes with the next `after`
  const found = await collect(store, apiId, query, head, limit + 1);
  const calls = found.slice(0, limit);
  const hasMore = found.length > limit;
  if (follows) calls.reverse();
  const newest = calls[0]?.seq ?? 0;
  return {
    entries: calls.map(viewCall),
    next: hasMore && !follows ? String(calls.at(-1)!.seq) : null,
    // a follower that was given a part goes on right behind it
    latest: String(hasMore && follows ? newest : Math.max(head, newest)),
  };
}

/** Everything that is kept and matches. */
export const readAllActivity = (store: ActivityStore, apiId: string, query: ActivityQuery) =>
  readActivity(store, apiId, query, ACTIVITY_KEPT);

/** The first so many calls that match, in the direction of the query. */
async function collect(
  store: ActivityStore,
  apiId: string,
  query: ActivityQuery,
  head: number,
  limit: number,
): Promise<KeptCall[]> {
  const matches = matcherOf(query);
  const oldest = head - ACTIVITY_KEPT; // what lies further back is for the audit
  const until = query.after !== undefined && query.before !== undefined ? Number(query.before) : undefined;
  const found: KeptCall[] = [];
  let place = placeOf(query);
  for (let pages = FIRST_PAGES; found.length < limit; pages *= GROWTH) {
    const calls = await store.read(apiId, place, pages);
    const last = calls.at(-1);
    if (last === undefined) break;
    const inReach = calls.filter(({ seq }) => seq > oldest && (until === undefined || seq < until));
    found.push(...inReach.filter(matches));
    if (inReach.length < calls.length && 'before' in place) break;
    place = 'after' in place ? { after: last.seq } : { before: last.seq };
  }
  return found.slice(0, limit);
}

const placeOf = ({ before, after }: ActivityQuery): ActivityPlace =>
  after !== undefined ? { after: Number(after) } : { before: Number(before ?? Number.MAX_SAFE_INTEGER) };

function viewCall(call: KeptCall): ActivityEntry {
  return {
    id: String(call.seq),
    at: new Date(call.at).toISOString(),
    kind: call.kind,
    caller: {
      kind: call.caller_id.startsWith('key_') ? 'key' : 'token',
      id: call.caller_id,
      name: call.caller_name,
      prefix: call.caller_prefix,
    },
    method: call.method,
    path: call.path,
    status: call.status === 0 ? null : call.status,
    outcome: call.outcome,
    said_no: whoSaidNo(call),
    code: call.code,
    duration_ms: call.duration_ms,
    bytes_in: call.bytes_in,
    bytes_out: call.bytes_out,
    tokens_in: call.tokens_in,
    tokens_out: call.tokens_out,
    request_id: call.request_id,
  };
}
