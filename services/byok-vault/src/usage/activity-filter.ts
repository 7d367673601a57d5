import type { ActivityQuery } from '@zeq/contracts';
import type { KeptCall } from '../store/activity-store.ts';

const CLASSES = { none: 0, '1xx': 1, '2xx': 2, '3xx': 3, '4xx': 4, '5xx': 5 } as const;

/** Whether a call is among those that a query asks for: each filter narrows, and one that is missing lets everything pass. */
export function matcherOf(query: ActivityQuery): (call: KeptCall) => boolean {
  const { status, outcome, said_no, kind, caller, method } = query;
  const path = query.path?.toLowerCase();
  return (call) =>
    (status === undefined || Math.floor(call.status / 100) === CLASSES[status]) &&
    (outcome === undefined || call.outcome === outcome) &&
    (said_no === undefined || whoSaidNo(call) === said_no) &&
    (kind === undefined || call.kind === kind) &&
    (caller === undefined || call.caller_id === caller) &&
    (method === undefined || call.method === method) &&
    (path === undefined || call.path.toLowerCase().includes(path));
}

/** The mesh where it has a code for it; the upstream where its own answer is an error. */
export function whoSaidNo({ code, status }: Pick<KeptCall, 'code' | 'status'>): 'mesh' | 'upstream' | null {
  if (code !== null) return 'mesh';
  return status >= 400 ? 'upstream' : null;
}
