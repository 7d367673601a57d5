import type { ActivityEntry, AuditHead, AuditPage } from '@zeq/contracts';
import { type AuditedCall, differences, faultOf } from './check-entry.ts';
import type { Fault } from './fault.ts';
import { type ClockSource, type Vouch, vouchFor } from './vouch.ts';

export interface CallSource extends ClockSource {
  /** The record of a call; undefined when the mesh shows none. */
  record: (number: string) => Promise<AuditPage | undefined>;
}

/** @see Vouch; `waiting` as well when the call is too young to be in the record. */
export type CallVerdict = Vouch & { entry?: AuditedCall; head?: AuditHead };

/** × what `wait` takes: the clock takes the log once a Zeqond, and a forwarder reports within a second. */
const TRIES = 15;
/** A call that is older than this should long be in the record (ms). */
const YOUNG_MS = 60_000;

/** Checks that a call stands in the record as it is shown, and that the clock vouches for the record. @throws as the source. */
export async function verifyCall(
  shown: ActivityEntry,
  apiId: string,
  source: CallSource,
): Promise<CallVerdict> {
  const first = await verifyOnce(shown, apiId, source);
  // The clock may have missed this head, and bound a later one: once more, with that.
  const isOtherHead = first.state === 'failed' && first.fault.step === 'head';
  return isOtherHead ? verifyOnce(shown, apiId, source) : first;
}

async function verifyOnce(shown: ActivityEntry, apiId: string, source: CallSource): Promise<CallVerdict> {
  const page = await recordOf(shown.id, source);
  if (page === undefined) return isYoung(shown) ? { state: 'waiting' } : failed({ step: 'missing' });
  const [entry] = page.entries;
  if (entry?.kind !== 'call') return failed({ step: 'shape' });
  const fault = await faultOf(entry, page.head, apiId);
  if (fault !== undefined) return failed(fault);
  const different = differences(entry, shown);
  if (different.length > 0) return failed({ step: 'differs', of: different.join(', ') });
  return { ...(await vouchFor(page.head, source)), entry, head: page.head };
}

async function recordOf(number: string, source: CallSource): Promise<AuditPage | undefined> {
  for (let asked = 1; ; asked++) {
    const page = await source.record(number);
    if (page !== undefined || asked === TRIES) return page;
    await source.wait();
  }
}

const isYoung = ({ at, duration_ms }: ActivityEntry): boolean =>
  Date.now() - Date.parse(at) - duration_ms < YOUNG_MS;

const failed = (fault: Fault): CallVerdict => ({ state: 'failed', fault });
