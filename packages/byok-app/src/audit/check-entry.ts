import type { ActivityEntry, AuditEntry, AuditHead, HashedCall } from '@zeq/contracts';
import { checkAuditEntry } from '@zeq/crypto/web';
import type { Fault } from './fault.ts';

export type AuditedCall = AuditEntry & { kind: 'call' };

/** Whether the log holds an entry, and the entry is one of this API. */
export async function faultOf(entry: AuditEntry, head: AuditHead, apiId: string): Promise<Fault | undefined> {
  const step = await checkAuditEntry(entry, head);
  if (step !== undefined) return { step };
  return concerns(entry, apiId) ? undefined : { step: 'other' };
}

/** A leaf is what it says by itself: another kind of leaf, or one of another API, would prove just as well. */
function concerns(entry: AuditEntry, apiId: string): boolean {
  if (entry.kind === 'call') return entry.page.kind === 'calls' && entry.page.api_id === apiId;
  const { kind, api_ids } = entry.change;
  return kind === 'change' && (api_ids === null || api_ids.includes(apiId));
}

/** What a call says on the screen and otherwise in the record, in the words of the screen. */
export function differences({ number, call }: AuditedCall, shown: ActivityEntry): string[] {
  const recorded = recordedFacts(number, call);
  const facts = shownFacts(shown);
  return Object.keys(recorded).filter((name) => recorded[name] !== facts[name]);
}

type Facts = Record<string, string | number | null>;

const recordedFacts = (number: number, call: HashedCall): Facts => ({
  number,
  time: call.at,
  kind: call.kind,
  caller: call.caller_id,
  'caller’s name': call.caller_name,
  'caller’s prefix': call.caller_prefix,
  method: call.method,
  path: call.path,
  status: call.status,
  outcome: call.outcome,
  code: call.code,
  'who said no': call.code !== null ? 'mesh' : call.status >= 400 ? 'upstream' : null,
  duration: call.duration_ms,
  'bytes sent': call.bytes_in,
  'bytes received': call.bytes_out,
  'tokens in': call.tokens_in,
  'tokens out': call.tokens_out,
  request: call.request_id,
});

const shownFacts = (shown: ActivityEntry): Facts => ({
  number: Number(shown.id),
  time: Date.parse(shown.at),
  kind: shown.kind,
  caller: shown.caller.id,
  'caller’s name': shown.caller.name,
  'caller’s prefix': shown.caller.prefix,
  method: shown.method,
  path: shown.path,
  status: shown.status ?? 0, // the record has 0 where there was no answer
  outcome: shown.outcome,
  code: shown.code,
  'who said no': shown.said_no,
  duration: shown.duration_ms,
  'bytes sent': shown.bytes_in,
  'bytes received': shown.bytes_out,
  'tokens in': shown.tokens_in,
  'tokens out': shown.tokens_out,
  request: shown.request_id,
});
