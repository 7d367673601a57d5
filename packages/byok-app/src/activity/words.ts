import type { ActivityEntry } from '@zeq/contracts';

type Tone = 'ok' | 'warn' | 'bad' | 'plain';

/** How a call ended, in a word and a colour. */
export function endOf({ status, outcome, kind }: Pick<ActivityEntry, 'status' | 'outcome' | 'kind'>): {
  tone: Tone;
  label: string;
} {
  if (outcome === 'broken')
    return { tone: 'bad', label: status === null ? 'broke off' : `${status}, broke off` };
  if (status === null) return { tone: 'plain', label: 'no answer' };
  if (status === 101 || kind === 'websocket')
    return { tone: status < 400 ? 'ok' : 'warn', label: String(status) };
  return { tone: status < 400 ? 'ok' : status < 500 ? 'warn' : 'bad', label: String(status) };
}

/** Who said no, and why; that the caller left, which is nobody's no; or nothing. */
export function noOf({
  said_no,
  code,
  outcome,
}: Pick<ActivityEntry, 'said_no' | 'code' | 'outcome'>): string {
  if (said_no === 'mesh') return code === null ? 'the mesh' : `the mesh: ${code}`;
  if (said_no === 'upstream') return code === null ? 'the upstream' : `the upstream: ${code}`;
  return outcome === 'aborted' ? 'caller left' : '';
}

/** Who called: the name that a key or token had then. */
export function callerOf({ caller: { kind, name, prefix } }: ActivityEntry): string {
  return name || (prefix === null ? `a revoked ${kind}` : `${prefix}…`);
}
