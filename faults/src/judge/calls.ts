import { FEED_HEARTBEAT_MS, STALE_AFTER_MS } from '@zeq/contracts';
import type { Call } from '../load/call.ts';
import type { Fault, Outage } from '../mesh.ts';
import type { Verdict } from '../verdict.ts';

export interface CallRules {
  faults: readonly Fault[];
  /** Which refusals this experiment documents; those of calls in flight at a fault need no leave. */
  mayRefuse?: (call: Call) => boolean;
  /** Nobody listened at the gateway's port for a while, as without a second gateway behind nginx. */
  gatewayAway?: boolean;
}

/** Until a reader of the change feed has come back to a vault, what it cached before may be too old (ms). */
const FEED_BACK_MS = 1_000;
const OLD_LEASE_MS = STALE_AFTER_MS - FEED_HEARTBEAT_MS - 250;

/** A vault that is away for longer than a lease is believed: that calls are refused then is what has to happen. */
export const isRefusedRightly = (
  { outcome, detail, startedAt, endedAt }: Call,
  outages: readonly Outage[],
): boolean =>
  outcome === 'refused' &&
  detail === 'vault_unavailable' &&
  outages.some(
    ({ name, at, backAt }) =>
      name === 'byok-vault' && endedAt > at + OLD_LEASE_MS && startedAt < backAt + FEED_BACK_MS,
  );

/** Was open while the fault took effect. */
export const wasInFlight = (call: Call, { at, seenAt }: Fault): boolean =>
  call.startedAt <= seenAt && call.endedAt >= at;

/** Only calls that were in flight at a fault may have failed; nothing may have ended cleanly without being whole. */
export function judgeCalls(verdict: Verdict, calls: readonly Call[], rules: CallRules): void {
  const { faults, mayRefuse = () => false, gatewayAway = false } = rules;
  const inFlight = (call: Call) => faults.some((fault) => wasInFlight(call, fault));
  const told = (call: Call) =>
    `${call.kind} ${call.outcome} ${call.detail} at ${Math.round(call.startedAt)}..${Math.round(call.endedAt)}`;
  const failed = calls.filter(
    (call) =>
      !inFlight(call) &&
      (call.outcome === 'broken' ||
        (call.outcome === 'refused' && !mayRefuse(call)) ||
        (call.outcome === 'away' && !gatewayAway)),
  );
  verdict.none(
    'calls that ended cleanly and are not whole',
    calls.filter(({ outcome }) => outcome === 'wrong').map(told),
  );
  const lost = calls.filter(
    (call) => inFlight(call) && call.outcome !== 'ok' && call.outcome !== 'away',
  ).length;
  verdict.none(
    `failed calls that were not in flight at one of ${faults.length} faults (${lost} were)`,
    failed.map(told),
  );
  const answered = calls.filter(({ outcome }) => outcome !== 'away');
  const ok = answered.filter(({ outcome }) => outcome === 'ok');
  verdict.that(
    'most calls that were accepted succeeded',
    ok.length * 2 >= answered.length,
    `${ok.length} of ${answered.length}`,
  );
}

/** For each fault the time from its effect to the first call of a kind that began after it and succeeded (ms). */
export function recoveries(
  calls: readonly Call[],
  faults: readonly Fault[],
  kinds: readonly string[],
): number[] {
  return faults.map(({ seenAt }) => {
    const ends = calls
      .filter((call) => call.outcome === 'ok' && kinds.includes(call.kind) && call.startedAt > seenAt)
      .map(({ endedAt }) => endedAt);
    return Math.min(...ends) - seenAt;
  });
}

/** Of the forwards that began and ended in this time and ended well, in ms. */
export function p99OfForwards(calls: readonly Call[], from: number, to: number): number {
  const times = calls
    .filter(
      ({ kind, outcome, startedAt, endedAt }) =>
        kind === 'forward' && outcome === 'ok' && startedAt >= from && endedAt <= to,
    )
    .map(({ startedAt, endedAt }) => endedAt - startedAt)
    .sort((a, b) => a - b);
  return times[Math.floor(times.length * 0.99)] ?? Number.NaN;
}
